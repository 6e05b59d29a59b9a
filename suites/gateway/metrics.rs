//! What the service counts (scenarios 04 and 20).

use kindwright::{Case, CaseResult, Ctx, MetricsError, case, cases, ensure};
use serde_json::json;

use super::{
    ALERTS, GATEWAY, SOON, alert, counted, created, event, made_now, make_namespace, send,
    until_seen,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let all = cases![
        it_exposes_metrics_of_its_own_and_of_its_process,
        a_new_signal_is_counted_by_source_and_severity,
        a_signal_that_came_again_is_counted_by_its_name,
        the_time_of_requests_is_measured,
        a_request_that_could_not_be_made_is_counted,
    ];
    // The original's Service leads its second port to where nobody listens.
    let port = case!(its_port_for_metrics_leads_to_its_metrics).beyond("supplement 6.3");
    all.into_iter().chain([port])
}

/// What is counted under a name with these labels; 0 before it is counted for the first time.
async fn total(ctx: &Ctx, name: &str, labels: &[(&str, &str)]) -> Result<f64, MetricsError> {
    Ok(ctx.metrics(GATEWAY).await?.sum(name, labels).unwrap_or(0.0))
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

async fn a_new_signal_is_counted_by_source_and_severity(ctx: Ctx) -> CaseResult {
    const RECEIVED: &str = "gateway_signals_received_total";
    const CREATED: &str = "gateway_crds_created_total";
    make_namespace(&ctx).await?;
    let mut alert = alert(&ctx, "Counted", "cart-0");
    alert["commonLabels"]["severity"] = json!("info");
    let alerts = [("source_type", "prometheus-alert"), ("severity", "info")];
    let made = [("source_type", "kubernetes-event"), ("status", "created")];
    let now = async || -> Result<(f64, f64), MetricsError> {
        Ok((total(&ctx, RECEIVED, &alerts).await?, total(&ctx, CREATED, &made).await?))
    };
    let before = now().await?;
    created(&ctx, &alert).await?;
    let event = event(&ctx, "Warning", "BackOff", "cart-0");
    made_now(&ctx, super::EVENTS).json(&event).send().await?.expect(201)?;
    ctx.until("both are counted", SOON, async || {
        let after = now().await?;
        ensure!(after.0 > before.0 && after.1 > before.1, "{before:?}, and then {after:?}");
        Ok(())
    })
    .await?;
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
    // Other cases count here too.
    let hits = metrics.sum("gateway_deduplication_cache_hits_total", &[])?;
    ensure!(hits >= 3.0, "{hits} hits are counted");
    ensure!(metrics.sum("gateway_deduplication_rate", &[])? > 0.0, "the rate is 0");
    Ok(())
}

async fn the_time_of_requests_is_measured(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    created(&ctx, &alert(&ctx, "Timed", "cart-0")).await?;
    let metrics = ctx.metrics(GATEWAY).await?;
    let labels = [("endpoint", ALERTS), ("method", "POST"), ("status", "201")];
    for ending in ["count", "sum", "bucket"] {
        let name = format!("gateway_http_request_duration_seconds_{ending}");
        ensure!(metrics.sum(&name, &labels)? > 0.0, "{name} is 0");
    }
    Ok(())
}

async fn a_request_that_could_not_be_made_is_counted(ctx: Ctx) -> CaseResult {
    const ERRORS: &str = "gateway_crd_creation_errors_total";
    super::refusals::allow_no_requests(&ctx).await?;
    let before = total(&ctx, ERRORS, &[]).await?;
    send(&ctx, &alert(&ctx, "Unmade", "cart-0")).await?.expect(500)?;
    let after = total(&ctx, ERRORS, &[]).await?;
    ensure!(after > before, "{before} errors were counted before it, and {after} after it");
    Ok(())
}
