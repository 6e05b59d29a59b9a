//! What cannot be run, and who says so: the controller, or the server before it.

use kindwright::{Case, CaseResult, Ctx, Failure, ObjectsError, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{FAILED, HELLO, condition, execution, run, run_of, text, until_in};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_workflow_without_an_image_never_runs,
        a_target_that_is_none_is_a_configuration_error,
        what_the_definition_does_not_allow_is_refused_by_the_server,
    ]
    .into_iter()
    .chain([
        // The original hands it on.
        case!(a_timeout_that_is_none_is_a_configuration_error).beyond("supplement 6.6"),
    ])
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
        Err(error) => names(error, "containerImage"),
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

async fn what_the_definition_does_not_allow_is_refused_by_the_server(ctx: Ctx) -> CaseResult {
    ctx.objects().make_namespace().await?;
    for (pointer, value) in [
        ("/spec/confidence", json!(2)),
        ("/spec/targetResource", Value::Null),
        ("/spec/workflowRef/containerImage", Value::Null),
        ("/spec/parameters/MESSAGE", json!({"text": "no text"})),
    ] {
        let mut wrong = execution(&ctx, "wrong", HELLO, &json!({}));
        if let Some(field) = wrong.pointer_mut(pointer) {
            *field = value;
        }
        match ctx.objects().create(wrong).await {
            Ok(made) => return Err(Failure::new(format_args!("{pointer} is taken: {made}"))),
            Err(error) => names(error, &pointer[1..].replace('/', "."))?,
        }
    }
    Ok(())
}

/// Fails unless the server refuses because of a field.
fn names(error: ObjectsError, field: &str) -> CaseResult {
    let words = Failure::from(error).to_string();
    ensure!(words.contains("is invalid") && words.contains(field), "{field}: {words}");
    Ok(())
}
