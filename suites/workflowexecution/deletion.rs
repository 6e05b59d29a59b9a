//! What somebody deletes while it runs (BR-WE-007).

use kindwright::{Case, CaseResult, Ctx, cases, ensure, ensure_eq};
use serde_json::json;

use super::{
    FAILED, FAILING, HELLO, KIND, SOON, STARTED, VERSION, condition, run, run_of, text, until_in,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_run_that_somebody_deletes_fails_its_execution,
        an_execution_that_is_deleted_ends_its_run,
        an_execution_that_is_deleted_after_its_end_takes_its_run_with_it,
    ]
}

/// BR-WE-007.
async fn a_run_that_somebody_deletes_fails_its_execution(ctx: Ctx) -> CaseResult {
    let lasting = json!({"parameters": {"FAILURE_MODE": "timeout"}});
    let name = run(&ctx, "orphan", FAILING, lasting).await?;
    until_in(&ctx, &name, "Running").await?;
    let pipeline = run_of(&ctx, &name).await?.unwrap_or_default();
    let runs = ctx.objects_in("workflows")?;
    runs.delete(["tekton.dev/v1", "PipelineRun", text(&pipeline, "/metadata/name")]).await?;
    let failed = until_in(&ctx, &name, "Failed").await?;
    let details = &failed["status"]["failureDetails"];
    let message = text(details, "/message");
    ensure!(message.contains("not found") && message.contains("deleted"), "it says: {message}");
    ensure_eq!(details["reason"], json!("Unknown"));
    ensure_eq!(condition(&failed, "TektonPipelineComplete"), Some(["False", "PipelineFailed"]));
    ctx.audit().exactly(2).in_order([STARTED, FAILED]).holds().await?;
    Ok(())
}

/// Deletion in flight.
async fn an_execution_that_is_deleted_ends_its_run(ctx: Ctx) -> CaseResult {
    let lasting = json!({"parameters": {"FAILURE_MODE": "timeout"}});
    let name = run(&ctx, "gone", FAILING, lasting).await?;
    let summary = json!({"status": {"pipelineRunStatus": {"totalTasks": 1}}});
    ctx.objects().until_matching([VERSION, KIND, &name], summary, SOON).await?;
    let pipeline = run_of(&ctx, &name).await?.unwrap_or_default();
    let runs = ctx.objects_in("workflows")?;
    let task = text(&pipeline, "/status/childReferences/0/name");
    let has_pod = |task: &serde_json::Value| task["status"]["podName"].is_string();
    let task = runs.until(["tekton.dev/v1", "TaskRun", task], "its pod", SOON, has_pod).await?;
    ctx.objects().delete([VERSION, KIND, &name]).await?;
    ensure!(run_of(&ctx, &name).await?.is_none(), "its run is still there");
    // What runs its steps goes too.
    let pod = text(&task, "/status/podName");
    ctx.until("the end of its pod", SOON, async || {
        let there = runs.get(["v1", "Pod", pod]).await?;
        ensure!(there.is_none(), "there is {pod}");
        Ok(())
    })
    .await?;
    let events = ctx.objects().events([VERSION, KIND, &name]).await?;
    let deleted = events.iter().any(|event| event["reason"] == "WorkflowExecutionDeleted");
    ensure!(deleted, "nothing tells that it went: {events:?}");
    // Nobody ended it but who deleted it.
    ctx.audit().exactly(1).in_order([STARTED]).holds().await?;
    Ok(())
}

async fn an_execution_that_is_deleted_after_its_end_takes_its_run_with_it(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "done", HELLO, json!({})).await?;
    until_in(&ctx, &name, "Completed").await?;
    ensure!(run_of(&ctx, &name).await?.is_some(), "its target does not rest");
    ctx.objects().delete([VERSION, KIND, &name]).await?;
    ensure!(run_of(&ctx, &name).await?.is_none(), "its run is still there");
    Ok(())
}
