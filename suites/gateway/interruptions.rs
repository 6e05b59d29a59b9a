//! Signals while the service, or one that it needs, is killed or away (scenarios 12 and 13).

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{try_join, try_join_all};
use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure};
use serde_json::Value;

use super::{
    GATEWAY, SOON, alert,
    audit::{CREATED, RECEIVED},
    counted, created, make_namespace, send, text, until_requests, until_seen,
};

const DATA: &str = "datastorage";
const STREAMS: &str = "redis";
/// How long a signal may be sent again until it is received.
const AGAIN: Duration = Duration::from_mins(2);
/// So many senders send so many signals each, while something happens.
const SENDERS: usize = 4;
const EACH: usize = 10;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let lossless = [
        // The original keeps events in its memory only, and gives them up after three attempts.
        case!(what_is_received_while_the_service_is_killed_is_audited_exactly_once),
        case!(what_is_received_while_the_data_service_is_away_is_audited_exactly_once),
        case!(what_was_not_audited_when_the_service_was_killed_is_audited_by_the_next_one),
    ]
    .map(|case| case.beyond("contract 4.7"));
    [
        case!(a_service_that_was_killed_goes_on_where_it_was),
        case!(signals_are_received_without_redis),
        case!(what_is_received_before_the_end_is_audited),
    ]
    .into_iter()
    .chain(lossless)
    .map(Case::alone)
}

async fn a_service_that_was_killed_goes_on_where_it_was(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let mut before = Vec::new();
    for pod in 0..3 {
        let alert = alert(&ctx, "Before", &format!("cart-{pod}"));
        let answer = created(&ctx, &alert).await?;
        until_seen(&ctx, &answer).await?;
        before.push((alert, answer));
    }
    ctx.disturb()?.kill(GATEWAY).await?;
    ctx.get(GATEWAY, "/health").send().await?.expect(200)?;
    for pod in 0..3 {
        created(&ctx, &alert(&ctx, "After", &format!("cart-{pod}"))).await?;
    }
    for (alert, answer) in before {
        let again = counted(&ctx, &alert).await?;
        let same = again["remediationRequestName"] == answer["remediationRequestName"];
        ensure!(same, "it was forgotten: {again}");
    }
    until_requests(&ctx, ctx.objects(), 6).await?;
    Ok(())
}

async fn signals_are_received_without_redis(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    make_namespace(&ctx).await?;
    for pod in 0..10 {
        created(&ctx, &alert(&ctx, "WithRedis", &format!("cart-{pod}"))).await?;
    }
    stack.stop(STREAMS).await?;
    for pod in 0..3 {
        created(&ctx, &alert(&ctx, "WithoutRedis", &format!("cart-{pod}"))).await?;
    }
    stack.start(STREAMS).await?;
    until_requests(&ctx, ctx.objects(), 13).await?;
    Ok(())
}

async fn what_is_received_before_the_end_is_audited(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    for pod in 0..EACH {
        created(&ctx, &alert(&ctx, "Ending", &format!("cart-{pod}"))).await?;
    }
    ctx.disturb()?.stop(GATEWAY).await?;
    audited_once(&ctx, EACH).await
}

/// Sends signals, each until it is received, and begins to disturb the stack once some are.
async fn flow(ctx: &Ctx, disturb: impl AsyncFnOnce() -> CaseResult) -> CaseResult {
    make_namespace(ctx).await?;
    let (begun, waiting) = tokio::sync::watch::channel(0_usize);
    let senders = (0..SENDERS).map(async |sender| -> CaseResult {
        for number in 0..EACH {
            let alert = alert(ctx, "Flowing", &format!("cart-{sender}-{number}"));
            received(ctx, &alert).await?;
            begun.send_modify(|count| *count += 1);
        }
        Ok(())
    });
    let disturbing = async {
        let mut waiting = waiting;
        // Whoever sends has not ended before it: each has more to send.
        let _ = waiting.wait_for(|count| *count >= SENDERS).await;
        disturb().await
    };
    try_join(try_join_all(senders), disturbing).await?;
    Ok(())
}

/// Sends a signal until it is received, as AlertManager does.
async fn received(ctx: &Ctx, alert: &Value) -> CaseResult {
    ctx.until("the signal to be received", AGAIN, async || {
        let answer = send(ctx, alert).await?;
        let taken = matches!(answer.status(), 201 | 202);
        ensure!(taken, "it was not: {}", answer.exchange());
        Ok(())
    })
    .await
}

/// Fails unless the namespace of the case has so many requests, each with exactly its two events.
async fn audited_once(ctx: &Ctx, count: usize) -> CaseResult {
    let requests = until_requests(ctx, ctx.objects(), count).await?;
    let rows = ctx
        .audit()
        .under("namespace", ctx.objects().namespace())
        .kinds([RECEIVED, CREATED])
        .within(SOON)
        .exactly(2 * count)
        .holds()
        .await?;
    let mut events: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let row = row.as_json();
        let about = events.entry(text(row, "/correlation_id").to_owned()).or_default();
        about.push(text(row, "/event_type").to_owned());
    }
    for request in &requests {
        let name = text(request, "/metadata/name");
        let mut own = events.remove(name).unwrap_or_default();
        own.sort();
        ensure!(own == [CREATED, RECEIVED], "of {name} there are {own:?}");
    }
    Ok::<_, Failure>(())
}

async fn what_is_received_while_the_service_is_killed_is_audited_exactly_once(
    ctx: Ctx,
) -> CaseResult {
    let stack = ctx.disturb()?;
    flow(&ctx, async || Ok(stack.kill(GATEWAY).await?)).await?;
    audited_once(&ctx, SENDERS * EACH).await
}

async fn what_is_received_while_the_data_service_is_away_is_audited_exactly_once(
    ctx: Ctx,
) -> CaseResult {
    let stack = ctx.disturb()?;
    flow(&ctx, async || {
        stack.stop(DATA).await?;
        Ok(stack.start(DATA).await?)
    })
    .await?;
    audited_once(&ctx, SENDERS * EACH).await
}

async fn what_was_not_audited_when_the_service_was_killed_is_audited_by_the_next_one(
    ctx: Ctx,
) -> CaseResult {
    let stack = ctx.disturb()?;
    make_namespace(&ctx).await?;
    stack.stop(DATA).await?;
    for pod in 0..EACH {
        created(&ctx, &alert(&ctx, "Unaudited", &format!("cart-{pod}"))).await?;
    }
    stack.kill(GATEWAY).await?;
    stack.start(DATA).await?;
    audited_once(&ctx, EACH).await
}
