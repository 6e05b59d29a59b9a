//! What HAPI may say where a case needs what its mock never says.

use kindwright::{Ctx, HttpError};
use serde_json::{Value, json};

use super::fail;

/// Lets HAPI answer the requests of the case with these, one after the other, and nothing that its model would say.
pub(super) async fn answers(
    ctx: &Ctx,
    answers: impl IntoIterator<Item = Value>,
) -> Result<(), HttpError> {
    let answer = |answer| {
        let mut body = json!({"incident_id": ctx.correlation_id(), "warnings": []});
        extend(&mut body, answer);
        json!({"mode": "answer", "status": 200, "body": body, "times": 1})
    };
    fail(ctx, answers.into_iter().map(answer).collect()).await
}

/// An answer that proposes nothing, as sure as this.
pub(super) fn nothing(confidence: f64) -> Value {
    json!({
        "analysis": "The pod runs again.", "confidence": confidence, "selected_workflow": null,
        "root_cause_analysis": {"summary": "A node was away", "severity": "low", "contributing_factors": []},
        "needs_human_review": false, "alternative_workflows": [], "validation_attempts_history": [],
        "target_in_owner_chain": true, "timestamp": "2026-01-01T00:00:00Z",
    })
}

/// An answer that proposes a workflow, as sure as this, without a warning, and says this besides.
pub(super) fn proposal(confidence: f64, more: Value) -> Value {
    let mut proposal = nothing(confidence);
    proposal["selected_workflow"] = workflow(confidence);
    extend(&mut proposal, more);
    proposal
}

/// An answer that proposes a workflow to recover, and says nothing of what was tried before.
pub(super) fn recovery(confidence: f64) -> Value {
    json!({
        "can_recover": true, "analysis_confidence": confidence, "metadata": {}, "strategies": [],
        "primary_recommendation": null, "selected_workflow": workflow(confidence),
        "needs_human_review": false,
    })
}

fn workflow(confidence: f64) -> Value {
    json!({
        "workflow_id": "restart-v1", "title": "Restart", "version": "1.0.0", "confidence": confidence,
        "container_image": "quay.io/kubernaut/restart:v1.0.0", "rationale": "It helped before",
        "parameters": {"NAMESPACE": "shop"},
    })
}

/// An answer that wants a person to look, for this reason if there is one.
pub(super) fn review(reason: Option<&str>, warning: &str) -> Value {
    let mut review = nothing(0.3);
    review["needs_human_review"] = json!(true);
    review["human_review_reason"] = json!(reason);
    review["warnings"] = json!([warning]);
    review
}

fn extend(answer: &mut Value, more: Value) {
    if let (Some(answer), Value::Object(more)) = (answer.as_object_mut(), more) {
        answer.extend(more);
    }
}
