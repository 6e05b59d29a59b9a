//! What the service counts (contract 4.8).

use kindwright::{Case, CaseResult, Ctx, MetricsError, case, cases, ensure};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{EVENTS, SERVICE, event, store, time};

/// The name of a metric, and its labels.
type Series = (&'static str, &'static [(&'static str, &'static str)]);

const FAILURES: &str = "validation_failures_total";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![a_stored_event_is_counted, a_refusal_is_counted_by_the_check_that_refused]
        .into_iter()
        .chain([
            // The original has these names, and counts nothing under some of them.
            case!(the_streams_of_what_waits_are_measured).beyond("contract 4.8"),
        ])
}

/// What is counted; nothing where there is no such metric yet.
async fn values(ctx: &Ctx, series: &[Series]) -> Result<Vec<f64>, MetricsError> {
    let metrics = ctx.metrics(SERVICE).await?;
    let value = |(name, labels): &Series| {
        metrics.sum(&format!("datastorage_{name}"), labels).unwrap_or_default()
    };
    Ok(series.iter().map(value).collect())
}

/// Fails unless each of these has grown.
async fn grown(ctx: &Ctx, series: &[Series], before: Vec<f64>) -> CaseResult {
    let after = values(ctx, series).await?;
    for ((name, labels), (before, after)) in series.iter().zip(before.into_iter().zip(after)) {
        ensure!(after > before, "{name} {labels:?} was {before}, and is {after}");
    }
    Ok(())
}

/// An event that nothing is wrong with.
fn received(ctx: &Ctx) -> Value {
    event(ctx, "gateway", "gateway.signal.received", "received")
}

async fn a_stored_event_is_counted(ctx: Ctx) -> CaseResult {
    const STORED: [Series; 3] = [
        ("write_duration_seconds_count", &[("table", "audit_events")]),
        ("audit_traces_total", &[("service", "gateway"), ("status", "success")]),
        ("audit_lag_seconds_count", &[("service", "gateway")]),
    ];
    const TOTALS: [Series; 2] = [
        ("write_total", &[("table", "audit_events")]),
        ("query_total", &[("operation", "list_audit_events")]),
    ];
    let (before, totals) = (values(&ctx, &STORED).await?, values(&ctx, &TOTALS).await?);
    store(&ctx, &received(&ctx)).await?;
    super::list(&ctx, &[("correlation_id", ctx.correlation_id())]).await?;
    grown(&ctx, &STORED, before).await?;
    let after = values(&ctx, &TOTALS).await?;
    ensure!(after == totals, "the totals of events were {totals:?}, and are {after:?}");
    Ok(())
}

async fn a_refusal_is_counted_by_the_check_that_refused(ctx: Ctx) -> CaseResult {
    const REFUSED: [Series; 4] = [
        (FAILURES, &[("field", "openapi_middleware"), ("reason", "validation_error")]),
        (FAILURES, &[("field", "business_rules"), ("reason", "validation_failed")]),
        (FAILURES, &[("field", "parent_event_id"), ("reason", "parent_not_found")]),
        (FAILURES, &[("field", "body"), ("reason", "empty_batch")]),
    ];
    let before = values(&ctx, &REFUSED).await?;
    let old = time(OffsetDateTime::now_utc() - Duration::days(8));
    for (field, value) in [
        ("event_outcome", "maybe"),
        ("event_timestamp", old.as_str()),
        ("parent_event_id", "00000000-0000-4000-8000-000000000000"),
    ] {
        let mut event = received(&ctx);
        event[field] = json!(value);
        ctx.post(SERVICE, EVENTS).json(&event).send().await?.expect(400)?;
    }
    let batch = ctx.post(SERVICE, &format!("{EVENTS}/batch"));
    batch.json(&json!([])).send().await?.expect(400)?;
    grown(&ctx, &REFUSED, before).await
}

async fn the_streams_of_what_waits_are_measured(ctx: Ctx) -> CaseResult {
    const STORED: [Series; 1] = [("dualwrite_success_total", &[])];
    let before = values(&ctx, &STORED).await?;
    store(&ctx, &received(&ctx)).await?;
    grown(&ctx, &STORED, before).await?;
    let metrics = ctx.metrics(SERVICE).await?;
    for name in ["datastorage_dlq_depth", "datastorage_dlq_capacity_ratio"] {
        metrics.value(name, &[("stream", "audit:dlq:events")])?;
    }
    Ok(())
}
