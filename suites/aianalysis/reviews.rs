//! What HAPI leaves to a person, and why it says so (supplement 6.4).

use kindwright::{Case, CaseResult, Ctx, cases, ensure, ensure_eq};
use serde_json::json;

use super::{
    analysis,
    answers::fails,
    recovery,
    says::{answers, review},
};

/// Why a person must look, where HAPI's mock never says it, and what it is called then.
const REASONS: [(&str, &str); 5] = [
    ("workflow_not_found", "WorkflowNotFound"),
    ("image_mismatch", "ImageMismatch"),
    ("parameter_validation_failed", "ParameterValidationFailed"),
    ("investigation_inconclusive", "InvestigationInconclusive"),
    ("odd", "WorkflowNotFound"),
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let reasons = REASONS.map(|(reason, called)| {
        let name = format!("a_review_because_of_{reason}_is_called_{called}");
        Case::named(name, move |ctx| is_called(ctx, Some(reason), "so", called))
    });
    cases![
        without_a_matching_workflow_a_person_must_look,
        a_workflow_that_hapi_is_not_sure_of_is_kept_for_a_person,
        a_recovery_that_hapi_is_not_sure_of_is_kept_for_a_person,
        attempts_that_all_failed_are_kept_for_a_person,
        a_review_without_a_reason_is_understood_by_its_warnings,
    ]
    .into_iter()
    .chain(reasons)
}

/// A review for a reason, or with a warning instead, fails an analysis, and is called so.
async fn is_called(ctx: Ctx, reason: Option<&str>, warning: &str, called: &str) -> CaseResult {
    answers(&ctx, [review(reason, warning)]).await?;
    let reviewed = analysis(&ctx, "reviewed", "OOMKilled", "staging");
    let status = fails(&ctx, reviewed, "WorkflowResolutionFailed", Some(called)).await?;
    ensure_eq!(status["warnings"], json!([warning]));
    Ok(())
}

async fn without_a_matching_workflow_a_person_must_look(ctx: Ctx) -> CaseResult {
    let none = analysis(&ctx, "none", "MOCK_NO_WORKFLOW_FOUND", "staging");
    let status = fails(&ctx, none, "WorkflowResolutionFailed", Some("NoMatchingWorkflows")).await?;
    ensure!(status["selectedWorkflow"].is_null(), "there is a workflow: {status}");
    ensure!(status["warnings"].is_array(), "nobody is warned: {status}");
    Ok(())
}

async fn a_workflow_that_hapi_is_not_sure_of_is_kept_for_a_person(ctx: Ctx) -> CaseResult {
    let unsure = analysis(&ctx, "unsure", "MOCK_LOW_CONFIDENCE", "staging");
    let status = fails(&ctx, unsure, "WorkflowResolutionFailed", Some("LowConfidence")).await?;
    let workflow = &status["selectedWorkflow"];
    ensure_eq!(workflow["workflowId"], json!("mock-low-confidence-workflow-v1"));
    ensure_eq!(workflow["confidence"], json!(0.45));
    ensure!(status["rootCauseAnalysis"].is_object(), "there is no cause: {status}");
    Ok(())
}

async fn a_recovery_that_hapi_is_not_sure_of_is_kept_for_a_person(ctx: Ctx) -> CaseResult {
    let unsure = recovery(&ctx, "unsure", "MOCK_LOW_CONFIDENCE", "staging", 1);
    let status = fails(&ctx, unsure, "WorkflowResolutionFailed", Some("LowConfidence")).await?;
    let workflow = &status["selectedWorkflow"];
    ensure_eq!(workflow["workflowId"], json!("mock-low-confidence-recovery-v1"));
    ensure_eq!(workflow["confidence"], json!(0.35));
    Ok(())
}

async fn attempts_that_all_failed_are_kept_for_a_person(ctx: Ctx) -> CaseResult {
    let exhausted = analysis(&ctx, "exhausted", "MOCK_MAX_RETRIES_EXHAUSTED", "staging");
    let status =
        fails(&ctx, exhausted, "WorkflowResolutionFailed", Some("LLMParsingError")).await?;
    let attempts = status["validationAttemptsHistory"].as_array().cloned().unwrap_or_default();
    ensure_eq!(attempts.len(), 3);
    for (attempt, number) in attempts.iter().zip(1..) {
        ensure_eq!((&attempt["attempt"], &attempt["isValid"]), (&json!(number), &json!(false)));
        ensure!(attempt["timestamp"].is_string(), "it has no time: {attempt}");
    }
    let message = status["message"].as_str().unwrap_or_default().to_lowercase();
    ensure!(message.contains("attempt 2"), "it says: {message}");
    Ok(())
}

async fn a_review_without_a_reason_is_understood_by_its_warnings(ctx: Ctx) -> CaseResult {
    is_called(ctx, None, "The confidence is below the threshold", "LowConfidence").await
}
