//! One notification by several channels (scenario 06), and by those that it does not name.

use std::fs;

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure, ensure_eq};
use serde_json::json;

use super::{
    CONTROLLER, KIND, SOON, VERSION, attempts,
    files::{folder, read, written},
    object, send, until,
};
use crate::expect::event_told;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    // Neither is said of the original.
    let beyond = [
        case!(a_channel_that_is_named_twice_is_used_once),
        case!(kubernetes_is_told_of_the_phases),
    ]
    .map(|case| case.beyond("contract 6.7"));
    cases![
        a_notification_is_delivered_by_all_of_its_channels,
        a_folder_that_cannot_be_made_keeps_no_other_channel_back,
        a_notification_for_the_log_is_one_line_of_json,
        a_notification_without_channels_says_how_it_was_routed,
    ]
    .into_iter()
    .chain(beyond)
}

async fn a_notification_is_delivered_by_all_of_its_channels(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let more = json!({
        "channels": ["console", "file", "log"], "fileDeliveryConfig": {"outputDirectory": mounted},
    });
    let before = ctx.mark().await?;
    let name = send(&ctx, "all", more).await?;
    let status = json!({
        "phase": "Sent", "reason": "AllDeliveriesSucceeded", "successfulDeliveries": 3,
        "failedDeliveries": 0, "totalAttempts": 3, "observedGeneration": 1,
    });
    let sent = until(&ctx, &name, status).await?;
    for time in ["queuedAt", "processingStartedAt", "completionTime"] {
        ensure!(sent["status"][time].is_string(), "it has no {time}: {:#}", sent["status"]);
    }
    read(&ctx, &folder, &name).await?;
    let log = ctx.logs(CONTROLLER)?.since(&before);
    let subject = sent["spec"]["subject"].as_str().unwrap_or_default();
    log.until("the line of the console", SOON, |line| {
        line.json().is_none() && line.text().contains(subject) && line.text().contains("[medium]")
    })
    .await?;
    Ok(())
}

async fn a_folder_that_cannot_be_made_keeps_no_other_channel_back(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    fs::write(folder.join("file"), "no folder")?;
    let more = json!({
        "channels": ["console", "file", "log"],
        "fileDeliveryConfig": {"outputDirectory": format!("{mounted}/file/below")},
    });
    let name = send(&ctx, "partly", more).await?;
    let status = json!({
        "phase": "Retrying", "reason": "PartialFailureRetrying", "successfulDeliveries": 2,
        "failedDeliveries": 1,
    });
    let partly = until(&ctx, &name, status).await?;
    let error = attempts(&partly, "file")[0]["error"].as_str().unwrap_or_default();
    ensure!(error.starts_with("permanent failure: "), "it says: {error}");
    ensure_eq!(written(&folder, &name, "json")?.len(), 0);
    Ok(())
}

async fn a_notification_for_the_log_is_one_line_of_json(ctx: Ctx) -> CaseResult {
    let before = ctx.mark().await?;
    let more = json!({
        "channels": ["log"], "body": "two\nlines, password=abc", "priority": "low",
        "actionLinks": [{"service": "github", "url": "https://example.com/1", "label": "Look"}],
    });
    let name = send(&ctx, "log", more).await?;
    let sent = until(&ctx, &name, json!({"phase": "Sent", "successfulDeliveries": 1})).await?;
    let log = ctx.logs(CONTROLLER)?.since(&before);
    let of_it = |line: &kindwright::LogLine| {
        line.json().is_some_and(|line| line["notification_name"] == name)
    };
    let line = log.until("the line of the notification", SOON, of_it).await?;
    let entry = line.json().unwrap_or_default();
    let (metadata, spec) = (&sent["metadata"], &sent["spec"]);
    ensure_eq!(entry["notification_uid"], metadata["uid"]);
    ensure_eq!(entry["notification_namespace"], metadata["namespace"]);
    ensure_eq!(entry["body"], "two\nlines, password=***REDACTED***");
    for field in ["type", "priority", "subject", "channels", "metadata", "actionLinks"] {
        ensure_eq!(entry[field], spec[field]);
    }
    ensure!(entry["timestamp"].is_string(), "it has no time: {entry:#}");
    Ok(())
}

async fn a_channel_that_is_named_twice_is_used_once(ctx: Ctx) -> CaseResult {
    let name = send(&ctx, "twice", json!({"channels": ["console", "console"]})).await?;
    let sent = until(&ctx, &name, json!({"phase": "Sent", "totalAttempts": 1})).await?;
    ensure_eq!(attempts(&sent, "console").len(), 1);
    Ok(())
}

async fn a_notification_without_channels_says_how_it_was_routed(ctx: Ctx) -> CaseResult {
    let routes = [
        ("low", "RoutingFallback", vec!["console"]),
        ("critical", "RoutingRuleMatched", vec!["console", "log"]),
    ];
    for (priority, reason, channels) in routes {
        let mut routed = object(&ctx, priority, &json!({"priority": priority}));
        routed["spec"]["channels"] = json!([]);
        let made = ctx.objects().create(routed).await?;
        let name = made["metadata"]["name"].as_str().unwrap_or_default();
        let condition = json!({"type": "RoutingResolved", "reason": reason, "status": "True"});
        let sent = until(&ctx, name, json!({"phase": "Sent", "conditions": [condition]})).await?;
        let used = sent["status"]["deliveryAttempts"].as_array().cloned().unwrap_or_default();
        let used: Vec<_> = used.iter().filter_map(|attempt| attempt["channel"].as_str()).collect();
        ensure_eq!(used, channels);
    }
    Ok(())
}

async fn kubernetes_is_told_of_the_phases(ctx: Ctx) -> CaseResult {
    let name = send(&ctx, "told", json!({})).await?;
    until(&ctx, &name, json!({"phase": "Sent"})).await?;
    for reason in ["Initialized", "ProcessingDeliveries", "AllDeliveriesSucceeded"] {
        event_told(&ctx, [VERSION, KIND, &name], reason).await?;
    }
    Ok(())
}
