//! Remediations while the orchestrator or the data service is away.

use std::time::Duration;

use futures_util::future::{join, try_join_all};
use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure, ensure_eq};
use serde_json::json;

use super::{
    COMPLETED, CONTROLLER, MOVED, STARTED, VERSION,
    play::{
        ANALYSIS, APPROVAL, EXECUTION, PROCESSING, Play, fingerprint, moment, passes,
        to_be_approved,
    },
};

const DATA_SERVICE: &str = "datastorage";
/// How many remediations go on meanwhile.
const MANY: u32 = 8;
/// Pods are stopped and started in a case.
const LIMIT: Duration = Duration::from_mins(6);
/// How long events may take that were kept while the data service was away.
const KEPT: Duration = Duration::from_mins(1);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let lossless = [
        // The original keeps events in its memory only, and gives them up after three attempts.
        case!(remediations_outlive_an_orchestrator_that_is_killed_and_are_told_once),
        case!(remediations_go_on_while_the_data_service_is_away_and_are_told_once),
        case!(events_outlive_the_orchestrator_while_the_data_service_is_away),
    ]
    .map(|case| case.beyond("contract 4.7"));
    [
        case!(a_decision_that_was_made_meanwhile_counts),
        case!(what_became_too_late_meanwhile_is_too_late),
    ]
    .into_iter()
    .chain(lossless)
    .map(|case| case.alone().limit(LIMIT))
}

/// Begins many remediations, each of a signal of its own.
async fn many(ctx: &Ctx) -> Result<Vec<Play>, Failure> {
    let mut plays = Vec::new();
    for number in 0..MANY {
        let target = json!({
            "kind": "Deployment", "name": format!("cart-{number}"),
            "namespace": ctx.objects().namespace(),
        });
        let more = json!({"signalFingerprint": fingerprint(ctx, number), "targetResource": target});
        plays.push(Play::of(ctx, ctx.objects(), &format!("rr-{number}"), more).await?);
    }
    Ok(plays)
}

async fn all_go_well(plays: &[Play]) -> CaseResult {
    try_join_all(plays.iter().map(Play::goes_well)).await?;
    Ok(())
}

/// Each has its three children, and its trail has each of its steps once.
async fn told_once(ctx: &Ctx, plays: &[Play]) -> CaseResult {
    for child in [PROCESSING, ANALYSIS, EXECUTION] {
        ensure_eq!(ctx.objects().list([VERSION, child.0]).await?.len(), plays.len());
    }
    for play in plays {
        ctx.audit_of(&play.uid)
            .exactly(5)
            .in_order([STARTED, MOVED, MOVED, MOVED, COMPLETED])
            .within(KEPT)
            .holds()
            .await?;
    }
    Ok(())
}

async fn remediations_outlive_an_orchestrator_that_is_killed_and_are_told_once(
    ctx: Ctx,
) -> CaseResult {
    let stack = ctx.disturb()?;
    let plays = many(&ctx).await?;
    let killing = async {
        // It is killed in the midst of them, not before.
        plays[0].phase("Analyzing").await?;
        Ok::<_, Failure>(stack.kill(CONTROLLER).await?)
    };
    let (went, killed) = join(all_go_well(&plays), killing).await;
    killed?;
    went?;
    told_once(&ctx, &plays).await
}

async fn remediations_go_on_while_the_data_service_is_away_and_are_told_once(
    ctx: Ctx,
) -> CaseResult {
    let stack = ctx.disturb()?;
    stack.stop(DATA_SERVICE).await?;
    let plays = many(&ctx).await?;
    all_go_well(&plays).await?;
    stack.start(DATA_SERVICE).await?;
    told_once(&ctx, &plays).await
}

async fn events_outlive_the_orchestrator_while_the_data_service_is_away(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    stack.stop(DATA_SERVICE).await?;
    let plays = many(&ctx).await?;
    all_go_well(&plays).await?;
    stack.kill(CONTROLLER).await?;
    stack.start(DATA_SERVICE).await?;
    told_once(&ctx, &plays).await
}

async fn a_decision_that_was_made_meanwhile_counts(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    stack.stop(CONTROLLER).await?;
    play.says(APPROVAL, json!({"decision": "Approved", "decidedBy": "ann"})).await?;
    ensure!(play.look(EXECUTION).await?.is_null(), "its workflow runs already");
    stack.start(CONTROLLER).await?;
    play.executed().await?;
    play.phase("Completed").await?;
    Ok(())
}

async fn what_became_too_late_meanwhile_is_too_late(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let more = json!({"timeoutConfig": {"processing": "30s"}});
    let play = Play::of(&ctx, ctx.objects(), "rr", more).await?;
    let begun = moment(&play.phase("Processing").await?, "/status/processingStartTime")?;
    stack.stop(CONTROLLER).await?;
    passes(&ctx, begun + Duration::from_secs(30)).await?;
    let status = play.status().await?;
    ensure_eq!(status["overallPhase"], json!("Processing"));
    stack.start(CONTROLLER).await?;
    play.until(json!({"overallPhase": "TimedOut", "timeoutPhase": "Processing"})).await?;
    Ok(())
}
