//! Every type of event that the platform's services send (scenario 09).

use kindwright::{Case, CaseResult, Ctx, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{event, list, members, store};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let types = TYPES.iter().map(|kind| {
        let name = format!("{}_is_found_by_its_id_and_by_what_is_inside", kind.name);
        Case::named(name, move |ctx| is_found(ctx, kind))
    });
    types.chain(cases![
        what_is_inside_an_event_can_be_asserted,
        there_is_an_index_of_what_is_inside_events
    ])
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
static TYPES: [Type; 27] = [
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

async fn is_found(ctx: Ctx, kind: &Type) -> CaseResult {
    let data: Value = serde_json::from_str(kind.data)?;
    let mut sent = event(&ctx, kind.category, kind.name, kind.action);
    sent["event_data"] = data.clone();
    let answer = store(&ctx, &sent).await?;

    let own = [("correlation_id", ctx.correlation_id()), ("event_type", kind.name)];
    let found = list(&ctx, &own).await?;
    let ids: Vec<_> = members(&found, "/data").iter().map(|event| &event["event_id"]).collect();
    ensure!(ids == [&answer["event_id"]], "{ids:?} were found, not {answer}");

    let database = ctx.default_database()?;
    for (key, value) in data.as_object().into_iter().flatten() {
        // As the operator says it: a text without its quotes.
        let words = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let asked = "SELECT event_category, event_action FROM audit_events \
             WHERE correlation_id = $1 AND event_type = $2 AND event_data->>$3::text = $4";
        let asked_for = [json!(ctx.correlation_id()), json!(kind.name), json!(key), json!(words)];
        let rows = database.query(asked, &asked_for).await?;
        let stored = json!({"event_category": kind.category, "event_action": kind.action});
        ensure_eq!(rows, [stored], "the rows with {words} as `{key}`");
    }
    Ok(())
}

async fn there_is_an_index_of_what_is_inside_events(ctx: Ctx) -> CaseResult {
    let asked = "SELECT indexdef FROM pg_indexes WHERE tablename = 'audit_events' \
         AND indexname = 'idx_audit_events_event_data_gin'";
    let rows = ctx.default_database()?.query(asked, &[]).await?;
    let definition = rows.first().and_then(|row| row["indexdef"].as_str()).unwrap_or_default();
    ensure!(definition.contains("USING gin (event_data"), "the indexes are {rows:?}");
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
