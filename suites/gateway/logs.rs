//! What the service writes into its log (scenario 16).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};

use super::{GATEWAY, SOON, alert, created, make_namespace, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![a_signal_is_logged_as_json]
}

async fn a_signal_is_logged_as_json(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let before = ctx.mark().await?;
    let answer = created(&ctx, &alert(&ctx, "Logged", "cart-0")).await?;
    let log = ctx.logs(GATEWAY)?.since(&before);
    let name = text(&answer, "/remediationRequestName");
    log.until("the request", SOON, |line| line.text().contains(name)).await?;
    for line in log.lines().await? {
        let Some(object) = line.json() else {
            return Err(kindwright::Failure::new(format_args!("no JSON: {}", line.text())));
        };
        for names in [["ts", "time", "timestamp"].as_slice(), &["level"], &["msg", "message"]] {
            let there = names.iter().any(|name| object.get(name).is_some());
            ensure!(there, "it has none of {names:?}: {object}");
        }
    }
    Ok(())
}
