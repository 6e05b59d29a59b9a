//! An incident from its beginning to its end, and who must approve what is proposed (scenario 03).

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    CONTROLLER, KIND, MOVED, VERSION, analysis, complete, condition, make, recovery, until,
};
use crate::expect::event_told;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        an_incident_goes_through_its_four_phases,
        what_is_proposed_for_production_must_be_approved,
        what_is_proposed_for_staging_is_approved_by_itself,
        a_third_recovery_must_be_approved_anywhere,
        detections_that_failed_in_production_must_be_looked_at,
        an_analysis_says_what_it_found,
        an_event_says_that_an_analysis_is_there,
        an_analysis_that_is_deleted_goes,
    ]
    .into_iter()
    // HAPI's mock writes `containerImage`, where the original reads `container_image`.
    .chain([case!(the_image_of_a_workflow_is_read).beyond("supplement 6.4")])
}

/// An incident in production, with all that is known of its target.
fn incident(ctx: &Ctx) -> Value {
    let mut incident = analysis(ctx, "incident", "CrashLoopBackOff", "production");
    let signal = &mut incident["spec"]["analysisRequest"]["signalContext"];
    signal["businessPriority"] = json!("P1");
    signal["targetResource"] =
        json!({"kind": "Deployment", "name": "payment-service", "namespace": "payments"});
    signal["enrichmentResults"] = json!({
        "detectedLabels": {
            "gitOpsManaged": true, "gitOpsTool": "argocd", "pdbProtected": true, "hpaEnabled": true,
            "stateful": false, "helmManaged": false, "networkIsolated": true, "serviceMesh": "istio",
        },
        "ownerChain": [{"namespace": "payments", "kind": "Deployment", "name": "payment-service"}],
        "customLabels": {"team": ["payments"], "cost_center": ["revenue"]},
    });
    incident
}

/// An incident of whose target something could not be detected.
pub(super) fn undetected(ctx: &Ctx, name: &str, environment: &str) -> Value {
    let mut undetected = analysis(ctx, name, "CrashLoopBackOff", environment);
    undetected["spec"]["analysisRequest"]["signalContext"]["enrichmentResults"] = json!({
        "detectedLabels": {
            "gitOpsManaged": false, "pdbProtected": false, "hpaEnabled": false, "stateful": false,
            "helmManaged": false, "networkIsolated": false, "failedDetections": ["gitOpsManaged"],
        },
    });
    undetected
}

/// Fails unless somebody must approve, for a reason with these words.
fn must_be_approved(status: &Value, words: &str) -> CaseResult {
    ensure_eq!(status["approvalRequired"], json!(true));
    let reason = status["approvalReason"].as_str().unwrap_or_default().to_lowercase();
    ensure!(reason.contains(words), "the reason is: {reason}");
    Ok(())
}

async fn an_incident_goes_through_its_four_phases(ctx: Ctx) -> CaseResult {
    let status = complete(&ctx, incident(&ctx)).await?;
    ensure_eq!(status["approvalRequired"], json!(true));
    ensure_eq!(status["selectedWorkflow"]["workflowId"], json!("mock-crashloop-config-fix-v1"));
    ensure_eq!(status["targetInOwnerChain"], json!(true));
    for time in ["startedAt", "completedAt"] {
        ensure!(status[time].is_string(), "there is no {time}: {status}");
    }
    let moved = |from: &str, to: &str| json!({"event_data": {"old_phase": from, "new_phase": to}});
    ctx.audit()
        .emitter(CONTROLLER)
        .at_least(3)
        .matching(MOVED, moved("Pending", "Investigating"))
        .matching(MOVED, moved("Investigating", "Analyzing"))
        .matching(MOVED, moved("Analyzing", "Completed"))
        .holds()
        .await?;
    Ok(())
}

