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

/// Lines with secrets, and the secret of each; beside it there is tea, which stays (supplement 6.7).
const SECRETS: [[&str; 2]; 15] = [
    ["passwd=hunter2 tea", "hunter2"],
    ["apikey: k-123456 tea", "k-123456"],
    [r#"{"password": "hunter2", "drink": "tea"}"#, "hunter2"],
    [r#"{"api_key":"k-123456","drink":"tea"}"#, "k-123456"],
    [r#"{"token": "abcdefgh", "drink": "tea"}"#, "abcdefgh"],
    ["drink tea, Authorization: Bearer abcdefgh.ijkl", "abcdefgh.ijkl"],
    [r#"{"authorization": "Basic YTpi", "drink": "tea"}"#, "YTpi"],
    ["sent with Bearer abcdefgh.ijkl to tea", "abcdefgh.ijkl"],
    ["https://ann:hunter2@example.com/tea", "hunter2"],
    ["postgresql://ann:hunter2@database:5432/tea", "hunter2"],
    ["AKIAIOSFODNN7EXAMPLE buys tea", "AKIAIOSFODNN7EXAMPLE"],
    [r#"{"generatorURL": "http://prometheus:9090/graph", "drink": "tea"}"#, "prometheus"],
    [r#"{"annotations": {"note": "hidden"}, "drink": "tea"}"#, "hidden"],
    ["the key sk-1234567890abcdef buys tea", "sk-1234567890abcdef"],
    ["and ghp_AbCdEfGhIjKlMnOpQrStUvWxYz1234567890 buys tea", "ghp_"],
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let copies = [
        case!(a_notification_leaves_a_copy_that_has_all_of_it),
        case!(a_folder_for_copies_that_is_not_writable_keeps_nothing_from_being_delivered).alone(),
    ]
    // The original's loop, half rewritten, has lost the copy.
    .map(|case| case.beyond("supplement 6.7"));
    cases![
        a_file_has_the_whole_notification_without_its_secrets,
        secrets_of_all_forms_are_taken_out,
        a_file_is_called_after_its_notification_and_a_moment,
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

/// The names of the files in a folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The contents of the files of a notification in a folder.
pub(super) fn written(folder: &Path, name: &str, ending: &str) -> io::Result<Vec<String>> {
    let (begin, end) = (format!("notification-{name}-"), format!(".{ending}"));
    let all = names(folder)?.into_iter();
    let own = all.filter(|called| called.starts_with(&begin) && called.ends_with(&end));
    own.map(|called| fs::read_to_string(folder.join(called))).collect()
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

async fn secrets_of_all_forms_are_taken_out(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let body = SECRETS.map(|[line, _]| line).join("\n");
    let more = json!({
        "body": body, "channels": ["file"], "fileDeliveryConfig": {"outputDirectory": mounted},
    });
    let name = send(&ctx, "forms", more).await?;
    let file = read(&ctx, &folder, &name).await?;
    let clean = file["spec"]["body"].as_str().unwrap_or_default();
    ensure_eq!(clean.lines().count(), SECRETS.len(), "it is {clean}");
    for (clean, [line, secret]) in clean.lines().zip(SECRETS) {
        let is_clean = clean.contains("***REDACTED***") && !clean.contains(secret);
        ensure!(is_clean && clean.contains("tea"), "of `{line}` there is `{clean}`");
    }
    Ok(())
}

async fn a_file_is_called_after_its_notification_and_a_moment(ctx: Ctx) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    for format in ["json", "yaml"] {
        let file = json!({"outputDirectory": mounted, "format": format});
        let more = json!({"channels": ["file"], "fileDeliveryConfig": file});
        let name = send(&ctx, format, more).await?;
        until(&ctx, &name, json!({"phase": "Sent"})).await?;
        let (begin, end) = (format!("notification-{name}-"), format!(".{format}"));
        let names = names(&folder)?;
        let moments = names.iter().filter_map(|it| it.strip_prefix(&*begin)?.strip_suffix(&*end));
        // Of which moment it is, the contract does not say.
        let digits = moments.map(|it| it.replace(|it: char| it.is_ascii_digit(), "0"));
        ensure_eq!(digits.collect::<Vec<_>>(), ["00000000-000000.000000"], "there are {names:?}");
    }
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
