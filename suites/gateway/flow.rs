//! Many signals, one after another and at once (scenarios 03, 05 and 06).

use futures_util::future::try_join_all;
use kindwright::{Case, CaseResult, Ctx, cases, ensure};

use super::{GATEWAY, alert, alert_in, created, make_namespace, send, text, until_requests};

const BURST: usize = 50;
/// So many clients send so many signals each.
const CLIENTS: usize = 5;
const EACH: usize = 4;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_burst_of_signals_is_received,
        signals_of_many_clients_at_once_are_received,
        each_namespace_has_the_requests_of_its_own_signals,
    ]
}

async fn a_burst_of_signals_is_received(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    for pod in 0..BURST {
        created(&ctx, &alert(&ctx, "Burst", &format!("pod-{pod}"))).await?;
    }
    ctx.get(GATEWAY, "/health").send().await?.expect(200)?;
    until_requests(&ctx, ctx.objects(), BURST).await?;
    Ok(())
}

async fn signals_of_many_clients_at_once_are_received(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let clients = (0..CLIENTS).map(async |client| -> CaseResult {
        for number in 0..EACH {
            let answer =
                send(&ctx, &alert(&ctx, "Concurrent", &format!("pod-{client}-{number}"))).await?;
            answer.expect(201)?;
        }
        Ok(())
    });
    try_join_all(clients).await?;
    until_requests(&ctx, ctx.objects(), CLIENTS * EACH).await?;
    Ok(())
}

async fn each_namespace_has_the_requests_of_its_own_signals(ctx: Ctx) -> CaseResult {
    let places = [ctx.objects().beside("one"), ctx.objects().beside("two")];
    for place in &places {
        place.make_namespace().await?;
        for pod in 0..10 {
            // The same names in both: only the namespaces differ.
            let alert = alert_in(place.namespace(), "Isolated", &format!("pod-{pod}"));
            created(&ctx, &alert).await?;
        }
    }
    let [one, two] = &places;
    let found = [until_requests(&ctx, one, 10).await?, until_requests(&ctx, two, 10).await?];
    for (place, requests) in places.iter().zip(&found) {
        let own = |request| text(request, "/spec/targetResource/namespace") == place.namespace();
        ensure!(requests.iter().all(own), "others are in {}: {requests:?}", place.namespace());
    }
    let prints = |requests: &[serde_json::Value]| -> Vec<String> {
        requests.iter().map(|request| text(request, "/spec/signalFingerprint").to_owned()).collect()
    };
    let theirs = prints(&found[1]);
    ensure!(prints(&found[0]).iter().all(|print| !theirs.contains(print)), "a cause is in both");
    Ok(())
}
