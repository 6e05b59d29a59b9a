//! What people see beside an execution, as Kubernetes' events (BR-WE-005).

use kindwright::{Case, CaseResult, Ctx, cases, ensure, ensure_eq};
use serde_json::json;

use super::{FAILING, HELLO, KIND, VERSION, run, run_of, until_in};
use crate::expect::event_told;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        an_execution_tells_its_course_beside_itself,
        a_failure_is_a_warning,
        a_target_that_is_free_again_is_told,
    ]
}

/// Waits until this was told of an execution of the case.
async fn told(ctx: &Ctx, name: &str, kind: &str, reason: &str) -> CaseResult {
    let event = event_told(ctx, [VERSION, KIND, name], reason).await?;
    ensure_eq!(event["type"], kind);
    Ok(())
}

async fn an_execution_tells_its_course_beside_itself(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "flow", HELLO, json!({})).await?;
    until_in(&ctx, &name, "Completed").await?;
    for reason in ["PipelineRunCreated", "WorkflowCompleted"] {
        told(&ctx, &name, "Normal", reason).await?;
    }
    Ok(())
}

async fn a_failure_is_a_warning(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "failing", FAILING, json!({})).await?;
    until_in(&ctx, &name, "Failed").await?;
    told(&ctx, &name, "Warning", "WorkflowFailed").await
}

async fn a_target_that_is_free_again_is_told(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "rested", HELLO, json!({})).await?;
    until_in(&ctx, &name, "Completed").await?;
    told(&ctx, &name, "Normal", "LockReleased").await?;
    ensure!(run_of(&ctx, &name).await?.is_none(), "its run is still there");
    Ok(())
}
