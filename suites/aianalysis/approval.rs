//! Who must approve what is proposed, and why: each reason of the policy, where only this one applies.

use kindwright::{Case, CaseResult, Ctx, Failure, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    analysis, complete, recovery,
    says::{answers, proposal},
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_second_recovery_in_staging_is_approved_by_itself,
        what_is_approved_by_itself_says_so,
        a_target_outside_the_owner_chain_is_a_reason,
        the_owner_chain_is_a_reason_before_detections_that_failed,
        a_stateful_workload_is_a_reason,
        warnings_are_a_reason_before_a_stateful_workload,
        production_is_a_reason_by_itself,
        a_person_is_told_how_sure_hapi_is,
    ]
}

/// What must be approved in production, where this was detected and HAPI says this besides; the reason, in small letters.
async fn reason(ctx: &Ctx, detected: &Value, said: Value) -> Result<String, Failure> {
    answers(ctx, [proposal(0.9, said)]).await?;
    let mut incident = analysis(ctx, "incident", "OOMKilled", "production");
    let mut labels = json!({
        "gitOpsManaged": false, "pdbProtected": false, "hpaEnabled": false, "stateful": false,
        "helmManaged": false, "networkIsolated": false,
    });
    for (name, value) in detected.as_object().into_iter().flatten() {
        labels[name] = value.clone();
    }
    incident["spec"]["analysisRequest"]["signalContext"]["enrichmentResults"] =
        json!({"detectedLabels": labels});
    let status = complete(ctx, incident).await?;
    ensure_eq!(status["approvalRequired"], json!(true));
    let reason = status["approvalReason"].as_str().unwrap_or_default();
    ensure_eq!(status["approvalContext"]["reason"], json!(reason));
    Ok(reason.to_lowercase())
}

async fn a_second_recovery_in_staging_is_approved_by_itself(ctx: Ctx) -> CaseResult {
    let second = recovery(&ctx, "second", "CrashLoopBackOff", "staging", 2);
    let status = complete(&ctx, second).await?;
    ensure_eq!(status["approvalRequired"], json!(false));
    ensure!(status["approvalContext"].is_null(), "somebody is asked: {status}");
    Ok(())
}

async fn what_is_approved_by_itself_says_so(ctx: Ctx) -> CaseResult {
    let status = complete(&ctx, analysis(&ctx, "staging", "OOMKilled", "staging")).await?;
    let reason = status["approvalReason"].as_str().unwrap_or_default().to_lowercase();
    ensure!(reason.contains("auto-approved"), "the reason is: {reason}");
    Ok(())
}

async fn a_target_outside_the_owner_chain_is_a_reason(ctx: Ctx) -> CaseResult {
    let outside = json!({"target_in_owner_chain": false, "warnings": ["so"]});
    let reason = reason(&ctx, &json!({"stateful": true}), outside).await?;
    ensure!(reason.contains("owner chain"), "the reason is: {reason}");
    Ok(())
}

async fn the_owner_chain_is_a_reason_before_detections_that_failed(ctx: Ctx) -> CaseResult {
    // Who says nothing of the chain is outside of it.
    let undetected = json!({"failedDetections": ["hpaEnabled"]});
    let reason = reason(&ctx, &undetected, json!({"target_in_owner_chain": null})).await?;
    ensure!(reason.contains("owner chain"), "the reason is: {reason}");
    Ok(())
}

async fn a_stateful_workload_is_a_reason(ctx: Ctx) -> CaseResult {
    let reason = reason(&ctx, &json!({"stateful": true}), json!({})).await?;
    ensure!(reason.contains("stateful"), "the reason is: {reason}");
    Ok(())
}

async fn warnings_are_a_reason_before_a_stateful_workload(ctx: Ctx) -> CaseResult {
    let reason = reason(&ctx, &json!({"stateful": true}), json!({"warnings": ["so"]})).await?;
    ensure!(reason.contains("warnings"), "the reason is: {reason}");
    Ok(())
}

async fn production_is_a_reason_by_itself(ctx: Ctx) -> CaseResult {
    let reason = reason(&ctx, &json!({}), json!({})).await?;
    let other = ["owner chain", "detections", "warnings", "stateful", "recovery"];
    let other = other.into_iter().find(|words| reason.contains(words));
    ensure!(reason.contains("production") && other.is_none(), "the reason is: {reason}");
    Ok(())
}

async fn a_person_is_told_how_sure_hapi_is(ctx: Ctx) -> CaseResult {
    let levels = [(0.8, "high"), (0.79, "medium"), (0.6, "medium"), (0.59, "low")];
    answers(&ctx, levels.map(|(confidence, _)| proposal(confidence, json!({})))).await?;
    for (number, (confidence, level)) in levels.into_iter().enumerate() {
        let name = format!("sure-{number}");
        let status = complete(&ctx, analysis(&ctx, &name, "OOMKilled", "production")).await?;
        let context = &status["approvalContext"];
        ensure_eq!(
            (&context["confidenceScore"], &context["confidenceLevel"]),
            (&json!(confidence), &json!(level))
        );
    }
    Ok(())
}
