//! What the controller tells of notifications (scenarios 01, 02 and 04).

use futures_util::future::try_join_all;
use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::{Value, json};

use super::{
    ACKNOWLEDGED, CONTROLLER, ESCALATED, FAILED, KIND, SENT, impatient, object, send, until,
};
use crate::expect::each_told_once;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_notification_that_is_sent_is_audited_and_acknowledged,
        notifications_of_one_remediation_are_audited_under_one_id,
        a_notification_of_no_remediation_is_audited_under_its_own_id,
        a_delivery_that_fails_is_audited_with_its_error,
        a_notification_that_is_partly_delivered_is_audited_for_each_channel,
        a_notification_that_fails_for_ever_is_escalated,
    ]
}

/// What every event about a notification says.
fn envelope(name: &str, namespace: &str) -> Value {
    json!({
        "event_category": "notification",
        "event_version": "1.0",
        "actor_type": "service",
        "actor_id": CONTROLLER,
        "resource_type": KIND,
        "resource_id": name,
        "namespace": namespace,
        "event_data": {"notification_id": name},
    })
}

async fn a_notification_that_is_sent_is_audited_and_acknowledged(ctx: Ctx) -> CaseResult {
    let name = send(&ctx, "lifecycle", json!({"type": "escalation", "priority": "high"})).await?;
    let sent = until(&ctx, &name, json!({"phase": "Sent"})).await?;
    let spec = &sent["spec"];
    ctx.audit()
        .exactly(2)
        .in_order([SENT, ACKNOWLEDGED])
        .all_matching(envelope(&name, ctx.objects().namespace()))
        .all_matching(json!({
            "event_outcome": "success",
            "event_data": {
                "subject": spec["subject"], "priority": "high", "metadata": spec["metadata"],
            },
        }))
        .matching(
            SENT,
            json!({
                "event_action": "sent",
                "event_data": {"channel": "console", "body": spec["body"], "type": "escalation"},
            }),
        )
        .matching(ACKNOWLEDGED, json!({"event_action": "acknowledged"}))
        .holds()
        .await?;
    Ok(())
}

async fn notifications_of_one_remediation_are_audited_under_one_id(ctx: Ctx) -> CaseResult {
    let sent = ["first", "second", "third"];
    let names = try_join_all(sent.map(|name| send(&ctx, name, json!({})))).await?;
    let lost = json!({"channels": ["email"], "retryPolicy": impatient(1)});
    let lost = send(&ctx, "lost", lost).await?;
    for name in &names {
        until(&ctx, name, json!({"phase": "Sent"})).await?;
    }
    until(&ctx, &lost, json!({"phase": "Failed"})).await?;
    let told = names.iter().map(|name| (name.as_str(), [SENT, ACKNOWLEDGED]));
    each_told_once(ctx.audit(), told.chain([(lost.as_str(), [FAILED, ESCALATED])])).await
}

async fn a_notification_of_no_remediation_is_audited_under_its_own_id(ctx: Ctx) -> CaseResult {
    let mut own = object(&ctx, "own", &json!({}));
    own["spec"]["metadata"] = json!({"team": "tea"});
    let made = ctx.objects().create(own).await?;
    let uid = made["metadata"]["uid"].as_str().unwrap_or_default();
    let told = ctx.audit_of(uid).exactly(2).in_order([SENT, ACKNOWLEDGED]);
    told.all_matching(json!({"event_data": {"metadata": {"team": "tea"}}})).holds().await?;
    Ok(())
}

async fn a_delivery_that_fails_is_audited_with_its_error(ctx: Ctx) -> CaseResult {
    // It is not tried again while anyone looks.
    let policy = json!({"initialBackoffSeconds": 120, "maxBackoffSeconds": 120});
    let email = json!({"channels": ["email"], "retryPolicy": policy});
    let name = send(&ctx, "email", email).await?;
    let status =
        json!({"phase": "Sending", "reason": "AllDeliveriesFailed", "failedDeliveries": 1});
    let failed = until(&ctx, &name, status).await?;
    let (spec, error) = (&failed["spec"], &failed["status"]["deliveryAttempts"][0]["error"]);
    let events = ctx
        .audit()
        .exactly(1)
        .all_matching(envelope(&name, ctx.objects().namespace()))
        .matching(
            FAILED,
            json!({
                "event_action": "sent",
                "event_outcome": "failure",
                "event_data": {
                    "channel": "email", "subject": spec["subject"], "body": spec["body"],
                    "priority": spec["priority"], "error": error, "error_type": "transient",
                },
            }),
        )
        .holds()
        .await?;
    for event in &events {
        ensure!(event.get("event_data.type").is_none(), "it has a type: {:#}", event.as_json());
    }
    Ok(())
}

async fn a_notification_that_is_partly_delivered_is_audited_for_each_channel(
    ctx: Ctx,
) -> CaseResult {
    let partly = json!({"channels": ["console", "email"], "retryPolicy": impatient(1)});
    let name = send(&ctx, "partly", partly).await?;
    // Its end is told by neither an acknowledgement nor an escalation.
    let status = json!({
        "phase": "PartiallySent", "reason": "PartialDeliverySuccess", "successfulDeliveries": 1,
        "failedDeliveries": 1, "totalAttempts": 2,
    });
    until(&ctx, &name, status).await?;
    ctx.audit()
        .exactly(2)
        .all_matching(envelope(&name, ctx.objects().namespace()))
        .matching(SENT, json!({"event_data": {"channel": "console"}}))
        .matching(FAILED, json!({"event_data": {"channel": "email"}}))
        .holds()
        .await?;
    Ok(())
}

async fn a_notification_that_fails_for_ever_is_escalated(ctx: Ctx) -> CaseResult {
    let lost = json!({"channels": ["sms", "teams"], "retryPolicy": impatient(5)});
    let name = send(&ctx, "lost", lost).await?;
    let status = json!({"phase": "Failed", "reason": "AllDeliveriesFailed", "totalAttempts": 2});
    let failed = until(&ctx, &name, status).await?;
    let spec = &failed["spec"];
    ctx.audit()
        .exactly(3)
        .in_order([FAILED, ESCALATED])
        .all_matching(envelope(&name, ctx.objects().namespace()))
        .matching(FAILED, json!({"event_data": {"channel": "sms"}}))
        .matching(FAILED, json!({"event_data": {"channel": "teams"}}))
        .matching(
            ESCALATED,
            json!({
                "event_action": "escalated",
                "event_outcome": "success",
                "event_data": {
                    "subject": spec["subject"], "priority": spec["priority"],
                    "reason": "AllDeliveriesFailed", "metadata": spec["metadata"],
                },
            }),
        )
        .holds()
        .await?;
    Ok(())
}
