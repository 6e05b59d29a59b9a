//! Events of one remediation, by several services (scenario 01), batches, and notifications.

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{EVENTS, NOTIFICATIONS, SERVICE, event, list, members, store, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        the_events_of_one_remediation_are_found_together,
        what_a_client_leaves_out_is_filled_in,
        a_batch_is_stored_whole,
        a_batch_with_one_wrong_event_is_not_stored_at_all,
        a_notification_is_recorded_once,
    ]
    .into_iter()
    .chain([
        // The original never stores that date.
        case!(a_parent_is_stored_with_its_date).beyond("contract 4.2"),
        // The original lets the database refuse it.
        case!(a_notification_that_the_table_cannot_take_is_refused_field_by_field)
            .beyond("contract 3.4"),
    ])
}

/// Category, type and action of the events that one remediation leaves.
const REMEDIATION: [[&str; 3]; 5] = [
    ["gateway", "gateway.signal.received", "received"],
    ["analysis", "aianalysis.analysis.completed", "analysis_complete"],
    ["workflow", "workflow.completed", "completed"],
    ["orchestration", "orchestrator.lifecycle.completed", "completed"],
    ["analysis", "aianalysis.phase.transition", "phase_transition"],
];

async fn the_events_of_one_remediation_are_found_together(ctx: Ctx) -> CaseResult {
    for [category, event_type, action] in REMEDIATION {
        let answer = store(&ctx, &event(&ctx, category, event_type, action)).await?;
        let message = text(&answer, "/message");
        ensure!(message == "Audit event created successfully", "it says {message:?}");
        ensure!(!text(&answer, "/event_id").is_empty(), "it has no id: {answer:#}");
    }
    ctx.audit()
        .exactly(REMEDIATION.len())
        .in_order(REMEDIATION.map(|[_, event_type, _]| event_type))
        .all_matching(json!({"retention_days": 2555, "severity": "info", "event_version": "1.0"}))
        .holds()
        .await?;
    let found = list(&ctx, &[("correlation_id", ctx.correlation_id())]).await?;
    let times: Vec<_> =
        members(&found, "/data").iter().map(|event| text(event, "/event_timestamp")).collect();
    ensure!(times.len() == REMEDIATION.len(), "{} were found: {found:#}", times.len());
    ensure!(times.is_sorted_by(|a, b| a >= b), "the latest is not the first: {times:?}");
    Ok(())
}

async fn what_a_client_leaves_out_is_filled_in(ctx: Ctx) -> CaseResult {
    store(&ctx, &event(&ctx, "gateway", "gateway.signal.received", "received")).await?;
    ctx.audit()
        .exactly(1)
        .all_matching(json!({
            "actor_type": "service",
            "actor_id": "gateway-service",
            "resource_type": "gateway",
            "resource_id": ctx.correlation_id(),
        }))
        .holds()
        .await?;
    Ok(())
}

async fn a_parent_is_stored_with_its_date(ctx: Ctx) -> CaseResult {
    let parent = store(&ctx, &event(&ctx, "workflow", "workflow.started", "started")).await?;
    let mut child = event(&ctx, "workflow", "workflow.completed", "completed");
    child["parent_event_id"] = parent["event_id"].clone();
    store(&ctx, &child).await?;
    let rows = ctx.audit().kinds(["workflow.completed"]).exactly(1).holds().await?;
    let row = rows[0].as_json();
    ensure!(row["parent_event_id"] == parent["event_id"], "it has another parent: {row:#}");
    ensure!(row["parent_event_date"].is_string(), "its parent has no date: {row:#}");
    Ok(())
}

async fn a_batch_is_stored_whole(ctx: Ctx) -> CaseResult {
    let batch: Vec<_> = REMEDIATION
        .iter()
        .map(|[category, name, action]| event(&ctx, category, name, action))
        .collect();
    let answer = ctx.post(SERVICE, &format!("{EVENTS}/batch")).json(&batch).send().await?;
    let answer: Value = answer.expect(201)?.json()?;
    ensure!(members(&answer, "/event_ids").len() == batch.len(), "it answered {answer:#}");
    ctx.audit().exactly(batch.len()).holds().await?;
    Ok(())
}

async fn a_batch_with_one_wrong_event_is_not_stored_at_all(ctx: Ctx) -> CaseResult {
    let mut batch = vec![event(&ctx, "gateway", "gateway.signal.received", "received"); 3];
    batch[1]["event_category"] = json!("tea");
    let answer = ctx.post(SERVICE, &format!("{EVENTS}/batch")).json(&batch).send().await?;
    let problem: Value = answer.expect(400)?.json()?;
    let detail = text(&problem, "/detail");
    ensure!(detail.contains("event_category"), "the detail is {detail:?}");
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}

/// The record of a notification.
pub(super) fn notification(ctx: &Ctx) -> Value {
    json!({
        "remediation_id": ctx.correlation_id(),
        "notification_id": format!("notification-{}", ctx.correlation_id()),
        "recipient": "ops@example.com",
        "channel": "slack",
        "message_summary": "the pod was restarted",
        "status": "sent",
        "sent_at": super::time(time::OffsetDateTime::now_utc()),
    })
}

async fn a_notification_is_recorded_once(ctx: Ctx) -> CaseResult {
    let record = notification(&ctx);
    let post = || ctx.post(SERVICE, "/api/v1/audit/notifications").json(&record).send();
    let row: Value = post().await?.expect(201)?.json()?;
    for field in ["notification_id", "channel", "status", "recipient", "message_summary"] {
        ensure_eq!(row[field], record[field], "the row has another `{field}`");
    }
    post().await?.expect(409)?;
    ctx.rows(NOTIFICATIONS)?
        .matching("sent", json!({"channel": "slack", "escalation_level": 0}))
        .holds()
        .await?;
    let asked = "SELECT count(*) FROM notification_audit WHERE notification_id = $1";
    let id = record["notification_id"].clone();
    let counted = ctx.default_database()?.query(asked, &[id]).await?;
    ensure_eq!(counted, [json!({"count": 1})]);
    Ok(())
}

async fn a_notification_that_the_table_cannot_take_is_refused_field_by_field(
    ctx: Ctx,
) -> CaseResult {
    let mut record = notification(&ctx);
    record["channel"] = json!("webhook");
    record["sent_at"] = json!("yesterday");
    record["recipient"] = Value::Null;
    let answer = ctx.post(SERVICE, "/api/v1/audit/notifications").json(&record).send().await?;
    let problem: Value = answer.expect(400)?.json()?;
    for field in ["channel", "sent_at", "recipient"] {
        ensure!(problem["field_errors"][field].is_string(), "`{field}` is fine: {problem:#}");
    }
    Ok(())
}
