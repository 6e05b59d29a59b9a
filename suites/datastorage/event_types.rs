//! Every type of event that the platform's services send (scenario 09).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::json;

use super::{event, list, members, store};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        every_type_of_event_is_stored_and_found_by_its_id,
        what_is_inside_an_event_can_be_asserted
    ]
}

/// Category, type and action (contract 6.2). The effectiveness monitor, which has no category of
/// its own, sends as `execution`.
const TYPES: [[&str; 3]; 27] = [
    ["gateway", "gateway.signal.received", "received"],
    ["gateway", "gateway.signal.deduplicated", "deduplicated"],
    ["gateway", "gateway.storm.detected", "detected"],
    ["gateway", "gateway.crd.created", "created"],
    ["gateway", "gateway.crd.creation_failed", "creation_failed"],
    ["gateway", "gateway.signal.rejected", "rejected"],
    ["signalprocessing", "signalprocessing.signal.processed", "processed"],
    ["signalprocessing", "signalprocessing.phase.transition", "phase_transition"],
    ["signalprocessing", "signalprocessing.classification.decision", "classification"],
    ["signalprocessing", "signalprocessing.enrichment.completed", "enrichment"],
    ["analysis", "aianalysis.analysis.completed", "analysis_complete"],
    ["analysis", "aianalysis.phase.transition", "phase_transition"],
    ["analysis", "aianalysis.holmesgpt.call", "holmesgpt_call"],
    ["analysis", "aianalysis.approval.decision", "approval_decision"],
    ["analysis", "aianalysis.rego.evaluation", "policy_evaluation"],
    ["workflow", "workflow.completed", "completed"],
    ["orchestration", "orchestrator.lifecycle.started", "started"],
    ["orchestration", "orchestrator.phase.transitioned", "transitioned"],
    ["orchestration", "orchestrator.lifecycle.completed", "completed"],
    ["orchestration", "orchestrator.approval.requested", "requested"],
    ["orchestration", "orchestrator.routing.blocked", "blocked"],
    ["execution", "effectivenessmonitor.assessment.started", "started"],
    ["execution", "effectivenessmonitor.assessment.completed", "completed"],
    ["execution", "effectivenessmonitor.assessment.failed", "failed"],
    ["notification", "notification.message.sent", "sent"],
    ["notification", "notification.message.failed", "sent"],
    ["notification", "notification.message.acknowledged", "acknowledged"],
];

async fn every_type_of_event_is_stored_and_found_by_its_id(ctx: Ctx) -> CaseResult {
    for [category, event_type, action] in TYPES {
        let answer = store(&ctx, &event(&ctx, category, event_type, action)).await?;
        let own = [("correlation_id", ctx.correlation_id()), ("event_type", event_type)];
        let found = list(&ctx, &own).await?;
        let ids: Vec<_> = members(&found, "/data").iter().map(|event| &event["event_id"]).collect();
        ensure!(ids == [&answer["event_id"]], "{event_type}: {ids:?}, not {answer}");
    }
    let rows = ctx.audit().exactly(TYPES.len()).holds().await?;
    for [category, event_type, action] in TYPES {
        let found = rows.iter().find(|row| row.kind() == event_type);
        let row = found.map(kindwright::Row::as_json).cloned().unwrap_or_default();
        let same = row["event_category"] == category && row["event_action"] == action;
        ensure!(same, "{event_type} was stored as {row:#}");
    }
    Ok(())
}

async fn what_is_inside_an_event_can_be_asserted(ctx: Ctx) -> CaseResult {
    for fingerprint in ["aa", "bb", "aa"] {
        let mut event = event(&ctx, "gateway", "gateway.signal.received", "received");
        event["event_data"] = json!({"gateway": {"fingerprint": fingerprint, "occurrences": 3}});
        store(&ctx, &event).await?;
    }
    let rows = ctx
        .audit()
        .exactly(3)
        .all_matching(json!({"event_data": {"gateway": {"occurrences": 3}}}))
        .holds()
        .await?;
    let twice =
        rows.iter().filter(|row| row.get("event_data.gateway.fingerprint") == Some(&json!("aa")));
    ensure!(twice.count() == 2, "the fingerprints are not those that were sent");
    Ok(())
}
