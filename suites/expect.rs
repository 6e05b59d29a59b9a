//! What cases of several suites expect of objects, rows and metrics.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use kindwright::{CaseResult, Ctx, Failure, MetricsError, Rows, ensure, ensure_eq};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

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
    let events = events.exactly(kinds.len() * names.len()).within(KEPT).holds().await?;
    let mut told = BTreeMap::<_, Vec<_>>::new();
    for event in &events {
        let name = event.get("resource_id").and_then(Value::as_str).unwrap_or_default();
        told.entry(name).or_default().push(event.kind());
    }
    for kinds in told.values_mut() {
        kinds.sort_unstable();
    }
    let mut kinds = kinds.to_vec();
    kinds.sort_unstable();
    let each = names.iter().map(|name| (name.as_str(), kinds.clone()));
    ensure_eq!(told, each.collect::<BTreeMap<_, _>>());
    Ok(())
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
