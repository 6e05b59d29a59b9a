//! What to do after something was tried and failed (scenario 04).

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{CALLED, CONTROLLER, PROXY, complete, condition, questions::says, recovery};
use crate::faults;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_recovery_is_analyzed,
        hapi_is_told_what_was_tried_last,
        a_recovery_asks_where_recoveries_are_asked,
        a_third_recovery_with_its_history_must_be_approved,
        the_conditions_of_a_recovery_say_how_far_it_came,
    ]
    .into_iter()
    // HAPI's mock says it within the assessment, where the original does not look.
    .chain([case!(what_has_become_of_the_state_is_read).beyond("supplement 6.4")])
}

/// What was tried, and failed.
fn tried(reference: &str, step: &str) -> Value {
    json!({
        "workflowExecutionRef": reference,
        "originalRCA": {
            "summary": "Memory limit exceeded", "signalType": "OOMKilled", "severity": "critical",
        },
        "selectedWorkflow": {
            "workflowId": format!("workflow-of-{reference}"), "version": "1.0.0",
            "containerImage": "quay.io/kubernaut/workflow:v1.0.0", "rationale": "More memory",
            "parameters": {"MEMORY_LIMIT": "1Gi"},
        },
        "failure": {
            "failedStepIndex": 2, "failedStepName": step, "reason": "Forbidden",
            "message": "RBAC denied: cannot patch deployments", "exitCode": 1,
            "failedAt": "2026-01-01T00:00:00Z", "executionTime": "45s",
        },
    })
}

async fn a_recovery_is_analyzed(ctx: Ctx) -> CaseResult {
    let first = recovery(&ctx, "first", "OOMKilled", "staging", 1);
    let name = first["metadata"]["name"].clone();
    let status = complete(&ctx, first).await?;
    let workflow = &status["selectedWorkflow"]["workflowId"];
    ensure_eq!(workflow, "mock-oomkill-increase-memory-v1-recovery");
    ensure_eq!(status["investigationId"], name);
    let assessment = &status["recoveryStatus"]["previousAttemptAssessment"];
    ensure_eq!(assessment["failureUnderstood"], json!(true));
    let analysis = assessment["failureReasonAnalysis"].as_str().unwrap_or_default();
    ensure!(!analysis.is_empty(), "nobody knows why it failed: {status}");
    Ok(())
}

async fn hapi_is_told_what_was_tried_last(ctx: Ctx) -> CaseResult {
    let mut second = recovery(&ctx, "second", "OOMKilled", "staging", 2);
    second["spec"]["previousExecutions"] = json!([tried("first", "a"), tried("last", "b")]);
    let status = complete(&ctx, second).await?;
    let parameters = &status["selectedWorkflow"]["parameters"];
    ensure_eq!(parameters["PREVIOUS_WORKFLOW"], json!("workflow-of-last"));
    ensure!(status["completedAt"].is_string(), "it has no end: {status}");
    let asked = faults::exchanges(&ctx, PROXY).await?;
    let request = asked.last().map(|exchange| exchange["body"].clone()).unwrap_or_default();
    let name = ctx.objects().own_name("second");
    let expected = json!({
        "incident_id": name, "remediation_id": ctx.correlation_id(),
        "is_recovery_attempt": true, "recovery_attempt_number": 2,
        "signal_type": "OOMKilled", "severity": "warning", "environment": "staging", "priority": "P2",
    });
    says(&request, &expected)?;
    let previous = &request["previous_execution"];
    ensure_eq!(previous["workflow_execution_ref"], json!("last"));
    let cause = json!({
        "summary": "Memory limit exceeded", "signal_type": "OOMKilled", "severity": "critical",
    });
    says(&previous["original_rca"], &cause)?;
    let workflow = json!({
        "workflow_id": "workflow-of-last", "version": "1.0.0", "rationale": "More memory",
        "container_image": "quay.io/kubernaut/workflow:v1.0.0", "parameters": {"MEMORY_LIMIT": "1Gi"},
    });
    says(&previous["selected_workflow"], &workflow)?;
    let failure = json!({
        "failed_step_index": 2, "failed_step_name": "b", "reason": "Forbidden", "exit_code": 1,
        "message": "RBAC denied: cannot patch deployments", "execution_time": "45s",
    });
    says(&previous["failure"], &failure)
}

async fn a_recovery_asks_where_recoveries_are_asked(ctx: Ctx) -> CaseResult {
    let routed = recovery(&ctx, "routed", "CrashLoopBackOff", "development", 1);
    let status = complete(&ctx, routed).await?;
    ensure!(status["investigationId"].is_string(), "HAPI was not asked: {status}");
    // The name that is audited is not the one that is called.
    let called = json!({"event_data": {"endpoint": "/api/v1/recovery/investigate"}});
    ctx.audit().emitter(CONTROLLER).kinds([CALLED]).all_matching(called).holds().await?;
    // Of a recovery HAPI tells no validation.
    ctx.audit().kinds(["llm_request"]).at_least(1).holds().await?;
    ctx.audit().kinds(["workflow_validation_attempt"]).exactly(0).holds().await?;
    Ok(())
}

async fn a_third_recovery_with_its_history_must_be_approved(ctx: Ctx) -> CaseResult {
    let mut third = recovery(&ctx, "third", "OOMKilled", "staging", 3);
    third["spec"]["previousExecutions"] = json!([tried("first", "a"), tried("second", "b")]);
    let status = complete(&ctx, third).await?;
    ensure_eq!(status["approvalRequired"], json!(true));
    let reason = status["approvalContext"]["reason"].as_str().unwrap_or_default();
    ensure!(reason.to_lowercase().contains("recovery"), "the reason is: {reason}");
    Ok(())
}

async fn the_conditions_of_a_recovery_say_how_far_it_came(ctx: Ctx) -> CaseResult {
    let status = complete(&ctx, recovery(&ctx, "first", "CrashLoopBackOff", "staging", 1)).await?;
    for (kind, reason) in [
        ("InvestigationComplete", "InvestigationSucceeded"),
        ("WorkflowResolved", "WorkflowSelected"),
        ("AnalysisComplete", "AnalysisSucceeded"),
    ] {
        let condition = condition(&status, kind);
        ensure_eq!(
            (kind, &condition["status"], &condition["reason"]),
            (kind, &json!("True"), &json!(reason))
        );
    }
    Ok(())
}

async fn what_has_become_of_the_state_is_read(ctx: Ctx) -> CaseResult {
    let status = complete(&ctx, recovery(&ctx, "state", "OOMKilled", "staging", 1)).await?;
    let recovery = &status["recoveryStatus"];
    ensure_eq!(recovery["currentSignalType"], json!("OOMKilled"));
    ensure_eq!(recovery["stateChanged"], json!(false));
    Ok(())
}
