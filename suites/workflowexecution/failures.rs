//! Why executions fail, in the contract's words (BR-WE-004).

use kindwright::{Case, CaseResult, Ctx, ObjectsError, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{FAILING, SOON, condition, run, run_of, target, text, until_in};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_task_that_fails_is_told_with_its_exit_code,
        a_step_that_runs_out_of_memory_is_told_so,
        a_pipeline_that_takes_too_long_is_ended,
        a_bundle_that_cannot_be_resolved_fails_in_words,
        a_step_whose_image_cannot_be_pulled_fails_in_words,
    ]
}

/// Runs a workflow until it has failed, and returns it.
async fn fail(ctx: &Ctx, workflow: [&str; 2], more: Value) -> Result<Value, ObjectsError> {
    let name = run(ctx, "failing", workflow, more).await?;
    until_in(ctx, &name, "Failed").await
}

/// What every failure says: the reason twice, when it was, and all of it for people.
fn told(ctx: &Ctx, failed: &Value, reason: &str, parts: &[&str]) -> CaseResult {
    let (status, details) = (&failed["status"], &failed["status"]["failureDetails"]);
    ensure_eq!((&status["failureReason"], &details["reason"]), (&json!(reason), &json!(reason)));
    ensure_eq!(details["failedAt"], status["completionTime"]);
    ensure_eq!(details["executionTimeBeforeFailure"], status["duration"]);
    ensure!(!text(details, "/message").is_empty(), "no message: {details}");
    let (summary, target) = (text(details, "/naturalLanguageSummary"), target(ctx, "failing"));
    let workflow = text(failed, "/spec/workflowRef/workflowId");
    for part in [workflow, &target].iter().chain(parts) {
        ensure!(summary.contains(part), "no {part} in: {summary}");
    }
    Ok(())
}

/// BR-WE-004.
async fn a_task_that_fails_is_told_with_its_exit_code(ctx: Ctx) -> CaseResult {
    let parameters = json!({"FAILURE_MODE": "exit", "FAILURE_MESSAGE": "It fails as it shall"});
    let failed = fail(&ctx, FAILING, json!({"parameters": parameters})).await?;
    told(&ctx, &failed, "TaskFailed", &["fail-task", "exit code 1"])?;
    ensure_eq!(condition(&failed, "TektonPipelineComplete"), Some(["False", "TaskFailed"]));
    let details = &failed["status"]["failureDetails"];
    ensure_eq!((&details["exitCode"], &details["failedTaskIndex"]), (&json!(1), &json!(0)));
    let task = text(details, "/failedTaskName");
    ensure!(task.ends_with("fail-task"), "the task is {task}");
    ensure_eq!(details["failedStepName"], json!("fail"));
    ensure_eq!(details["wasExecutionFailure"], json!(true));
    Ok(())
}

async fn a_step_that_runs_out_of_memory_is_told_so(ctx: Ctx) -> CaseResult {
    let failed = fail(&ctx, FAILING, json!({"parameters": {"FAILURE_MODE": "oom"}})).await?;
    told(&ctx, &failed, "OOMKilled", &["fail-task", "exit code 137"])?;
    ensure_eq!(condition(&failed, "TektonPipelineComplete"), Some(["False", "OOMKilled"]));
    let details = &failed["status"]["failureDetails"];
    ensure_eq!((&details["exitCode"], &details["failedStepName"]), (&json!(137), &json!("fail")));
    ensure_eq!(details["wasExecutionFailure"], json!(true));
    Ok(())
}

async fn a_pipeline_that_takes_too_long_is_ended(ctx: Ctx) -> CaseResult {
    let timeout = json!({
        "parameters": {"FAILURE_MODE": "timeout"}, "executionConfig": {"timeout": "5s"},
    });
    let failed = fail(&ctx, FAILING, timeout).await?;
    told(&ctx, &failed, "DeadlineExceeded", &[])?;
    ensure_eq!(condition(&failed, "TektonPipelineComplete"), Some(["False", "DeadlineExceeded"]));
    let details = &failed["status"]["failureDetails"];
    // Tekton puts the limit in quotation marks.
    for words in [text(details, "/message"), text(details, "/naturalLanguageSummary")] {
        let words = words.replace('"', "");
        ensure!(
            words.contains("failed to finish within 5s"),
            "it does not name its limit: {words}"
        );
    }
    ensure_eq!(details["wasExecutionFailure"], json!(true));
    // What has run too long does not go on.
    let name = text(&failed, "/metadata/name");
    let pipeline = run_of(&ctx, name).await?.unwrap_or_default();
    let runs = ctx.objects_in("workflows")?;
    let task = text(&pipeline, "/status/childReferences/0/name");
    let task = runs.get(["tekton.dev/v1", "TaskRun", task]).await?.unwrap_or_default();
    let pod = text(&task, "/status/podName");
    ensure!(!pod.is_empty(), "nothing has run: {pipeline}");
    ctx.until("the end of its pod", SOON, async || {
        let there = runs.get(["v1", "Pod", pod]).await?;
        ensure!(there.is_none(), "there is {pod}");
        Ok(())
    })
    .await?;
    Ok(())
}

async fn a_bundle_that_cannot_be_resolved_fails_in_words(ctx: Ctx) -> CaseResult {
    let bundle = "quay.io/jordigilh/test-workflows/unheard-of:v1.0.0";
    let failed = fail(&ctx, ["unheard-of", bundle], json!({})).await?;
    told(&ctx, &failed, "Unknown", &[bundle])?;
    ensure_eq!(condition(&failed, "TektonPipelineComplete"), Some(["False", "PipelineFailed"]));
    let details = &failed["status"]["failureDetails"];
    ensure!(text(details, "/message").contains(bundle), "it does not name the bundle: {details}");
    Ok(())
}

async fn a_step_whose_image_cannot_be_pulled_fails_in_words(ctx: Ctx) -> CaseResult {
    let missing = ["image-missing", "quay.io/jordigilh/test-workflows/image-missing:v1.0.0"];
    let failed = fail(&ctx, missing, json!({})).await?;
    told(&ctx, &failed, "ImagePullBackOff", &["ghcr.io/invalid/nonexistent"])?;
    ensure_eq!(condition(&failed, "TektonPipelineComplete"), Some(["False", "PipelineFailed"]));
    // No step of it has begun.
    ensure_eq!(failed["status"]["failureDetails"]["wasExecutionFailure"], json!(false));
    Ok(())
}
