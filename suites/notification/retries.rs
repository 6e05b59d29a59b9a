//! What is tried again, how often, and when (scenario 05).

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use kindwright::{Case, CaseResult, Ctx, cases, ensure, ensure_eq};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    FAILED, KIND, SENT, VERSION, attempts,
    files::{folder, read},
    impatient, send, until,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_folder_that_is_not_writable_is_tried_again_after_a_pause,
        a_folder_that_becomes_writable_has_its_file_in_the_end,
        tries_are_used_up_and_the_rest_stays_delivered,
        a_notification_that_is_deleted_is_not_tried_again,
    ]
}

/// Lets only its owner change what is in a folder, or anybody.
fn writable(folder: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
}

/// A notification for the console and for a folder.
fn for_file(mounted: &str, policy: &Value) -> Value {
    json!({
        "channels": ["console", "file"], "retryPolicy": policy,
        "fileDeliveryConfig": {"outputDirectory": mounted},
    })
}

fn time(attempt: &Value) -> Result<OffsetDateTime, time::error::Parse> {
    OffsetDateTime::parse(attempt["timestamp"].as_str().unwrap_or_default(), &Rfc3339)
}

async fn a_folder_that_is_not_writable_is_tried_again_after_a_pause(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    writable(&folder, 0o444)?;
    let policy = json!({
        "maxAttempts": 5, "initialBackoffSeconds": 5, "backoffMultiplier": 2,
        "maxBackoffSeconds": 60,
    });
    let name = send(&ctx, "read-only", for_file(&mounted, &policy)).await?;
    let status = json!({"phase": "Retrying", "successfulDeliveries": 1, "failedDeliveries": 2});
    let tried = until(&ctx, &name, status).await?;
    writable(&folder, 0o777)?;
    let tries = attempts(&tried, "file");
    ensure_eq!((&tries[0]["attempt"], &tries[1]["attempt"]), (&json!(1), &json!(2)));
    let error = tries[1]["error"].as_str().unwrap_or_default();
    ensure!(!error.starts_with("permanent failure: "), "it says: {error}");
    // Five seconds, less a tenth.
    let pause = time(tries[1])? - time(tries[0])?;
    ensure!(pause.as_seconds_f64() >= 4.5, "the pause was {pause}");
    ensure_eq!(attempts(&tried, "console").len(), 1);
    Ok(())
}

async fn a_folder_that_becomes_writable_has_its_file_in_the_end(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    writable(&folder, 0o444)?;
    // It is tried again for longer than it takes to look.
    let policy = json!({
        "maxAttempts": 10, "initialBackoffSeconds": 5, "backoffMultiplier": 1,
        "maxBackoffSeconds": 60,
    });
    let name = send(&ctx, "later", for_file(&mounted, &policy)).await?;
    until(&ctx, &name, json!({"phase": "Retrying"})).await?;
    writable(&folder, 0o777)?;
    let sent = until(&ctx, &name, json!({"phase": "Sent", "successfulDeliveries": 2})).await?;
    read(&ctx, &folder, &name).await?;
    let failed = attempts(&sent, "file").len() - 1;
    ctx.audit().kinds([FAILED]).exactly(failed).holds().await?;
    ctx.audit().kinds([SENT]).exactly(2).holds().await?;
    Ok(())
}

async fn tries_are_used_up_and_the_rest_stays_delivered(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    writable(&folder, 0o444)?;
    let name = send(&ctx, "never", for_file(&mounted, &impatient(2))).await?;
    let status = json!({
        "phase": "PartiallySent", "reason": "PartialDeliverySuccess", "successfulDeliveries": 1,
        "failedDeliveries": 2,
    });
    until(&ctx, &name, status).await?;
    writable(&folder, 0o777)?;
    let events = ctx.audit().exactly(3).holds().await?;
    let mut told: Vec<_> = events
        .iter()
        .map(|event| (event.kind(), event.get("event_data.channel").and_then(Value::as_str)))
        .collect();
    told.sort_unstable();
    // Its end is told by neither an acknowledgement nor an escalation.
    ensure_eq!(told, [(FAILED, Some("file")), (FAILED, Some("file")), (SENT, Some("console"))]);
    Ok(())
}

async fn a_notification_that_is_deleted_is_not_tried_again(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    writable(&folder, 0o444)?;
    // Far longer than it takes to delete it.
    let policy = json!({"initialBackoffSeconds": 20});
    let name = send(&ctx, "deleted", for_file(&mounted, &policy)).await?;
    until(&ctx, &name, json!({"phase": "Retrying"})).await?;
    ctx.objects().delete([VERSION, KIND, &name]).await?;
    writable(&folder, 0o777)?;
    // Twenty seconds, a tenth more, and what it takes to write a file.
    ctx.stays("an empty folder", Duration::from_secs(24), async || {
        ensure_eq!(fs::read_dir(&folder)?.count(), 0);
        Ok(())
    })
    .await?;
    ctx.audit()
        .exactly(2)
        .matching(SENT, json!({"event_data": {"channel": "console"}}))
        .matching(FAILED, json!({"event_data": {"channel": "file"}}))
        .holds()
        .await?;
    Ok(())
}
