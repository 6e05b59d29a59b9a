//! What the service counts (scenarios 04 and 20).
//!
//! It counts what all cases send: whoever says how much more it is has the stack alone, or labels that no other case has.

use kindwright::{Case, CaseResult, Ctx, Failure, case, cases, ensure};
use serde_json::{Value, json};

use super::{
    ALERTS, EVENTS, GATEWAY, alert, counted, created, event, made_now, make_namespace,
    refusals::allow_no_requests, until_seen,
};
use crate::expect::{Raised, has_label, raises};

/// What the names of its metrics begin with.
pub(super) const PREFIX: &str = "gateway_";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let alone = [
        case!(signals_are_counted_when_they_are_new_and_when_they_come_again),
        case!(a_request_that_could_not_be_made_is_counted),
    ]
    .map(Case::alone);
    // The original's Service leads its second port to where nobody listens.
    let port = case!(its_port_for_metrics_leads_to_its_metrics).beyond("supplement 6.3");
    cases![
        it_exposes_metrics_of_its_own_and_of_its_process,
        a_signal_that_came_again_is_counted_by_its_name,
        the_time_of_requests_is_measured,
    ]
    .into_iter()
    .chain(alone)
    .chain([port])
}

/// Sends a signal, and returns the answer to it, which is of this status.
pub(super) async fn answered(
    ctx: &Ctx,
    path: &str,
    signal: &Value,
    status: u16,
) -> Result<Value, Failure> {
    Ok(made_now(ctx, path).json(signal).send().await?.expect(status)?.json()?)
}

async fn it_exposes_metrics_of_its_own_and_of_its_process(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    created(&ctx, &alert(&ctx, "Exposed", "cart-0")).await?;
    let text = ctx.get(GATEWAY, "/metrics").send().await?.expect(200)?;
    for prefix in ["gateway_", "go_", "process_"] {
        let there = text.text().lines().any(|line| line.starts_with(prefix));
        ensure!(there, "no metric begins with {prefix}:\n{}", text.text());
    }
    Ok(())
}

async fn its_port_for_metrics_leads_to_its_metrics(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    created(&ctx, &alert(&ctx, "ByItsPort", "cart-0")).await?;
    let metrics = ctx.metrics("gateway:metrics").await?;
    ensure!(metrics.sum("gateway_signals_received_total", &[])? >= 1.0, "nothing is counted");
    Ok(())
}

async fn signals_are_counted_when_they_are_new_and_when_they_come_again(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let mut alert = alert(&ctx, "Counted", "cart-0");
    alert["commonLabels"]["severity"] = json!("info");
    let event = event(&ctx, "Warning", "BackOff", "cart-0");
    for (path, signal, source, severity) in [
        (ALERTS, &alert, "prometheus-alert", "info"),
        (EVENTS, &event, "kubernetes-event", "warning"),
    ] {
        let received = [("source_type", source), ("severity", severity)];
        let made = [("source_type", source), ("status", "created")];
        let timed = [("endpoint", path), ("method", "POST"), ("status", "201")];
        let series: [Raised<'_>; 6] = [
            ("signals_received_total", &received, 1.0),
            ("signals_received_total", &[], 1.0),
            ("signals_deduplicated_total", &[], 0.0),
            ("crds_created_total", &made, 1.0),
            ("crds_created_total", &[], 1.0),
            ("http_request_duration_seconds_count", &timed, 1.0),
        ];
        let sending = answered(&ctx, path, signal, 201);
        until_seen(&ctx, &raises(&ctx, [GATEWAY, PREFIX], &series, sending).await?).await?;
    }
    let series: [Raised<'_>; 3] = [
        ("signals_deduplicated_total", &[("signal_name", "Counted")], 1.0),
        ("deduplication_cache_hits_total", &[], 1.0),
        ("crds_created_total", &[], 0.0),
    ];
    raises(&ctx, [GATEWAY, PREFIX], &series, answered(&ctx, ALERTS, &alert, 202)).await?;
    let rate = ctx.metrics(GATEWAY).await?.sum("gateway_deduplication_rate", &[])?;
    ensure!(rate > 0.0, "the rate is {rate}");
    Ok(())
}

async fn a_signal_that_came_again_is_counted_by_its_name(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    // Of this name there is no other.
    let name = format!("Again-{}", ctx.correlation_id());
    let alert = alert(&ctx, &name, "cart-0");
    let first = created(&ctx, &alert).await?;
    until_seen(&ctx, &first).await?;
    for _ in 0..3 {
        counted(&ctx, &alert).await?;
    }
    let metrics = ctx.metrics(GATEWAY).await?;
    let labels = [("signal_name", name.as_str())];
    let value = metrics.value("gateway_signals_deduplicated_total", &labels)?;
    ensure!((value - 3.0).abs() < 0.5, "it came again 3 times, and {value} are counted");
    Ok(())
}

async fn the_time_of_requests_is_measured(ctx: Ctx) -> CaseResult {
    const SECONDS: &str = "gateway_http_request_duration_seconds";
    make_namespace(&ctx).await?;
    created(&ctx, &alert(&ctx, "Timed", "cart-0")).await?;
    let metrics = ctx.metrics(GATEWAY).await?;
    let [endpoint, method, status] = [("endpoint", ALERTS), ("method", "POST"), ("status", "201")];
    let sum = metrics.value(&format!("{SECONDS}_sum"), &[endpoint, method, status])?;
    ensure!(sum > 0.0, "they took {sum} s");
    // 1 ms, and double that nine times.
    let bounds =
        ["0.001", "0.002", "0.004", "0.008", "0.016", "0.032", "0.064", "0.128", "0.256", "0.512"];
    for bound in bounds {
        let labels = [endpoint, method, status, ("le", bound)];
        metrics.value(&format!("{SECONDS}_bucket"), &labels)?;
    }
    Ok(())
}

async fn a_request_that_could_not_be_made_is_counted(ctx: Ctx) -> CaseResult {
    allow_no_requests(&ctx).await?;
    let alert = alert(&ctx, "Unmade", "cart-0");
    let series: [Raised<'_>; 2] =
        [("crd_creation_errors_total", &[], 1.0), ("crds_created_total", &[], 0.0)];
    raises(&ctx, [GATEWAY, PREFIX], &series, answered(&ctx, ALERTS, &alert, 500)).await?;
    // Which types of errors there are is not said.
    has_label(&ctx, [GATEWAY, PREFIX], "crd_creation_errors_total", "error_type").await
}
