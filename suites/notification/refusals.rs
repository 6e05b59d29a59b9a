//! What is no notification: it is refused, and leaves neither an object nor an event (contract 6.1).

use kindwright::{Case, CaseResult, Ctx};
use serde_json::{Value, json};

use super::{SENT, object, send};
use crate::refusals::{self, Row, row};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    refusals::cases("a_notification", rows(), is_refused)
}

fn rows() -> [Row; 18] {
    [
        row("without_a_subject", "subject", json!("")),
        row("with_a_subject_that_is_too_long", "subject", json!("x".repeat(501))),
        row("without_a_body", "body", json!("")),
        row("of_no_type", "type", Value::Null),
        row("of_an_unknown_type", "type", json!("rumour")),
        row("of_an_unknown_priority", "priority", json!("urgent")),
        row("for_an_unknown_channel", "channels", json!(["console", "pigeon"])),
        row("that_is_never_tried", "retryPolicy.maxAttempts", json!(0)),
        row("that_is_tried_too_often", "retryPolicy.maxAttempts", json!(11)),
        row("without_a_pause", "retryPolicy.initialBackoffSeconds", json!(0)),
        row("with_too_long_a_pause", "retryPolicy.initialBackoffSeconds", json!(301)),
        row("with_pauses_that_grow_too_fast", "retryPolicy.backoffMultiplier", json!(11)),
        row("with_too_short_a_limit", "retryPolicy.maxBackoffSeconds", json!(59)),
        row("with_too_long_a_limit", "retryPolicy.maxBackoffSeconds", json!(3601)),
        row("for_a_file_of_an_unknown_format", "fileDeliveryConfig.format", json!("xml")),
        row("for_a_file_that_is_nowhere", "fileDeliveryConfig.outputDirectory", Value::Null),
        row("that_is_not_kept", "retentionDays", json!(0)),
        row("that_is_kept_too_long", "retentionDays", json!(91)),
    ]
}

async fn is_refused(ctx: Ctx, row: Row) -> CaseResult {
    let file = json!({"fileDeliveryConfig": {"outputDirectory": "/tmp/notifications"}});
    row.is_refused(&ctx, object(&ctx, "wrong", &file)).await?;
    // What comes later is told; what was refused is not.
    send(&ctx, "right", json!({})).await?;
    ctx.audit().kinds([SENT]).exactly(1).holds().await?;
    Ok(())
}
