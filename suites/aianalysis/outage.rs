//! What becomes of analyses and their events while the controller or the data service is away.

use futures_util::future::join;
use kindwright::{Case, CaseResult, Ctx, Failure, case};
use serde_json::json;

use super::{CONTROLLER, TRAIL, analysis, fail, make, until, until_all};
use crate::expect::told_once;

const DATA_SERVICE: &str = "datastorage";
/// How many analyses go on meanwhile.
const MANY: usize = 10;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(a_controller_that_is_killed_completes_every_analysis_and_tells_it_once),
        case!(events_outlive_the_data_service_and_are_stored_once),
        case!(events_outlive_the_controller_while_the_data_service_is_away),
    ]
    // The original's client gives up after three attempts, and forgets what it has when it ends.
    .map(|case| case.beyond("contract 4.7").alone())
}

/// Makes many analyses, one after the other; returns their names.
async fn flow(ctx: &Ctx) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for number in 0..MANY {
        let environment = if number % 2 == 0 { "staging" } else { "production" };
        let analysis = analysis(ctx, &format!("flow-{number}"), "OOMKilled", environment);
        names.push(make(ctx, analysis).await?);
    }
    Ok(names)
}

async fn once(ctx: &Ctx, names: &[String]) -> CaseResult {
    told_once(ctx.audit().emitter(CONTROLLER), names, &TRAIL).await
}

async fn a_controller_that_is_killed_completes_every_analysis_and_tells_it_once(
    ctx: Ctx,
) -> CaseResult {
    // HAPI thinks of the first ones for longer than it takes to kill the controller.
    fail(&ctx, json!([{"mode": "slow", "seconds": 5, "times": MANY / 2}])).await?;
    let stack = ctx.disturb()?;
    let first = ctx.objects().own_name("flow-0");
    let killing = async {
        // It is killed in the midst of them, not before.
        until(&ctx, &first, json!({"phase": "Investigating"})).await?;
        Ok::<_, Failure>(stack.kill(CONTROLLER).await?)
    };
    let (names, killed) = join(flow(&ctx), killing).await;
    killed?;
    let names = names?;
    until_all(&ctx, &names, "Completed").await?;
    once(&ctx, &names).await
}

async fn events_outlive_the_data_service_and_are_stored_once(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let (names, stopped) = join(flow(&ctx), stack.stop(DATA_SERVICE)).await;
    stopped?;
    let names = names?;
    // Nothing waits for its events.
    until_all(&ctx, &names, "Completed").await?;
    stack.start(DATA_SERVICE).await?;
    once(&ctx, &names).await
}

async fn events_outlive_the_controller_while_the_data_service_is_away(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    stack.stop(DATA_SERVICE).await?;
    let names = flow(&ctx).await?;
    until_all(&ctx, &names, "Completed").await?;
    stack.kill(CONTROLLER).await?;
    stack.start(DATA_SERVICE).await?;
    once(&ctx, &names).await
}