async fn what_is_proposed_for_production_must_be_approved(ctx: Ctx) -> CaseResult {
    let status = complete(&ctx, incident(&ctx)).await?;
    // HAPI's mock always warns.
    must_be_approved(&status, "warnings")?;
    let context = &status["approvalContext"];
    ensure_eq!(context["confidenceScore"], json!(0.88));
    ensure_eq!(context["confidenceLevel"], json!("high"));
    let evaluation =
        json!({"policyName": "aianalysis.approval", "decision": "manual_review_required"});
    ensure_eq!(context["policyEvaluation"], evaluation);
    let action = &context["recommendedActions"][0]["action"];
    ensure_eq!(action, "mock-crashloop-config-fix-v1");
    let considered = &context["alternativesConsidered"][0]["approach"];
    ensure_eq!(considered, "mock-alternative-workflow-v1");
    for text in ["reason", "whyApprovalRequired", "investigationSummary"] {
        ensure!(context[text].as_str().is_some_and(|it| !it.is_empty()), "no {text}: {context}");
    }
    let required = condition(&status, "ApprovalRequired");
    ensure_eq!(
        (&required["status"], &required["reason"]),
        (&json!("True"), &json!("PolicyRequiresApproval"))
    );
    Ok(())
}

async fn what_is_proposed_for_staging_is_approved_by_itself(ctx: Ctx) -> CaseResult {
    let status = complete(&ctx, analysis(&ctx, "staging", "OOMKilled", "staging")).await?;
    ensure_eq!(status["approvalRequired"], json!(false));
    ensure!(status["approvalContext"].is_null(), "somebody is asked: {status}");
    let required = condition(&status, "ApprovalRequired");
    ensure_eq!(
        (&required["status"], &required["reason"]),
        (&json!("False"), &json!("AutoApproved"))
    );
    Ok(())
}

async fn a_third_recovery_must_be_approved_anywhere(ctx: Ctx) -> CaseResult {
    let third = recovery(&ctx, "third", "CrashLoopBackOff", "staging", 3);
    let status = complete(&ctx, third).await?;
    must_be_approved(&status, "recovery attempts")
}

async fn detections_that_failed_in_production_must_be_looked_at(ctx: Ctx) -> CaseResult {
    let status = complete(&ctx, undetected(&ctx, "undetected", "production")).await?;
    must_be_approved(&status, "failed detections")
}

async fn an_analysis_says_what_it_found(ctx: Ctx) -> CaseResult {
    let found = analysis(&ctx, "found", "OOMKilled", "staging");
    let name = found["metadata"]["name"].clone();
    let status = complete(&ctx, found).await?;
    ensure_eq!(status["investigationId"], name);
    let cause = &status["rootCauseAnalysis"];
    ensure_eq!(
        (&cause["severity"], &cause["signalType"]),
        (&json!("critical"), &json!("OOMKilled"))
    );
    ensure_eq!(status["rootCause"], cause["summary"]);
    let workflow = &status["selectedWorkflow"];
    ensure_eq!(workflow["confidence"], json!(0.92));
    ensure_eq!(
        workflow["parameters"],
        json!({"NAMESPACE": "shop", "MEMORY_LIMIT": "1Gi", "RESTART_POLICY": "Always"})
    );
    ensure_eq!(
        status["alternativeWorkflows"][0]["workflowId"],
        json!("mock-alternative-workflow-v1")
    );
    ensure_eq!(status["warnings"].as_array().map(Vec::len), Some(2));
    ensure_eq!(status["degradedMode"], json!(false));
    Ok(())
}

async fn the_image_of_a_workflow_is_read(ctx: Ctx) -> CaseResult {
    let status = complete(&ctx, analysis(&ctx, "image", "OOMKilled", "staging")).await?;
    let image = &status["selectedWorkflow"]["containerImage"];
    ensure_eq!(image, "kubernaut/mock-workflow-oomkill-increase-memory-v1:v1.0.0");
    Ok(())
}

async fn an_event_says_that_an_analysis_is_there(ctx: Ctx) -> CaseResult {
    let name = make(&ctx, analysis(&ctx, "there", "OOMKilled", "staging")).await?;
    event_told(&ctx, [VERSION, KIND, &name], "AIAnalysisCreated").await?;
    Ok(())
}

async fn an_analysis_that_is_deleted_goes(ctx: Ctx) -> CaseResult {
    let name = make(&ctx, analysis(&ctx, "deleted", "OOMKilled", "staging")).await?;
    until(&ctx, &name, json!({"phase": "Completed"})).await?;
    let object = ctx.objects().get([VERSION, KIND, &name]).await?.unwrap_or_default();
    ensure_eq!(object["metadata"]["finalizers"], json!(["kubernaut.ai/finalizer"]));
    ctx.objects().delete([VERSION, KIND, &name]).await?;
    Ok(())
}
