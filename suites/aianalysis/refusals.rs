//! What is no analysis: the server refuses it, and it is not there (contract 6.1).

use kindwright::{Case, CaseResult, Ctx};
use serde_json::{Value, json};

use super::flow::undetected;
use crate::refusals::{self, Row, row};

const SIGNAL: &str = "analysisRequest.signalContext";
/// What must be said of a target of which anything was detected.
const DETECTED: [&str; 6] =
    ["gitOpsManaged", "helmManaged", "hpaEnabled", "networkIsolated", "pdbProtected", "stateful"];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    refusals::cases("an_analysis", rows(), is_refused)
}

fn rows() -> impl Iterator<Item = Row> {
    let unsaid = DETECTED.map(|field| of_target(&format!("without_{field}"), field, Value::Null));
    [
        row("of_no_remediation", "remediationId", json!("")),
        row("of_a_recovery_before_the_first", "recoveryAttemptNumber", json!(0)),
        of_signal("with_too_long_a_fingerprint", "fingerprint", json!("0".repeat(65))),
        of_signal("of_an_unknown_severity", "severity", json!("dreadful")),
        of_signal("in_no_environment", "environment", json!("")),
        of_signal("in_an_environment_of_too_long_a_name", "environment", json!("x".repeat(64))),
        of_signal("of_no_priority", "businessPriority", json!("")),
        of_signal("of_a_priority_of_too_long_a_name", "businessPriority", json!("x".repeat(64))),
        of_signal("without_enrichment_results", "enrichmentResults", Value::Null),
        of_target("with_an_unknown_tool", "gitOpsTool", json!("ansible")),
        of_target("with_an_unknown_mesh", "serviceMesh", json!("spider")),
        of_target("with_an_unknown_detection", "failedDetections", json!(["weather"])),
    ]
    .into_iter()
    .chain(unsaid)
}

fn of_signal(what: &str, field: &str, value: Value) -> Row {
    row(what, format!("{SIGNAL}.{field}"), value)
}

fn of_target(what: &str, field: &str, value: Value) -> Row {
    of_signal(what, &format!("enrichmentResults.detectedLabels.{field}"), value)
}

async fn is_refused(ctx: Ctx, row: Row) -> CaseResult {
    row.is_refused(&ctx, undetected(&ctx, "wrong", "staging")).await
}
