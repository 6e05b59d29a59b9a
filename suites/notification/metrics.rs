//! What the controller counts (scenario 04, metrics).

use kindwright::{Case, CaseResult, Ctx, Failure, MetricsError, case, cases, ensure};
use serde_json::json;

use super::{CONTROLLER, SOON, send, until};
use crate::expect::counted;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let beyond = [
        // The original's loop, half rewritten, has lost it.
        case!(the_time_of_a_delivery_is_measured),
        // Nor need that loop judge its channels.
        case!(the_metrics_of_the_channels_are_there),
    ]
    .map(|case| case.beyond("supplement 6.7"));
    cases![
        notifications_are_counted_by_phase,
        an_attempt_is_counted_by_its_channel_and_its_end,
        a_secret_that_is_taken_out_is_counted,
        the_core_metrics_are_there,
    ]
    .into_iter()
    .chain(beyond)
}

/// The sum of a metric of the controller.
async fn sum(ctx: &Ctx, name: &str, labels: &[(&str, &str)]) -> Result<f64, MetricsError> {
    counted(ctx, CONTROLLER, &format!("kubernaut_notification_{name}"), labels).await
}

/// Sends a notification to the console, and waits until a metric is greater for it than `before`.
async fn raises(ctx: &Ctx, name: &str, labels: &[(&str, &str)]) -> CaseResult {
    let before = sum(ctx, name, labels).await?;
    let notification = send(ctx, "counted", json!({"body": "token: abc"})).await?;
    until(ctx, &notification, json!({"phase": "Sent"})).await?;
    ctx.until(format_args!("more of {name}"), SOON, async || {
        let after = sum(ctx, name, labels).await?;
        ensure!(after > before, "it was {before} and is {after}");
        Ok(())
    })
    .await?;
    Ok(())
}

async fn notifications_are_counted_by_phase(ctx: Ctx) -> CaseResult {
    let sent = [("type", "simple"), ("priority", "medium"), ("phase", "Sent")];
    raises(&ctx, "reconciler_requests_total", &sent).await?;
    // It is not said which phases are there.
    let answer = ctx.get(CONTROLLER, "/metrics").send().await?.expect(200)?;
    let active = answer.text().lines().any(|line| {
        line.starts_with("kubernaut_notification_reconciler_active{") && line.contains("phase=\"")
    });
    ensure!(active, "no reconciler_active with a phase in:\n{}", answer.text());
    Ok(())
}

async fn an_attempt_is_counted_by_its_channel_and_its_end(ctx: Ctx) -> CaseResult {
    let sent = [("channel", "console"), ("status", "success")];
    raises(&ctx, "delivery_attempts_total", &sent).await?;
    let failed = [("channel", "webhook"), ("status", "failed")];
    let before = sum(&ctx, "delivery_attempts_total", &failed).await?;
    let name = send(&ctx, "failed", json!({"channels": ["webhook"]})).await?;
    until(&ctx, &name, json!({"failedDeliveries": 1})).await?;
    let after = sum(&ctx, "delivery_attempts_total", &failed).await?;
    ensure!(after > before, "it was {before} and is {after}");
    Ok(())
}

async fn the_time_of_a_delivery_is_measured(ctx: Ctx) -> CaseResult {
    let console = [("channel", "console")];
    raises(&ctx, "delivery_duration_seconds_count", &console).await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    for sample in ["bucket", "sum"] {
        metrics
            .sum(&format!("kubernaut_notification_delivery_duration_seconds_{sample}"), &console)?;
    }
    Ok(())
}

async fn a_secret_that_is_taken_out_is_counted(ctx: Ctx) -> CaseResult {
    raises(&ctx, "sanitization_redactions_total", &[]).await
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
        let whole = format!("kubernaut_notification_{name}");
        let there = answer.text().lines().any(|line| line.starts_with(&whole));
        if !there {
            return Err(Failure::new(format_args!("no {whole} in:\n{}", answer.text())));
        }
    }
    Ok(())
}
