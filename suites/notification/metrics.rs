//! What the controller counts (scenario 04, metrics).
//!
//! It counts what all cases send: whoever says how much more it is has the stack alone, or labels that no other case has.

use kindwright::{Case, CaseResult, Ctx, Failure, case, cases};
use serde_json::{Value, json};

use super::{CONTROLLER, SLACK, impatient, send, until};
use crate::{
    expect::{Raised, has_label, raises},
    faults,
};

/// What the names of its metrics begin with.
const PREFIX: &str = "kubernaut_notification_";
const ATTEMPTS: &str = "delivery_attempts_total";
const SECRETS: &str = "sanitization_redactions_total";
const RETRIES: &str = "delivery_retries_total";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let alone = [
        case!(deliveries_are_counted_with_their_secrets_and_their_retries),
        // The original's loop, half rewritten, has lost it.
        case!(the_time_of_a_delivery_is_measured).beyond("supplement 6.7"),
    ]
    .map(Case::alone);
    // Nor need that loop judge its channels.
    let of_channels = case!(the_metrics_of_the_channels_are_there).beyond("supplement 6.7");
    cases![
        notifications_are_counted_by_type_priority_and_phase,
        an_attempt_that_fails_is_counted_by_its_channel,
        the_core_metrics_are_there,
    ]
    .into_iter()
    .chain(alone)
    .chain([of_channels])
}

/// Sends a notification, and returns it once its status is so.
async fn send_until(ctx: &Ctx, name: &str, more: Value, status: Value) -> Result<Value, Failure> {
    let name = send(ctx, name, more).await?;
    Ok(until(ctx, &name, status).await?)
}

async fn notifications_are_counted_by_type_priority_and_phase(ctx: Ctx) -> CaseResult {
    // No other case sends such a one.
    let update = json!({"type": "status-update", "priority": "low"});
    let labels = [("type", "status-update"), ("priority", "low"), ("phase", "Sent")];
    let series: [Raised<'_>; 1] = [("reconciler_requests_total", &labels, 1.0)];
    let sending = send_until(&ctx, "counted", update, json!({"phase": "Sent"}));
    raises(&ctx, [CONTROLLER, PREFIX], &series, sending).await?;
    // It is not said which phases are there.
    has_label(&ctx, [CONTROLLER, PREFIX], "reconciler_active", "phase").await
}

async fn an_attempt_that_fails_is_counted_by_its_channel(ctx: Ctx) -> CaseResult {
    // No other case has this channel.
    let failed = [("channel", "webhook"), ("status", "failed")];
    let series: [Raised<'_>; 2] =
        [(ATTEMPTS, &failed, 1.0), (ATTEMPTS, &[("channel", "webhook")], 1.0)];
    let more = json!({"channels": ["webhook"]});
    let sending = send_until(&ctx, "failed", more, json!({"failedDeliveries": 1}));
    raises(&ctx, [CONTROLLER, PREFIX], &series, sending).await.map(drop)
}

async fn deliveries_are_counted_with_their_secrets_and_their_retries(ctx: Ctx) -> CaseResult {
    let sent = json!({"phase": "Sent"});
    let console: [Raised<'_>; 3] = [
        (ATTEMPTS, &[("channel", "console"), ("status", "success")], 1.0),
        (ATTEMPTS, &[("channel", "console")], 1.0),
        (SECRETS, &[], 1.0),
    ];
    let sending = send_until(&ctx, "secret", json!({"body": "token: abc"}), sent.clone());
    raises(&ctx, [CONTROLLER, PREFIX], &console, sending).await?;
    has_label(&ctx, [CONTROLLER, PREFIX], SECRETS, "pattern_type").await?;
    // Slack takes it at the second attempt.
    let fault = json!([{"mode": "answer", "times": 1}]);
    faults::set(&ctx, SLACK, ctx.correlation_id(), &fault).await?;
    let slack: [Raised<'_>; 3] = [
        (ATTEMPTS, &[("channel", "slack"), ("status", "failed")], 1.0),
        (ATTEMPTS, &[("channel", "slack"), ("status", "success")], 1.0),
        (RETRIES, &[("channel", "slack")], 1.0),
    ];
    let more = json!({"channels": ["slack"], "retryPolicy": impatient(5)});
    let sending = send_until(&ctx, "again", more, sent);
    raises(&ctx, [CONTROLLER, PREFIX], &slack, sending).await?;
    has_label(&ctx, [CONTROLLER, PREFIX], RETRIES, "reason").await
}

async fn the_time_of_a_delivery_is_measured(ctx: Ctx) -> CaseResult {
    let console = ("channel", "console");
    let labels = [console];
    let series: [Raised<'_>; 1] = [("delivery_duration_seconds_count", &labels, 1.0)];
    let sending = send_until(&ctx, "timed", json!({}), json!({"phase": "Sent"}));
    raises(&ctx, [CONTROLLER, PREFIX], &series, sending).await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    let whole = format!("{PREFIX}delivery_duration_seconds");
    metrics.value(&format!("{whole}_sum"), &labels)?;
    metrics.value(&format!("{whole}_bucket"), &[console, ("le", "+Inf")])?;
    Ok(())
}

async fn the_core_metrics_are_there(ctx: Ctx) -> CaseResult {
    let core = [
        "reconciler_requests_total",
        "reconciler_duration_seconds_count",
        "reconciler_active",
        "delivery_attempts_total",
    ];
    are_there(&ctx, &core).await
}

async fn the_metrics_of_the_channels_are_there(ctx: Ctx) -> CaseResult {
    let of_channels = [
        "delivery_duration_seconds_count",
        "channel_health_score",
        "channel_circuit_breaker_state",
    ];
    are_there(&ctx, &of_channels).await
}

/// Sends a notification to the console, and looks for these metrics.
async fn are_there(ctx: &Ctx, names: &[&str]) -> CaseResult {
    let notification = send(ctx, "counted", json!({})).await?;
    until(ctx, &notification, json!({"phase": "Sent"})).await?;
    let answer = ctx.get(CONTROLLER, "/metrics").send().await?.expect(200)?;
    for name in names {
        let whole = format!("{PREFIX}{name}");
        let there = answer.text().lines().any(|line| line.starts_with(&whole));
        if !there {
            return Err(Failure::new(format_args!("no {whole} in:\n{}", answer.text())));
        }
    }
    Ok(())
}
