//! What is no request, or no question: it is refused, and leaves nothing (contract 6.1).

use kindwright::{Case, CaseResult, Ctx, ensure_eq};
use serde_json::{Value, json};

use super::{
    STARTED, VERSION,
    play::{APPROVAL, PROCESSING, Play, REQUEST, now, request},
};
use crate::refusals::{self, Row, row};

/// What a question must say.
const SAID: [&str; 14] = [
    "remediationRequestRef",
    "aiAnalysisRef",
    "confidence",
    "confidenceLevel",
    "reason",
    "recommendedWorkflow",
    "recommendedWorkflow.workflowId",
    "recommendedWorkflow.version",
    "recommendedWorkflow.containerImage",
    "recommendedWorkflow.rationale",
    "investigationSummary",
    "recommendedActions",
    "whyApprovalRequired",
    "requiredBy",
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let mut cases = refusals::cases("a_request", requests(), no_request);
    cases.extend(refusals::cases("a_question", questions(), no_question));
    cases
}

fn requests() -> [Row; 11] {
    [
        row("without_a_fingerprint", "signalFingerprint", Value::Null),
        row("with_a_short_fingerprint", "signalFingerprint", json!("abc")),
        row("with_a_fingerprint_of_other_letters", "signalFingerprint", json!("G".repeat(64))),
        row("without_a_name", "signalName", Value::Null),
        row("with_too_long_a_name", "signalName", json!("x".repeat(254))),
        row("of_an_unknown_severity", "severity", json!("dreadful")),
        row("of_an_unknown_kind_of_target", "targetType", json!("moon")),
        row("without_a_target", "targetResource", Value::Null),
        row("about_a_target_without_a_name", "targetResource.name", Value::Null),
        row("from_a_source_with_too_long_a_name", "signalSource", json!("x".repeat(64))),
        row("that_was_received_at_no_time", "receivedTime", json!("yesterday")),
    ]
}

fn questions() -> impl Iterator<Item = Row> {
    let unsaid = SAID.map(|field| row(format!("without_{field}"), field, Value::Null));
    [
        row("that_is_less_than_unsure", "confidence", json!(-0.1)),
        row("that_is_more_than_sure", "confidence", json!(1.1)),
        row("of_an_unknown_confidence", "confidenceLevel", json!("boundless")),
        row("of_an_unknown_decision", "policyEvaluation.decision", json!("maybe")),
        row("that_is_due_at_no_time", "requiredBy", json!("tomorrow")),
    ]
    .into_iter()
    .chain(unsaid)
}

async fn no_request(ctx: Ctx, row: Row) -> CaseResult {
    row.is_refused(&ctx, request(&ctx, ctx.objects(), "wrong", &json!({}))).await?;
    // What comes later goes on, alone.
    let right = Play::begin(&ctx).await?;
    right.child(PROCESSING).await?;
    for kind in [REQUEST, PROCESSING.0] {
        ensure_eq!(ctx.objects().list([VERSION, kind]).await?.len(), 1);
    }
    let here = ctx.objects().namespace();
    ctx.audit().under("namespace", here).kinds([STARTED]).exactly(1).holds().await?;
    Ok(())
}

async fn no_question(ctx: Ctx, row: Row) -> CaseResult {
    row.is_refused(&ctx, question()).await
}

/// A question that is none of the orchestrator's.
fn question() -> Value {
    let workflow = json!({
        "workflowId": "scale-up", "version": "v1.0.0", "containerImage": "image",
        "rationale": "more of it is needed",
    });
    let spec = json!({
        "remediationRequestRef": {"name": "rr"}, "aiAnalysisRef": {"name": "ai-rr"},
        "confidence": 0.9, "confidenceLevel": "high", "reason": "it is production",
        "recommendedWorkflow": workflow, "investigationSummary": "it needs more memory",
        "recommendedActions": [], "whyApprovalRequired": "it is production", "requiredBy": now(),
        "policyEvaluation": {"policyName": "approval", "decision": "manual_review_required"},
    });
    json!({
        "apiVersion": VERSION, "kind": APPROVAL.0, "metadata": {"name": "wrong"}, "spec": spec,
    })
}
