//! What is no notification: it is refused, and leaves neither an object nor an event (contract 6.1).

use kindwright::{Case, CaseResult, Ctx, Failure, ObjectsError, ensure};
use serde_json::{Value, json};

use super::{KIND, SENT, VERSION, object, send};

/// A notification that is none.
struct Row {
    /// What is wrong, as its name says it.
    what: &'static str,
    /// The field that is to be named.
    field: &'static str,
    /// The value of the member of the specification that has it.
    value: fn() -> Value,
}

const ROWS: [Row; 18] = [
    row("without_a_subject", "subject", || json!("")),
    row("with_a_subject_that_is_too_long", "subject", || json!("x".repeat(501))),
    row("without_a_body", "body", || json!("")),
    row("of_no_type", "type", || Value::Null),
    row("of_an_unknown_type", "type", || json!("rumour")),
    row("of_an_unknown_priority", "priority", || json!("urgent")),
    row("for_an_unknown_channel", "channels", || json!(["console", "pigeon"])),
    row("that_is_never_tried", "maxAttempts", || json!({"maxAttempts": 0})),
    row("that_is_tried_too_often", "maxAttempts", || json!({"maxAttempts": 11})),
    row("without_a_pause", "initialBackoffSeconds", || json!({"initialBackoffSeconds": 0})),
    row("with_too_long_a_pause", "initialBackoffSeconds", || json!({"initialBackoffSeconds": 301})),
    row("with_pauses_that_grow_too_fast", "backoffMultiplier", || json!({"backoffMultiplier": 11})),
    row("with_too_short_a_limit", "maxBackoffSeconds", || json!({"maxBackoffSeconds": 59})),
    row("with_too_long_a_limit", "maxBackoffSeconds", || json!({"maxBackoffSeconds": 3601})),
    row(
        "for_a_file_of_an_unknown_format",
        "format",
        || json!({"outputDirectory": "/tmp/notifications", "format": "xml"}),
    ),
    row("for_a_file_that_is_nowhere", "outputDirectory", || json!({"format": "json"})),
    row("that_is_not_kept", "retentionDays", || json!(0)),
    row("that_is_kept_too_long", "retentionDays", || json!(91)),
];

const fn row(what: &'static str, field: &'static str, value: fn() -> Value) -> Row {
    Row { what, field, value }
}

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    ROWS.map(|Row { what, field, value }| {
        let name = format!("a_notification_{what}_is_refused");
        Case::named(name, move |ctx| is_refused(ctx, field, value()))
    })
}

async fn is_refused(ctx: Ctx, field: &str, value: Value) -> CaseResult {
    let mut wrong = object(&ctx, "wrong", &json!({}));
    let member = match field {
        "maxAttempts" | "initialBackoffSeconds" | "backoffMultiplier" | "maxBackoffSeconds" => {
            "retryPolicy"
        }
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
    let there = ctx.objects().list([VERSION, KIND]).await?;
    ensure!(there.len() == 1, "it is there: {there:?}");
    Ok(())
}
