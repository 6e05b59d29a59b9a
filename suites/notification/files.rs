//! What is in the files that notifications are delivered to (scenario 03).

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use futures_util::future::try_join_all;
use kindwright::{Case, CaseResult, Ctx, Failure, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{SOON, send, until};

/// Where the controller has what the suite shares with it.
const MOUNTED: &str = "/tmp/notifications";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let copies = [
        case!(a_notification_leaves_a_copy_that_has_all_of_it),
        case!(a_folder_for_copies_that_is_not_writable_keeps_nothing_from_being_delivered).alone(),
    ]
    // The original's loop, half rewritten, has lost the copy.
    .map(|case| case.beyond("supplement 6.7"));
    cases![
        a_file_has_the_whole_notification_without_its_secrets,
        a_file_keeps_the_priority,
        notifications_at_the_same_time_have_a_file_each,
        a_file_is_yaml_where_that_is_asked_for,
    ]
    .into_iter()
    .chain(copies)
}

/// The folder that all notifications are written to unless they say otherwise.
fn shared(ctx: &Ctx) -> PathBuf {
    ctx.shared().join("notifications")
}

/// A folder of the case that anybody may write to, and how the controller knows it.
pub(super) fn folder(ctx: &Ctx) -> io::Result<(PathBuf, String)> {
    let folder = shared(ctx).join(ctx.correlation_id());
    fs::create_dir_all(&folder)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777))?;
    Ok((folder, format!("{MOUNTED}/{}", ctx.correlation_id())))
}

/// The contents of the files of a notification in a folder.
pub(super) fn written(folder: &Path, name: &str, ending: &str) -> io::Result<Vec<String>> {
    let (begin, end) = (format!("notification-{name}-"), format!(".{ending}"));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let called = entry.file_name().to_string_lossy().into_owned();
        if called.starts_with(&begin) && called.ends_with(&end) {
            found.push(fs::read_to_string(entry.path())?);
        }
    }
    Ok(found)
}

/// The one file of a notification in a folder, once it is there.
pub(super) async fn read(ctx: &Ctx, folder: &Path, name: &str) -> Result<Value, Failure> {
    ctx.until("the file of the notification", SOON, async || {
        let files = written(folder, name, "json")?;
        ensure_eq!(files.len(), 1);
        Ok(serde_json::from_str(&files[0])?)
    })
    .await
}

async fn a_file_has_the_whole_notification_without_its_secrets(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let body = "Sensitive information detected:\n- password: mySecretPass123\n- api_key: \
                sk-1234567890abcdef\n- token: ghp_AbCdEfGhIjKlMnOpQrStUvWxYz1234567890\n- email: \
                user@example.com\n";
    let more = json!({
        "type": "escalation", "priority": "critical", "subject": "Password leak: pwd=abc",
        "body": body, "channels": ["file", "log"], "recipients": [{"slack": "#security-alerts"}],
        "actionLinks": [{"service": "github", "url": "https://example.com/1", "label": "Look"}],
        "fileDeliveryConfig": {"outputDirectory": mounted},
    });
    let name = send(&ctx, "secrets", more.clone()).await?;
    until(&ctx, &name, json!({"phase": "Sent", "successfulDeliveries": 2})).await?;
    let file = read(&ctx, &folder, &name).await?;
    let clean = "Sensitive information detected:\n- password: ***REDACTED***\n- api_key: \
                 ***REDACTED***\n- token: ***REDACTED***\n- email: user@example.com\n";
    let spec = &file["spec"];
    ensure_eq!(spec["body"], clean);
    ensure_eq!(spec["subject"], "Password leak: pwd=***REDACTED***");
    for field in ["type", "priority", "channels", "recipients", "actionLinks"] {
        ensure_eq!(spec[field], more[field]);
    }
    ensure_eq!(file["metadata"]["name"], name);
    ensure_eq!(file["metadata"]["namespace"], ctx.objects().namespace());
    Ok(())
}

async fn a_notification_leaves_a_copy_that_has_all_of_it(ctx: Ctx) -> CaseResult {
    let name = send(&ctx, "console", json!({"priority": "critical"})).await?;
    let sent = until(&ctx, &name, json!({"phase": "Sent"})).await?;
    let copy = read(&ctx, &shared(&ctx), &name).await?;
    for field in ["subject", "body", "type", "priority", "channels", "metadata"] {
        ensure_eq!(copy["spec"][field], sent["spec"][field]);
    }
    ensure!(copy["status"]["phase"].is_string(), "it has no phase: {copy:#}");
    ensure_eq!(copy["status"]["successfulDeliveries"], 1);
    Ok(())
}

async fn a_file_keeps_the_priority(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    for priority in ["critical", "low"] {
        let more = json!({
            "priority": priority, "channels": ["file"],
            "fileDeliveryConfig": {"outputDirectory": mounted},
        });
        let name = send(&ctx, priority, more).await?;
        ensure_eq!(read(&ctx, &folder, &name).await?["spec"]["priority"], priority);
    }
    Ok(())
}

async fn notifications_at_the_same_time_have_a_file_each(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let file = json!({"channels": ["file"], "fileDeliveryConfig": {"outputDirectory": mounted}});
    let numbers = (1..=5).map(|number| format!("number-{number}")).collect::<Vec<_>>();
    let sending = numbers.iter().map(|number| send(&ctx, number, file.clone()));
    for name in try_join_all(sending).await? {
        until(&ctx, &name, json!({"phase": "Sent"})).await?;
        ensure_eq!(read(&ctx, &folder, &name).await?["metadata"]["name"], name);
    }
    ensure_eq!(fs::read_dir(&folder)?.count(), 5);
    Ok(())
}

async fn a_file_is_yaml_where_that_is_asked_for(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let file = json!({"outputDirectory": mounted, "format": "yaml"});
    let name =
        send(&ctx, "yaml", json!({"channels": ["file"], "fileDeliveryConfig": file})).await?;
    until(&ctx, &name, json!({"phase": "Sent"})).await?;
    let files = written(&folder, &name, "yaml")?;
    ensure_eq!(files.len(), 1);
    let line = "body: There is nothing to be done.";
    ensure!(files[0].lines().any(|there| there.trim() == line), "no `{line}` in:\n{}", files[0]);
    Ok(())
}

async fn a_folder_for_copies_that_is_not_writable_keeps_nothing_from_being_delivered(
    ctx: Ctx,
) -> CaseResult {
    // The right to disturb others is asked for first.
    ctx.disturb()?;
    let folder = shared(&ctx);
    let before = fs::metadata(&folder)?.permissions();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555))?;
    let delivered = async {
        let name = send(&ctx, "console", json!({})).await?;
        until(&ctx, &name, json!({"phase": "Sent"})).await?;
        Ok::<_, Failure>(name)
    }
    .await;
    fs::set_permissions(&folder, before)?;
    ensure_eq!(written(&folder, &delivered?, "json")?.len(), 0);
    Ok(())
}
