//! What is no signal: the server refuses it, and it is not there (contract 6.1).

use kindwright::{Case, CaseResult, Ctx};
use serde_json::{Value, json};

use super::signal;
use crate::refusals::{self, Row, row};

/// What must be said of a signal.
const SAID: [&str; 10] = [
    "fingerprint",
    "name",
    "severity",
    "type",
    "targetType",
    "targetResource",
    "targetResource.kind",
    "targetResource.name",
    "targetResource.namespace",
    "receivedTime",
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    refusals::cases("a_signal", rows(), is_refused)
}

fn rows() -> impl Iterator<Item = Row> {
    let unsaid =
        SAID.map(|field| row(format!("without_{field}"), format!("signal.{field}"), Value::Null));
    [
        row("with_a_short_fingerprint", "signal.fingerprint", json!("abc")),
        row("with_a_fingerprint_of_other_letters", "signal.fingerprint", json!("G".repeat(64))),
        row("that_was_received_at_no_time", "signal.receivedTime", json!("yesterday")),
        row("for_a_remediation_without_a_name", "remediationRequestRef.name", Value::Null),
    ]
    .into_iter()
    .chain(unsaid)
}

async fn is_refused(ctx: Ctx, row: Row) -> CaseResult {
    row.is_refused(&ctx, signal(&ctx, ctx.objects(), "critical", "Pod", "gone")).await
}
