//! Where an analysis goes by what HAPI answers (supplement 6.4).

use kindwright::{Case, CaseResult, Ctx, Failure, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    COMPLETED, CONTROLLER, MOVED, analysis, condition, make, recovery,
    says::{answers, nothing},
    until,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    // The original's definition refuses its reason, so that it never fails.
    let beyond = case!(a_recovery_that_hapi_thinks_impossible_fails).beyond("supplement 6.1");
    cases![
        a_problem_that_resolved_itself_needs_no_workflow,
        an_answer_without_a_workflow_that_is_not_sure_fails,
        a_recovery_that_a_person_must_look_at_fails_for_their_reason,
    ]
    .into_iter()
    .chain([beyond])
}

/// What becomes of an analysis that fails so when HAPI has answered, and is told so.
pub(super) async fn fails(
    ctx: &Ctx,
    analysis: Value,
    reason: &str,
    sub_reason: Option<&str>,
) -> Result<Value, Failure> {
    let name = make(ctx, analysis).await?;
    let mut failed = json!({"phase": "Failed", "reason": reason});
    if let Some(sub_reason) = sub_reason {
        failed["subReason"] = json!(sub_reason);
    }
    let status = until(ctx, &name, failed).await?;
    ensure!(status["completedAt"].is_string(), "it has no end: {status}");
    let unresolved = match sub_reason {
        Some("LowConfidence") => "LowConfidence",
        _ => "WorkflowResolutionFailed",
    };
    is_condition(&status, "WorkflowResolved", "False", unresolved)?;
    let completed = json!({"event_outcome": "failure", "event_data": {
        "phase": "Failed", "reason": reason, "sub_reason": sub_reason, "approval_required": false,
    }});
    let moved = json!({"event_data": {"old_phase": "Investigating", "new_phase": "Failed"}});
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds([MOVED, COMPLETED])
        .at_least(3)
        .matching(MOVED, moved)
        .matching(COMPLETED, completed)
        .holds()
        .await?;
    Ok(status)
}

/// Fails unless a status has a condition that is so, for this reason.
fn is_condition(status: &Value, kind: &str, is: &str, reason: &str) -> CaseResult {
    let condition = condition(status, kind);
    ensure_eq!(
        (kind, &condition["status"], &condition["reason"]),
        (kind, &json!(is), &json!(reason))
    );
    Ok(())
}

async fn a_problem_that_resolved_itself_needs_no_workflow(ctx: Ctx) -> CaseResult {
    // As sure as it must be, and no more.
    answers(&ctx, [nothing(0.7)]).await?;
    let name = make(&ctx, analysis(&ctx, "resolved", "OOMKilled", "production")).await?;
    let resolved = json!({
        "phase": "Completed", "reason": "WorkflowNotNeeded", "subReason": "ProblemResolved",
    });
    let status = until(&ctx, &name, resolved).await?;
    ensure_eq!(status["message"], json!("The pod runs again."));
    // Nothing is proposed that somebody could approve.
    ensure_eq!(status["approvalRequired"], json!(false));
    is_condition(&status, "WorkflowResolved", "True", "NoWorkflowNeeded")?;
    is_condition(&status, "AnalysisComplete", "True", "AnalysisSucceeded")?;
    let told = json!({
        "event_outcome": "success",
        "event_data": {"phase": "Completed", "reason": "WorkflowNotNeeded"},
    });
    let moved = json!({"event_data": {"old_phase": "Investigating", "new_phase": "Completed"}});
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds([MOVED, COMPLETED])
        .at_least(3)
        .matching(MOVED, moved)
        .matching(COMPLETED, told)
        .holds()
        .await?;
    Ok(())
}

async fn an_answer_without_a_workflow_that_is_not_sure_fails(ctx: Ctx) -> CaseResult {
    answers(&ctx, [nothing(0.69)]).await?;
    let unselected = analysis(&ctx, "unselected", "OOMKilled", "staging");
    let name = make(&ctx, unselected).await?;
    let failed = json!({"phase": "Failed", "reason": "NoWorkflowSelected"});
    let status = until(&ctx, &name, failed).await?;
    is_condition(&status, "WorkflowResolved", "False", "WorkflowResolutionFailed")?;
    is_condition(&status, "AnalysisComplete", "False", "AnalysisFailed")?;
    // It is seen only when a workflow is looked for.
    let moved = |from: &str, to: &str| json!({"event_data": {"old_phase": from, "new_phase": to}});
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds([MOVED, COMPLETED])
        .at_least(4)
        .matching(MOVED, moved("Investigating", "Analyzing"))
        .matching(MOVED, moved("Analyzing", "Failed"))
        .matching(COMPLETED, json!({"event_outcome": "failure"}))
        .holds()
        .await?;
    Ok(())
}

async fn a_recovery_that_hapi_thinks_impossible_fails(ctx: Ctx) -> CaseResult {
    let impossible = recovery(&ctx, "impossible", "MOCK_NOT_REPRODUCIBLE", "staging", 1);
    let reason = "RecoveryNotPossible";
    let status = fails(&ctx, impossible, reason, Some("NoRecoveryStrategy")).await?;
    ensure_eq!(status["recoveryStatus"]["stateChanged"], json!(true));
    Ok(())
}

async fn a_recovery_that_a_person_must_look_at_fails_for_their_reason(ctx: Ctx) -> CaseResult {
    let none = recovery(&ctx, "none", "MOCK_NO_WORKFLOW_FOUND", "staging", 1);
    fails(&ctx, none, "WorkflowResolutionFailed", Some("NoMatchingWorkflows")).await?;
    Ok(())
}
