//! The course of a remediation through its children, until its end (BR-ORCH-025, 026, 037).

use kindwright::{Case, CaseResult, Ctx, case, ensure, ensure_eq};
use serde_json::json;

use super::{
    VERSION,
    play::{
        ANALYSIS, APPROVAL, EXECUTION, NOTIFICATION, PROCESSING, Play, WORKFLOW, to_be_approved,
    },
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(a_remediation_is_completed_when_its_children_are),
        case!(a_workflow_that_is_approved_runs),
        case!(a_workflow_that_is_rejected_does_not_run),
        case!(a_problem_that_has_resolved_itself_needs_no_workflow),
        case!(a_signal_that_cannot_be_processed_fails_its_remediation),
        case!(an_analysis_that_fails_fails_its_remediation),
        case!(a_remediation_without_a_workflow_is_reviewed_by_a_person),
        case!(a_workflow_that_fails_fails_its_remediation),
        // The original waits for an analysis that is gone until its time is up.
        case!(a_child_that_is_deleted_fails_its_remediation).beyond("contract S6.8"),
    ]
}

async fn a_remediation_is_completed_when_its_children_are(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    let signal = play.child(PROCESSING).await?;
    ensure_eq!(signal["spec"]["remediationRequestRef"]["name"], json!(play.name));
    ensure_eq!(signal["spec"]["signal"]["name"], json!("HighMemoryUsage"));
    ensure_eq!(signal["metadata"]["labels"]["kubernaut.ai/remediation-request"], json!(play.name));
    play.phase("Processing").await?;
    play.processed().await?;
    let analysis = play.child(ANALYSIS).await?;
    let request = &analysis["spec"]["analysisRequest"];
    ensure_eq!(analysis["spec"]["remediationId"], json!(play.uid));
    ensure_eq!(request["signalContext"]["environment"], json!("production"));
    ensure_eq!(request["signalContext"]["businessPriority"], json!("P0"));
    ensure_eq!(
        request["analysisTypes"],
        json!(["investigation", "root-cause", "workflow-selection"])
    );
    play.phase("Analyzing").await?;
    play.analysed(json!({})).await?;
    let execution = play.child(EXECUTION).await?;
    let target = format!("{}/Deployment/cart", play.objects().namespace());
    ensure_eq!(execution["spec"]["targetResource"], json!(target));
    ensure_eq!(execution["spec"]["workflowRef"]["workflowId"], json!(WORKFLOW));
    ensure_eq!(execution["spec"]["parameters"], json!({"REPLICAS": "3"}));
    play.phase("Executing").await?;
    play.executed().await?;
    let request = play.until(json!({"overallPhase": "Completed", "outcome": "Remediated"})).await?;
    let reference = &request["status"]["workflowExecutionRef"];
    ensure_eq!(reference["name"], json!(play.child_name(EXECUTION)));
    ensure!(request["status"]["completedAt"].is_string(), "it has no end: {request}");
    for (kind, reason) in [
        ("SignalProcessingReady", "SignalProcessingCreated"),
        ("SignalProcessingComplete", "SignalProcessingSucceeded"),
        ("AIAnalysisReady", "AIAnalysisCreated"),
        ("AIAnalysisComplete", "AIAnalysisSucceeded"),
        ("WorkflowExecutionReady", "WorkflowExecutionCreated"),
        ("WorkflowExecutionComplete", "WorkflowSucceeded"),
        ("RecoveryComplete", "RecoverySucceeded"),
    ] {
        play.condition(kind, ["True", reason]).await?;
    }
    Ok(())
}

async fn a_workflow_that_is_approved_runs(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.until(json!({"overallPhase": "AwaitingApproval", "approvalNotificationSent": true}))
        .await?;
    let question = play.child(APPROVAL).await?;
    let spec = &question["spec"];
    ensure_eq!(spec["aiAnalysisRef"]["name"], json!(play.child_name(ANALYSIS)));
    ensure_eq!(spec["recommendedWorkflow"]["workflowId"], json!(WORKFLOW));
    ensure_eq!(spec["confidenceLevel"], json!("high"));
    let name = format!("nr-approval-{}", play.name);
    let told = play.objects().get([VERSION, NOTIFICATION, &name]).await?.unwrap_or_default();
    ensure_eq!(
        [&told["spec"]["type"], &told["spec"]["priority"], &told["spec"]["channels"]],
        [&json!("approval"), &json!("critical"), &json!(["slack"])]
    );
    ensure!(play.look(EXECUTION).await?.is_null(), "its workflow runs already");
    let approved = json!({"decision": "Approved", "decidedBy": "ann", "decisionMessage": "go"});
    play.says(APPROVAL, approved).await?;
    play.phase("Executing").await?;
    play.executed().await?;
    play.until(json!({"overallPhase": "Completed", "outcome": "Remediated"})).await?;
    Ok(())
}

