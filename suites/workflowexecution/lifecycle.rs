//! How an execution goes that nothing disturbs (BR-WE-001, 003 and 010).

use std::time::Duration;

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    FAILING, HELLO, KIND, VERSION, condition, execution, make, run, run_of, target, text, until,
    until_in,
};
use crate::expect;

/// How long an execution may take until it runs: half a minute (BR-WE-001), and on a busy machine more.
const RUNS: Duration = Duration::from_mins(1);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        an_execution_runs_and_completes,
        the_conditions_tell_how_it_went,
        the_status_follows_the_run,
        the_run_is_found_by_its_labels,
        an_end_that_somebody_notes_without_a_time_stays,
    ]
    .into_iter()
    .chain([
        // The original leaves the condition out if it sees the run only at its end (supplement 6.6).
        case!(a_short_run_is_said_to_have_run_too).beyond("supplement 6.6"),
    ])
}

/// BR-WE-001.
async fn an_execution_runs_and_completes(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "flow", HELLO, json!({})).await?;
    let running = json!({"status": {"phase": "Running"}});
    let running = ctx.objects().until_matching([VERSION, KIND, &name], running, RUNS).await?;
    ensure!(running["status"]["startTime"].is_string(), "nobody knows when it began: {running}");
    let done = until_in(&ctx, &name, "Completed").await?;
    let status = &done["status"];
    ensure_eq!(status["startTime"], running["status"]["startTime"]);
    ensure!(status["completionTime"].is_string(), "nobody knows when it ended: {status}");
    let duration = text(status, "/duration");
    let seconds = duration
        .strip_suffix('s')
        .is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit() || b == b'm'));
    ensure!(seconds && duration != "0s", "it took {duration}");
    ensure!(status["failureDetails"].is_null(), "it failed: {status}");
    Ok(())
}

/// BR-WE-001: the four conditions.
async fn the_conditions_tell_how_it_went(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "flow", HELLO, json!({})).await?;
    let done = until_in(&ctx, &name, "Completed").await?;
    for (kind, reason) in [
        ("TektonPipelineCreated", "PipelineCreated"),
        ("TektonPipelineRunning", "PipelineStarted"),
        ("TektonPipelineComplete", "PipelineSucceeded"),
        ("AuditRecorded", "AuditSucceeded"),
    ] {
        ensure_eq!((kind, condition(&done, kind)), (kind, Some(["True", reason])));
    }
    Ok(())
}

async fn a_short_run_is_said_to_have_run_too(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "short", HELLO, json!({"parameters": {"DELAY_SECONDS": "0"}})).await?;
    let done = until_in(&ctx, &name, "Completed").await?;
    ensure_eq!(condition(&done, "TektonPipelineRunning"), Some(["True", "PipelineStarted"]));
    Ok(())
}

/// BR-WE-003.
async fn the_status_follows_the_run(ctx: Ctx) -> CaseResult {
    let lasting = json!({"parameters": {"DELAY_SECONDS": "10"}});
    let name = run(&ctx, "flow", HELLO, lasting).await?;
    let summary = json!({"phase": "Running", "pipelineRunStatus": {
        "status": "Unknown", "completedTasks": 0, "totalTasks": 1,
    }});
    let running = until(&ctx, &name, summary).await?;
    let pipeline = run_of(&ctx, &name).await?.unwrap_or_default();
    ensure_eq!(running["status"]["pipelineRunRef"]["name"], pipeline["metadata"]["name"]);
    let summary = json!({"phase": "Completed", "pipelineRunStatus": {
        "status": "True", "completedTasks": 1, "totalTasks": 1,
    }});
    let done = until(&ctx, &name, summary).await?;
    let pipeline = run_of(&ctx, &name).await?.unwrap_or_default();
    let succeeded = expect::condition(&pipeline["status"], "Succeeded");
    for field in ["reason", "message"] {
        ensure_eq!(done["status"]["pipelineRunStatus"][field], succeeded[field]);
    }
    Ok(())
}

/// Supplement 6.6: what others find a run by.
async fn the_run_is_found_by_its_labels(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "flow", HELLO, json!({})).await?;
    until_in(&ctx, &name, "Running").await?;
    let pipeline = run_of(&ctx, &name).await?.unwrap_or_default();
    let target = target(&ctx, "flow");
    // Whoever runs on a target is called after it: that is the lock.
    let hash = Sha256::digest(&target);
    let called =
        hash[..8].iter().fold("wfe-".to_owned(), |name, byte| name + &format!("{byte:02x}"));
    ensure_eq!(pipeline["metadata"]["name"], json!(called));
    let [workflow, bundle] = HELLO;
    let labels = &pipeline["metadata"]["labels"];
    ensure_eq!(labels["kubernaut.ai/workflow-id"], json!(workflow));
    ensure_eq!(labels["kubernaut.ai/source-namespace"], json!(ctx.objects().namespace()));
    // The value of a label may have 63 characters.
    let labelled = text(labels, "/kubernaut.ai~1target-resource");
    ensure!(labelled.len() <= 63 && target.replace('/', "__").starts_with(labelled), "{labels}");
    ensure_eq!(pipeline["metadata"]["annotations"]["kubernaut.ai/target-resource"], json!(target));
    let reference = &pipeline["spec"]["pipelineRef"];
    ensure_eq!(reference["resolver"], json!("bundles"));
    let expected = json!([
        {"name": "bundle", "value": bundle},
        {"name": "name", "value": "workflow"},
        {"name": "kind", "value": "pipeline"},
    ]);
    ensure_eq!(reference["params"], expected);
    let account = &pipeline["spec"]["taskRunTemplate"]["serviceAccountName"];
    ensure_eq!(account, &json!("kubernaut-workflow-runner"));
    Ok(())
}

/// BR-WE-010.
async fn an_end_that_somebody_notes_without_a_time_stays(ctx: Ctx) -> CaseResult {
    let name =
        run(&ctx, "ended", FAILING, json!({"parameters": {"FAILURE_MODE": "timeout"}})).await?;
    let running = until_in(&ctx, &name, "Running").await?;
    let failed = json!({"phase": "Failed", "failureDetails": {
        "failedTaskIndex": 0, "failedTaskName": "none", "reason": "Unknown",
        "message": "Somebody ended it", "failedAt": running["status"]["startTime"],
        "executionTimeBeforeFailure": "0s", "naturalLanguageSummary": "Somebody ended it",
    }});
    ctx.objects().merge_status([VERSION, KIND, &name], json!({"status": failed})).await?;
    // Its target does not rest, because nobody knows until when. What comes after it shows that it is left alone.
    if let Some(pipeline) = run_of(&ctx, &name).await? {
        let runs = ctx.objects_in("workflows")?;
        runs.delete(["tekton.dev/v1", "PipelineRun", text(&pipeline, "/metadata/name")]).await?;
    }
    let mut next = execution(&ctx, "next", HELLO, &json!({}));
    next["spec"]["targetResource"] = json!(target(&ctx, "ended"));
    let next = make(ctx.objects(), next).await?;
    until_in(&ctx, &next, "Completed").await?;
    let ended = ctx.objects().get([VERSION, KIND, &name]).await?.unwrap_or_default();
    ensure_eq!(ended["status"]["phase"], json!("Failed"));
    ensure_eq!(ended["status"]["failureDetails"]["message"], json!("Somebody ended it"));
    ensure_eq!(ended["status"]["completionTime"], Value::Null);
    Ok(())
}
