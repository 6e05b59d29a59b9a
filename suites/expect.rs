//! What cases of several suites expect of objects, rows and metrics.

use std::{cell::Cell, time::Duration};

use kindwright::{CaseResult, Ctx, Failure, MetricsError, Rows, ensure, ensure_eq};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::platform::SOON;

/// How long events may take that were kept while the data service was away.
const KEPT: Duration = Duration::from_mins(1);
/// How long a fingerprint may rest between two failures; the original has a minute.
const REST: Duration = Duration::from_secs(90);

/// Makes one object after the other, by their numbers, until the status of one is as it should be: a policy counts only
/// once the node has written it.
pub(crate) async fn until_one(
    ctx: &Ctx,
    what: &str,
    limit: Duration,
    status: impl AsyncFn(u32) -> Result<Value, Failure>,
    is_so: impl Fn(&Value) -> bool,
) -> Result<Value, Failure> {
    let number = Cell::new(0);
    ctx.until(what, limit, async || {
        number.set(number.get() + 1);
        let status = status(number.get()).await?;
        ensure!(is_so(&status), "the status is {status}");
        Ok(status)
    })
    .await
}

/// Waits as long as the fingerprint of a remediation that has failed is to rest.
pub(crate) async fn rest(ctx: &Ctx, failed: &Value) -> CaseResult {
    let until = failed["status"]["nextAllowedExecution"].as_str().unwrap_or_default();
    let until = OffsetDateTime::parse(until, &Rfc3339).map_err(|error| {
        Failure::new(format_args!("{error} in nextAllowedExecution of {failed}"))
    })?;
    ctx.until(format_args!("{until}"), REST, async || {
        let now = OffsetDateTime::now_utc();
        ensure!(now > until, "it is {now}");
        Ok(())
    })
    .await
}

/// Fails unless each of these objects is told by events of these kinds, and each of them is stored once.
pub(crate) async fn told_once(events: Rows, names: &[String], kinds: &[&str]) -> CaseResult {
    let alike = names.iter().map(|name| (name.as_str(), kinds.iter().copied()));
    each_told_once(events, alike).await
}

/// Fails unless each of these objects is told by events of its kinds, and each of them is stored once.
pub(crate) async fn each_told_once<'a, Kinds: IntoIterator<Item = &'a str>>(
    events: Rows,
    objects: impl IntoIterator<Item = (&'a str, Kinds)>,
) -> CaseResult {
    let told_of = |(name, kinds): (&'a str, Kinds)| kinds.into_iter().map(move |it| (name, it));
    let mut expected: Vec<_> = objects.into_iter().flat_map(told_of).collect();
    expected.sort_unstable();
    let events = events.exactly(expected.len()).within(KEPT).holds().await?;
    let mut told: Vec<_> = events
        .iter()
        .map(|event| {
            let name = event.get("resource_id").and_then(Value::as_str);
            (name.unwrap_or_default(), event.kind())
        })
        .collect();
    told.sort_unstable();
    ensure_eq!(told, expected);
    Ok(())
}

/// Waits until Kubernetes has told something of an object of the case for this reason, and returns the event.
pub(crate) async fn event_told(
    ctx: &Ctx,
    object: [&str; 3],
    reason: &str,
) -> Result<Value, Failure> {
    ctx.until(format_args!("the event {reason}"), SOON, async || {
        let events = ctx.objects().events(object).await?;
        let told = events.iter().find(|event| event["reason"] == reason);
        told.cloned().ok_or_else(|| Failure::new(format_args!("there are {events:?}")))
    })
    .await
}

/// The sum of a metric of a service. One is there once something is counted, which may be what this case does.
pub(crate) async fn counted(
    ctx: &Ctx,
    service: &str,
    name: &str,
    labels: &[(&str, &str)],
) -> Result<f64, MetricsError> {
    match ctx.metrics(service).await?.sum(name, labels) {
        Err(
            MetricsError::Unknown { .. }
            | MetricsError::Uncounted { .. }
            | MetricsError::Unlabelled { .. },
        ) => Ok(0.0),
        sum => sum,
    }
}

/// A condition of a status; null if there is none.
pub(crate) fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    conditions.find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

/// Whether an object has a condition of this type, status and reason.
pub(crate) fn has_condition(object: &Value, kind: &str, [status, reason]: [&str; 2]) -> bool {
    let condition = condition(&object["status"], kind);
    condition["status"] == status && condition["reason"] == reason
}

/// A series of a service, by the name of its metric and by its labels, and by how much something raises it.
pub(crate) type Raised<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

/// How long a count must stay as it is.
const STAYS: Duration = Duration::from_secs(1);

/// Does something, and fails unless it has raised each of these series of a service by so much, and no more; returns what
/// came of it. The names of the metrics begin with `prefix`.
pub(crate) async fn raises<T>(
    ctx: &Ctx,
    [service, prefix]: [&str; 2],
    series: &[Raised<'_>],
    cause: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut before = Vec::new();
    for (name, labels, _) in series {
        before.push(counted(ctx, service, &format!("{prefix}{name}"), labels).await?);
    }
    let caused = cause.await?;
    let raised = async || -> CaseResult {
        for ((name, labels, more), before) in series.iter().zip(&before) {
            let after = counted(ctx, service, &format!("{prefix}{name}"), labels).await?;
            ensure_eq!((name, labels, after - before), (name, labels, *more));
        }
        Ok(())
    };
    // It is counted when it is noted.
    ctx.until("the counts", SOON, raised).await?;
    ctx.stays("the counts", STAYS, raised).await?;
    Ok(caused)
}

/// Fails unless a metric of a service has samples, and each of them has this label.
pub(crate) async fn has_label(
    ctx: &Ctx,
    [service, prefix]: [&str; 2],
    name: &str,
    label: &str,
) -> CaseResult {
    let answer = ctx.get(service, "/metrics").send().await?.expect(200)?;
    let whole = format!("{prefix}{name}{{");
    let samples: Vec<_> = answer.text().lines().filter(|line| line.starts_with(&whole)).collect();
    ensure!(!samples.is_empty(), "no {whole} in:\n{}", answer.text());
    let label = ["{", ","].map(|before| format!("{before}{label}=\""));
    let without =
        samples.iter().find(|sample| !label.iter().any(|label| sample.contains(label.as_str())));
    ensure!(without.is_none(), "there is {without:?}");
    Ok(())
}

/// Fails unless something takes less than a limit: one of three, which are numbered from 1.
pub(crate) async fn is_done_within(
    limit: Duration,
    mut attempt: impl AsyncFnMut(u32) -> Result<Duration, Failure>,
) -> CaseResult {
    let mut took = Vec::new();
    // A busy machine may hold up one, but not each of them.
    for number in 1..=3 {
        took.push(attempt(number).await?);
        if took.last().is_some_and(|last| *last < limit) {
            return Ok(());
        }
    }
    Err(Failure::new(format!("it took {took:.1?}")))
}