async fn a_workflow_that_is_rejected_does_not_run(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    let rejected = json!({
        "decision": "Rejected", "decidedBy": "ann", "decisionMessage": "not on a Friday",
    });
    play.says(APPROVAL, rejected).await?;
    play.until(json!({
        "overallPhase": "Failed", "failurePhase": "approval", "failureReason": "not on a Friday",
    }))
    .await?;
    ensure!(play.look(EXECUTION).await?.is_null(), "its workflow runs");
    Ok(())
}

async fn a_problem_that_has_resolved_itself_needs_no_workflow(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    let resolved = json!({
        "reason": "WorkflowNotNeeded", "subReason": "ProblemResolved", "message": "it is fine now",
        "selectedWorkflow": null,
    });
    play.analysed(resolved).await?;
    play.until(json!({
        "overallPhase": "Completed", "outcome": "NoActionRequired", "message": "it is fine now",
    }))
    .await?;
    ensure!(play.look(EXECUTION).await?.is_null(), "a workflow runs");
    Ok(())
}

async fn a_signal_that_cannot_be_processed_fails_its_remediation(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    let request = play.fails().await?;
    ensure_eq!(request["status"]["failurePhase"], json!("signal_processing"));
    let failed = ["False", "SignalProcessingFailed"];
    play.condition("SignalProcessingComplete", failed).await?;
    play.condition("RecoveryComplete", ["False", "RecoveryFailed"]).await?;
    ensure!(play.look(ANALYSIS).await?.is_null(), "it is analysed");
    Ok(())
}

async fn an_analysis_that_fails_fails_its_remediation(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.processed().await?;
    let failed = json!({
        "phase": "Failed", "approvalRequired": false, "reason": "APIError",
        "subReason": "PermanentError", "message": "the model is away",
    });
    play.says(ANALYSIS, failed).await?;
    let request =
        play.until(json!({"overallPhase": "Failed", "failurePhase": "ai_analysis"})).await?;
    let reason = request["status"]["failureReason"].as_str().unwrap_or_default();
    ensure!(reason.contains("the model is away"), "it failed because {reason}");
    play.condition("AIAnalysisComplete", ["False", "AIAnalysisFailed"]).await?;
    Ok(())
}

async fn a_remediation_without_a_workflow_is_reviewed_by_a_person(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.processed().await?;
    let failed = json!({
        "phase": "Failed", "approvalRequired": false, "reason": "WorkflowResolutionFailed",
        "subReason": "NoMatchingWorkflows", "message": "nothing fits",
    });
    play.says(ANALYSIS, failed).await?;
    play.until(json!({
        "overallPhase": "Failed", "failurePhase": "ai_analysis", "requiresManualReview": true,
        "outcome": "ManualReviewRequired",
    }))
    .await?;
    let name = format!("nr-manual-review-{}", play.name);
    let told = play.objects().get([VERSION, NOTIFICATION, &name]).await?.unwrap_or_default();
    ensure_eq!(told["spec"]["type"], json!("manual-review"));
    Ok(())
}

async fn a_workflow_that_fails_fails_its_remediation(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(json!({})).await?;
    play.says(EXECUTION, json!({"phase": "Failed", "failureReason": "TaskFailed"})).await?;
    play.until(json!({"overallPhase": "Failed", "failurePhase": "workflow_execution"})).await?;
    play.condition("WorkflowExecutionComplete", ["False", "WorkflowFailed"]).await?;
    Ok(())
}

async fn a_child_that_is_deleted_fails_its_remediation(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.processed().await?;
    play.phase("Analyzing").await?;
    play.objects().delete([VERSION, ANALYSIS.0, &play.child_name(ANALYSIS)]).await?;
    play.until(json!({"overallPhase": "Failed", "failurePhase": "ai_analysis"})).await?;
    Ok(())
}
