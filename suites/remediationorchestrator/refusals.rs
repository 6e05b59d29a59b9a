//! What is no request: it is refused, and leaves nothing (contract 6.1).

use kindwright::{Case, CaseResult, Ctx, Failure, ObjectsError, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    LONG, STARTED, VERSION,
    play::{PROCESSING, Play, REQUEST, request},
};

/// A request that is none.
struct Row {
    /// What is wrong, as its name says it.
    what: &'static str,
    /// The field that has it, and is to be named.
    field: &'static str,
    value: fn() -> Value,
}

const ROWS: [Row; 11] = [
    row("without_a_fingerprint", "signalFingerprint", || Value::Null),
    row("with_a_short_fingerprint", "signalFingerprint", || json!("abc")),
    row("with_a_fingerprint_of_other_letters", "signalFingerprint", || json!("G".repeat(64))),
    row("without_a_name", "signalName", || Value::Null),
    row("with_too_long_a_name", "signalName", || json!("x".repeat(254))),
    row("of_an_unknown_severity", "severity", || json!("dreadful")),
    row("of_an_unknown_kind_of_target", "targetType", || json!("moon")),
    row("without_a_target", "targetResource", || Value::Null),
    row("about_a_target_without_a_name", "targetResource", || json!({"kind": "Deployment"})),
    row("from_a_source_with_too_long_a_name", "signalSource", || json!("x".repeat(64))),
    row("that_was_received_at_no_time", "receivedTime", || json!("yesterday")),
];

const fn row(what: &'static str, field: &'static str, value: fn() -> Value) -> Row {
    Row { what, field, value }
}

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    ROWS.map(|Row { what, field, value }| {
        let name = format!("a_request_{what}_is_refused");
        Case::named(name, move |ctx| is_refused(ctx, field, value())).limit(LONG)
    })
}

async fn is_refused(ctx: Ctx, field: &str, value: Value) -> CaseResult {
    let mut wrong = request(&ctx, ctx.objects(), "wrong", &json!({}));
    if value.is_null() {
        wrong["spec"].as_object_mut().and_then(|spec| spec.remove(field));
    } else {
        wrong["spec"][field] = value;
    }
    match ctx.objects().create(wrong).await {
        Err(error @ ObjectsError::Api { .. }) => {
            let words = Failure::from(error).to_string();
            ensure!(words.contains(field), "the field {field} is not named: {words}");
        }
        other => return Err(Failure::new(format_args!("expected a refusal, got {other:?}"))),
    }
    // What comes later goes on, alone.
    let right = Play::begin(&ctx).await?;
    right.child(PROCESSING).await?;
    for kind in [REQUEST, PROCESSING.0] {
        ensure_eq!(ctx.objects().list([VERSION, kind]).await?.len(), 1);
    }
    let here = ctx.objects().namespace();
    ctx.audit().under("namespace", here).kinds([STARTED]).exactly(1).holds().await?;
    Ok(())
}
