//! What is no notification: it is refused, and leaves neither an object nor an event (contract 6.1).

use kindwright::{Case, CaseResult, Ctx, Failure, ObjectsError, ensure};
use serde_json::{Value, json};

use super::{KIND, SENT, VERSION, object, send};

/// What is wrong, the field that is to be named, and its value.
const ROWS: [(&str, &str, fn() -> Value); 14] = [
    ("without_a_subject", "subject", || json!("")),
    ("with_a_subject_that_is_too_long", "subject", || json!("x".repeat(501))),
    ("without_a_body", "body", || json!("")),
    ("of_no_type", "type", || Value::Null),
    ("of_an_unknown_type", "type", || json!("rumour")),
    ("of_an_unknown_priority", "priority", || json!("urgent")),
    ("for_an_unknown_channel", "channels", || json!(["console", "pigeon"])),
    ("that_is_never_tried", "maxAttempts", || json!({"maxAttempts": 0})),
    ("that_is_tried_too_often", "maxAttempts", || json!({"maxAttempts": 11})),
    ("with_too_long_a_pause", "initialBackoffSeconds", || json!({"initialBackoffSeconds": 301})),
    ("with_too_short_a_limit", "maxBackoffSeconds", || json!({"maxBackoffSeconds": 59})),
    (
        "for_a_file_of_an_unknown_format",
        "format",
        || json!({"outputDirectory": "/tmp/notifications", "format": "xml"}),
    ),
    ("for_a_file_that_is_nowhere", "outputDirectory", || json!({"format": "json"})),
    ("that_is_kept_too_long", "retentionDays", || json!(91)),
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    ROWS.map(|(what, field, value)| {
        let name = format!("a_notification_{what}_is_refused");
        Case::named(name, move |ctx| is_refused(ctx, field, value()))
    })
}

async fn is_refused(ctx: Ctx, field: &str, value: Value) -> CaseResult {
    let mut wrong = object(&ctx, "wrong", &json!({}));
    let member = match field {
        "maxAttempts" | "initialBackoffSeconds" | "maxBackoffSeconds" => "retryPolicy",
        "format" | "outputDirectory" => "fileDeliveryConfig",
        field => field,
    };
    wrong["spec"][member] = value;
    if wrong["spec"][member].is_null() {
        wrong["spec"].as_object_mut().and_then(|spec| spec.remove(member));
    }
    match ctx.objects().create(wrong).await {
        Err(error @ ObjectsError::Api { .. }) => {
            let words = Failure::from(error).to_string();
            ensure!(words.contains(field), "the field {field} is not named: {words}");
        }
        other => return Err(Failure::new(format_args!("expected a refusal, got {other:?}"))),
    }
    // What comes later is told; what was refused is not.
    send(&ctx, "right", json!({})).await?;
    ctx.audit().kinds([SENT]).exactly(1).holds().await?;
    let there = ctx.objects().list(VERSION, KIND).await?;
    ensure!(there.len() == 1, "it is there: {there:?}");
    Ok(())
}
