//! What cannot be run, and who says so: the controller, or the server before it.

use kindwright::{Case, CaseResult, Ctx, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{FAILED, HELLO, condition, execution, run, run_of, text, until_in};
use crate::refusals::{self, Row, row};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(a_workflow_without_an_image_never_runs),
        case!(a_target_that_is_none_is_a_configuration_error),
        // The original hands it on.
        case!(a_timeout_that_is_none_is_a_configuration_error).beyond("supplement 6.6"),
    ]
    .into_iter()
    .chain(refusals::cases("an_execution", rows(), is_refused))
}

/// Fails unless an execution with these changes is refused because of `field`, and never runs.
async fn refused(ctx: &Ctx, name: &str, more: Value, field: &str) -> CaseResult {
    let name = run(ctx, name, HELLO, more).await?;
    fails(ctx, &name, field).await
}

async fn fails(ctx: &Ctx, name: &str, field: &str) -> CaseResult {
    let failed = until_in(ctx, name, "Failed").await?;
    let details = &failed["status"]["failureDetails"];
    ensure_eq!(details["reason"], json!("ConfigurationError"));
    ensure_eq!(details["wasExecutionFailure"], json!(false));
    ensure!(text(details, "/message").contains(field), "it does not name {field}: {details}");
    ensure_eq!(condition(&failed, "TektonPipelineComplete"), Some(["False", "PipelineFailed"]));
    ensure!(run_of(ctx, name).await?.is_none(), "it has a run");
    Ok(())
}

async fn a_workflow_without_an_image_never_runs(ctx: Ctx) -> CaseResult {
    let reference = json!({"workflowId": "none", "version": "v1.0.0", "containerImage": ""});
    match run(&ctx, "imageless", HELLO, json!({"workflowRef": reference})).await {
        Ok(name) => fails(&ctx, &name, "containerImage").await,
        // A server of an old version takes an empty text for none.
        Err(error) => refusals::names(error, "workflowRef.containerImage"),
    }
}

async fn a_target_that_is_none_is_a_configuration_error(ctx: Ctx) -> CaseResult {
    let targets = [("one", "till"), ("four", "shop/deployment/till/1"), ("empty", "shop//till")];
    for (name, target) in targets {
        refused(&ctx, name, json!({"targetResource": target}), "targetResource").await?;
    }
    // What has not started has failed all the same.
    let failed = json!({"event_type": FAILED});
    ctx.audit().exactly(targets.len()).all_matching(failed).holds().await?;
    Ok(())
}

async fn a_timeout_that_is_none_is_a_configuration_error(ctx: Ctx) -> CaseResult {
    let config = json!({"executionConfig": {"timeout": "soon"}});
    refused(&ctx, "untimely", config, "timeout").await
}

fn rows() -> [Row; 4] {
    [
        row("that_is_more_than_sure", "confidence", json!(2)),
        row("on_no_target", "targetResource", Value::Null),
        row("of_a_workflow_without_an_image", "workflowRef.containerImage", Value::Null),
        row("with_a_parameter_that_is_no_text", "parameters.MESSAGE", json!({"text": "no text"})),
    ]
}

async fn is_refused(ctx: Ctx, row: Row) -> CaseResult {
    row.is_refused(&ctx, execution(&ctx, "wrong", HELLO, &json!({}))).await
}
