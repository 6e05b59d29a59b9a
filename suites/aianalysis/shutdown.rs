//! A controller that is told to end (the four scenarios that the original skips).

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    CONTROLLER, DECIDED, KIND, SOON, TRAIL, VERSION, analysis, complete, fail, make, until,
    until_all,
};
use crate::expect::{is_done_within, told_once, until_one};

/// How long it may take from the word to end until the pod is gone (BR-AI-082), and of one that has nothing to do.
const IN_TIME: Duration = Duration::from_secs(15);
const AT_ONCE: Duration = Duration::from_secs(10);
/// How many analyses go on meanwhile.
const MANY: usize = 5;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(a_controller_that_is_told_to_end_finishes_what_it_has_begun),
        case!(a_controller_that_is_told_to_end_tells_what_it_has_done),
        case!(a_policy_that_changes_does_not_hold_up_the_end),
        case!(a_controller_with_nothing_to_do_ends_at_once),
    ]
    .map(Case::alone)
}

/// Tells the controller to end, and fails unless it is gone in time.
async fn stop(ctx: &Ctx, limit: Duration) -> CaseResult {
    let begun = Instant::now();
    ctx.disturb()?.stop(CONTROLLER).await?;
    let took = begun.elapsed();
    ensure!(took < limit, "it took {took:?} to end");
    Ok(())
}

/// The status of an analysis as it is.
async fn status(ctx: &Ctx, name: &str) -> Result<Value, Failure> {
    let mut object = ctx.objects().get([VERSION, KIND, name]).await?.unwrap_or_default();
    Ok(object["status"].take())
}

async fn a_controller_that_is_told_to_end_finishes_what_it_has_begun(ctx: Ctx) -> CaseResult {
    // HAPI still thinks when the word comes.
    fail(&ctx, json!([{"mode": "slow", "seconds": 4, "times": 1}])).await?;
    let name = make(&ctx, analysis(&ctx, "begun", "OOMKilled", "staging")).await?;
    until(&ctx, &name, json!({"phase": "Investigating"})).await?;
    stop(&ctx, IN_TIME).await?;
    ensure_eq!(status(&ctx, &name).await?["phase"], json!("Completed"));
    // All of it is told, though nobody is there any more who could.
    ctx.audit().emitter(CONTROLLER).exactly(TRAIL.len()).in_order(TRAIL).holds().await?;
    Ok(())
}

async fn a_controller_that_is_told_to_end_tells_what_it_has_done(ctx: Ctx) -> CaseResult {
    fail(&ctx, json!([{"mode": "slow", "seconds": 2, "times": MANY}])).await?;
    let make =
        |number| make(&ctx, analysis(&ctx, &format!("many-{number}"), "OOMKilled", "staging"));
    let names = try_join_all((0..MANY).map(make)).await?;
    until_all(&ctx, &names, "Investigating").await?;
    stop(&ctx, IN_TIME).await?;
    let mut done = Vec::new();
    for name in &names {
        if status(&ctx, name).await?["phase"] == "Completed" {
            done.push(name.clone());
        }
    }
    ensure!(!done.is_empty(), "nothing was done before the end");
    let told = json!({"event_data": {"phase": "Completed"}});
    let completed = ctx.audit().emitter(CONTROLLER).kinds([super::COMPLETED]).exactly(done.len());
    completed.all_matching(told).holds().await?;
    ctx.disturb()?.start(CONTROLLER).await?;
    until_all(&ctx, &names, "Completed").await?;
    told_once(ctx.audit().emitter(CONTROLLER), &names, &TRAIL).await
}

async fn a_policy_that_changes_does_not_hold_up_the_end(ctx: Ctx) -> CaseResult {
    let policy = "package aianalysis.approval\n\nrequire_approval := false\n";
    ctx.disturb()?.replace_config("aianalysis-policies", "approval.rego", policy).await?;
    let evaluated = async |number| {
        complete(&ctx, analysis(&ctx, &format!("evaluated-{number}"), "OOMKilled", "production"))
            .await
    };
    let free = |status: &Value| status["approvalRequired"] == false;
    until_one(&ctx, "the policy to count", SOON, evaluated, free).await?;
    let mut last = analysis(&ctx, "last", "OOMKilled", "production");
    let other = format!("{}-last", ctx.correlation_id());
    last["spec"]["remediationId"] = json!(other);
    complete(&ctx, last).await?;
    stop(&ctx, IN_TIME).await?;
    let decided = json!({"event_data": {"auto_approved": true, "environment": "production"}});
    ctx.audit_of(&other)
        .emitter(CONTROLLER)
        .exactly(TRAIL.len())
        .in_order(TRAIL)
        .matching(DECIDED, decided)
        .holds()
        .await?;
    Ok(())
}

async fn a_controller_with_nothing_to_do_ends_at_once(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    is_done_within(AT_ONCE, async |_| {
        let begun = Instant::now();
        stack.stop(CONTROLLER).await?;
        let took = begun.elapsed();
        stack.start(CONTROLLER).await?;
        Ok(took)
    })
    .await
}
