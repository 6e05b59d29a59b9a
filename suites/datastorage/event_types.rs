//! Every type of event that the platform's services send (scenario 09).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::{Value, json};

use super::{event, list, members, store};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        every_type_of_event_is_stored_and_found_by_its_id,
        what_is_inside_an_event_can_be_asserted
    ]
}

/// A type of event.
struct Type {
    category: &'static str,
    name: &'static str,
    action: &'static str,
    /// What is inside, as JSON.
    data: &'static str,
}

const fn of(
    category: &'static str,
    name: &'static str,
    action: &'static str,
    data: &'static str,
) -> Type {
    Type { category, name, action, data }
}

/// The types, with their categories, actions and keys (contract 6.9).
const TYPES: [Type; 27] = [
    of(
        "gateway",
        "gateway.signal.received",
        "received",
        r#"{"alert_name": "HighMemory", "signal_fingerprint": "aa11", "is_duplicate": false}"#,
    ),
    of(
        "gateway",
        "gateway.signal.deduplicated",
        "deduplicated",
        r#"{"duplicate_of": "aa11", "reason": "same_fingerprint"}"#,
    ),
    of(
        "gateway",
        "gateway.storm.detected",
        "storm_detected",
        r#"{"storm_id": "storm-1", "signal_count": 120}"#,
    ),
    of(
        "gateway",
        "gateway.crd.created",
        "crd_created",
        r#"{"crd_name": "remediation-1", "crd_kind": "RemediationRequest"}"#,
    ),
    of(
        "gateway",
        "gateway.signal.rejected",
        "rejected",
        r#"{"rejection_reason": "no_alert_name", "signal_source": "prometheus"}"#,
    ),
    of(
        "gateway",
        "gateway.error.occurred",
        "error_occurred",
        r#"{"error_type": "connection_refused", "retry_count": 2}"#,
    ),
    of(
        "signalprocessing",
        "signalprocessing.enrichment.started",
        "started",
        r#"{"signal_id": "signal-1", "enricher_type": "kubernetes"}"#,
    ),
    of(
        "signalprocessing",
        "signalprocessing.enrichment.completed",
        "completed",
        r#"{"signal_id": "signal-1", "duration_ms": 75}"#,
    ),
    of(
        "signalprocessing",
        "signalprocessing.categorization.completed",
        "completed",
        r#"{"signal_id": "signal-1", "category": "database"}"#,
    ),
    of(
        "signalprocessing",
        "signalprocessing.error.occurred",
        "error_occurred",
        r#"{"error_type": "no_namespace"}"#,
    ),
    of(
        "analysis",
        "analysis.investigation.started",
        "started",
        r#"{"analysis_id": "analysis-1", "llm_provider": "mock"}"#,
    ),
    of(
        "analysis",
        "analysis.investigation.completed",
        "completed",
        r#"{"analysis_id": "analysis-1", "confidence": 0.85}"#,
    ),
    of(
        "analysis",
        "analysis.recommendation.generated",
        "generated",
        r#"{"workflow_matched": "restart", "workflow_score": 0.75}"#,
    ),
    of(
        "analysis",
        "analysis.approval.required",
        "required",
        r#"{"approval_request_id": "approval-1", "risk_level": "medium"}"#,
    ),
    of("analysis", "analysis.error.occurred", "error_occurred", r#"{"error_type": "no_answer"}"#),
    of(
        "workflow",
        "workflow.catalog.search_completed",
        "search_completed",
        r#"{"top_match_id": "workflow-1", "results_count": 4}"#,
    ),
    of(
        "orchestration",
        "remediationorchestrator.request.created",
        "request_created",
        r#"{"remediation_request_id": "remediation-1", "workflow_id": "workflow-1"}"#,
    ),
    of(
        "orchestration",
        "remediationorchestrator.phase.transitioned",
        "phase_transitioned",
        r#"{"from_phase": "Pending", "to_phase": "Processing"}"#,
    ),
    of(
        "orchestration",
        "remediationorchestrator.approval.requested",
        "approval_requested",
        r#"{"approval_request_id": "approval-1", "requires_approval": true}"#,
    ),
    of(
        "orchestration",
        "remediationorchestrator.child.created",
        "child_created",
        r#"{"child_request_id": "child-1", "step_number": 1}"#,
    ),
    of(
        "orchestration",
        "remediationorchestrator.error.occurred",
        "error_occurred",
        r#"{"error_type": "timeout"}"#,
    ),
    of(
        "analysis",
        "effectivenessmonitor.evaluation.started",
        "started",
        r#"{"evaluation_id": "evaluation-1", "workflow_id": "workflow-1"}"#,
    ),
    of(
        "analysis",
        "effectivenessmonitor.evaluation.completed",
        "completed",
        r#"{"evaluation_id": "evaluation-1", "issue_resolved": true}"#,
    ),
    of(
        "analysis",
        "effectivenessmonitor.playbook.updated",
        "playbook_updated",
        r#"{"workflow_id": "workflow-1", "update_reason": "it_helped"}"#,
    ),
    of(
        "notification",
        "notification.sent",
        "sent",
        r#"{"notification_id": "notification-1", "channel": "slack"}"#,
    ),
    of(
        "notification",
        "notification.failed",
        "failed",
        r#"{"notification_id": "notification-2", "failure_reason": "no_such_channel"}"#,
    ),
    of(
        "notification",
        "notification.escalated",
        "escalated",
        r#"{"notification_id": "notification-2", "escalation_level": 3}"#,
    ),
];

impl Type {
    /// What is inside an event of it.
    fn data(&self) -> Value {
        serde_json::from_str(self.data).unwrap_or_default()
    }

    fn event(&self, ctx: &Ctx) -> Value {
        let mut event = event(ctx, self.category, self.name, self.action);
        event["event_data"] = self.data();
        event
    }
}

async fn every_type_of_event_is_stored_and_found_by_its_id(ctx: Ctx) -> CaseResult {
    for kind in &TYPES {
        let answer = store(&ctx, &kind.event(&ctx)).await?;
        let own = [("correlation_id", ctx.correlation_id()), ("event_type", kind.name)];
        let found = list(&ctx, &own).await?;
        let ids: Vec<_> = members(&found, "/data").iter().map(|event| &event["event_id"]).collect();
        ensure!(ids == [&answer["event_id"]], "{}: {ids:?}, not {answer}", kind.name);
    }
    let mut rows = ctx.audit().exactly(TYPES.len());
    for kind in &TYPES {
        let stored = json!({
            "event_category": kind.category,
            "event_action": kind.action,
            "event_data": kind.data(),
        });
        rows = rows.matching(kind.name, stored);
    }
    rows.holds().await?;
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
