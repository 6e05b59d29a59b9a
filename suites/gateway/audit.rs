//! The audit events of a signal (scenario 15).

use kindwright::{Case, CaseResult, Ctx, Row, cases, ensure, ensure_eq};
use serde_json::json;

use super::{SOON, alert, counted, created, make_namespace, text, until_seen};

pub(super) const RECEIVED: &str = "gateway.signal.received";
pub(super) const CREATED: &str = "gateway.crd.created";
const DEDUPLICATED: &str = "gateway.signal.deduplicated";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_new_signal_leaves_exactly_two_events,
        a_signal_that_comes_again_leaves_one_event_each_time,
    ]
}

async fn a_new_signal_leaves_exactly_two_events(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let answer = created(&ctx, &alert(&ctx, "Audited", "cart-0")).await?;
    let (namespace, print) = (ctx.objects().namespace(), text(&answer, "/fingerprint"));
    let name = text(&answer, "/remediationRequestName");
    let request = format!("{namespace}/{name}");
    let common = json!({
        "signal_type": "prometheus-alert",
        "alert_name": "Audited",
        "namespace": namespace,
        "severity": "critical",
        "resource_kind": "Pod",
        "resource_name": "cart-0",
        "remediation_request": request,
    });
    let (mut received, mut made) = (common.clone(), common);
    received["fingerprint"] = json!(print);
    received["deduplication_status"] = json!("new");
    made["signal_fingerprint"] = json!(print);
    ctx.audit_of(name)
        .within(SOON)
        .exactly(2)
        .in_order([RECEIVED, CREATED])
        .all_matching(json!({
            "event_category": "gateway",
            "event_version": "1.0",
            "event_outcome": "success",
            "correlation_id": name,
            "namespace": namespace,
        }))
        .matching(
            RECEIVED,
            json!({
                "event_action": "received",
                "actor_type": "external",
                "actor_id": "prometheus-alert",
                "resource_type": "Signal",
                "resource_id": print,
                "event_data": {"gateway": received},
            }),
        )
        .matching(
            CREATED,
            json!({
                "event_action": "created",
                "actor_type": "gateway",
                "actor_id": "crd-creator",
                "resource_type": "RemediationRequest",
                "resource_id": request,
                "event_data": {"gateway": made},
            }),
        )
        .holds()
        .await?;
    Ok(())
}

async fn a_signal_that_comes_again_leaves_one_event_each_time(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let alert = alert(&ctx, "AuditedAgain", "cart-0");
    let answer = created(&ctx, &alert).await?;
    until_seen(&ctx, &answer).await?;
    for _ in 0..3 {
        counted(&ctx, &alert).await?;
    }
    let (namespace, name) = (ctx.objects().namespace(), text(&answer, "/remediationRequestName"));
    let rows = ctx
        .audit_of(name)
        .kinds([DEDUPLICATED])
        .within(SOON)
        .exactly(3)
        .all_matching(json!({
            "event_category": "gateway",
            "event_action": "deduplicated",
            "event_outcome": "success",
            "actor_type": "external",
            "actor_id": "prometheus-alert",
            "resource_type": "Signal",
            "resource_id": answer["fingerprint"],
            "namespace": namespace,
            "event_data": {"gateway": {
                "signal_type": "prometheus-alert",
                "alert_name": "AuditedAgain",
                "namespace": namespace,
                "fingerprint": answer["fingerprint"],
                "remediation_request": format!("{namespace}/{name}"),
                "deduplication_status": "duplicate",
            }},
        }))
        .holds()
        .await?;
    let counts: Vec<_> = rows
        .iter()
        .map(|row| row.as_json()["event_data"]["gateway"]["occurrence_count"].clone())
        .collect();
    ensure_eq!(counts, [2, 3, 4]);
    let silent = |row: &Row| {
        let data = &row.as_json()["event_data"]["gateway"];
        ["severity", "resource_kind", "resource_name"].iter().all(|key| data.get(key).is_none())
    };
    ensure!(rows.iter().all(silent), "an event has more to say than it should: {rows:?}");
    Ok(())
}
