//! Notifications of each priority (scenario 07).

use futures_util::future::try_join_all;
use kindwright::{Case, CaseResult, Ctx, cases, ensure_eq};
use serde_json::json;

use super::{
    files::{folder, read},
    send, until,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_critical_notification_is_delivered_into_a_file,
        notifications_of_all_priorities_are_delivered,
        a_notification_of_high_priority_is_delivered_by_three_channels,
    ]
}

async fn a_critical_notification_is_delivered_into_a_file(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let more = json!({
        "type": "escalation", "priority": "critical", "channels": ["console", "file"],
        "fileDeliveryConfig": {"outputDirectory": mounted},
    });
    let name = send(&ctx, "critical", more).await?;
    until(&ctx, &name, json!({"phase": "Sent", "successfulDeliveries": 2})).await?;
    let file = read(&ctx, &folder, &name).await?;
    ensure_eq!(file["spec"]["priority"], "critical");
    ensure_eq!(file["spec"]["type"], "escalation");
    Ok(())
}

async fn notifications_of_all_priorities_are_delivered(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let priorities = ["low", "medium", "high", "critical"];
    let sending = priorities.map(|priority| {
        let more = json!({
            "priority": priority, "channels": ["file"],
            "fileDeliveryConfig": {"outputDirectory": mounted},
        });
        send(&ctx, priority, more)
    });
    for (name, priority) in try_join_all(sending).await?.iter().zip(priorities) {
        until(&ctx, name, json!({"phase": "Sent"})).await?;
        ensure_eq!(read(&ctx, &folder, name).await?["spec"]["priority"], priority);
    }
    Ok(())
}

async fn a_notification_of_high_priority_is_delivered_by_three_channels(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let more = json!({
        "priority": "high", "channels": ["console", "file", "log"],
        "fileDeliveryConfig": {"outputDirectory": mounted},
    });
    let name = send(&ctx, "high", more).await?;
    until(&ctx, &name, json!({"phase": "Sent", "successfulDeliveries": 3})).await?;
    ensure_eq!(read(&ctx, &folder, &name).await?["spec"]["priority"], "high");
    Ok(())
}
