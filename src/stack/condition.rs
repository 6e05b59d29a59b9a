//! Waits until what a workload's suite asks of an object is so.

use std::{
    iter,
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use kube::{
    Api, ResourceExt,
    api::{DynamicObject, ListParams},
    runtime::{WatchStreamExt as _, watcher::watch_object},
};
use serde_json::{Value, json};

use super::{
    StackError,
    error::{ServerError, watch_refusal},
    kinds::{KindError, with_kind},
    readiness::{Readiness, of_object},
    site::Site,
};
use crate::{
    partial,
    plan::{SuitePlan, WorkloadPlan},
    suite::Condition,
    text::{chain, listed},
    wait,
};

/// How often is looked whether a kind is served by now.
const SERVED: Duration = Duration::from_millis(500);
/// How many objects of its kind are named where one is missing.
const OTHERS: u32 = 8;

/// Waits until a condition of a workload holds. Its limit counts from `begun`.
pub(super) async fn wait(
    site: &Site,
    suite: &SuitePlan,
    workload: &WorkloadPlan,
    condition: &Condition,
    begun: Instant,
) -> Result<(), StackError> {
    let mut seen = "nothing".to_owned();
    let limit = workload.ready_within;
    let mut note = |words: String| {
        let all = format!("{}: until {}: {words}", workload.name, condition.words());
        site.events.waits(&suite.name, &all);
        seen = format!("{}: {words}", condition.words());
    };
    let left = limit.saturating_sub(begun.elapsed());
    let waiting = tokio::time::timeout(left, Box::pin(look(site, condition, &mut note))).await;
    let called = || format!("`{}` of suite `{}`", workload.name, suite.name);
    match waiting {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Unmet::Refused(source))) => Err(StackError::Api {
            what: format!("watch {}", condition.object()),
            namespace: condition.namespace.clone().unwrap_or_default(),
            source,
        }),
        Ok(Err(Unmet::Lost(words))) => Err(StackError::Lost {
            workload: called(),
            reason: format!("{}: {words}", condition.words()),
            evidence: Vec::new(),
        }),
        Err(_) => Err(StackError::Late { workload: called(), limit, seen, evidence: Vec::new() }),
    }
}

/// Why a condition will never hold.
enum Unmet {
    Refused(ServerError),
    Lost(String),
}

async fn look(
    site: &Site,
    condition: &Condition,
    note: &mut impl FnMut(String),
) -> Result<(), Unmet> {
    let namespace = condition.namespace.as_deref().unwrap_or_default();
    let object = json!({"apiVersion": condition.version, "kind": condition.kind});
    let api = loop {
        match site.applier.api(namespace, &object).await {
            Ok(api) => break api,
            // A controller may bring its definition later.
            Err(error @ (KindError::Unknown { .. } | KindError::Unserved { .. })) => {
                note(chain(&error));
            }
            Err(error) => return Err(Unmet::Refused(error.into())),
        }
        wait::pause(SERVED).await;
    };
    let mut objects = pin!(watch_object(api.clone(), &condition.name).default_backoff());
    while let Some(next) = objects.next().await {
        match next {
            Ok(None) => note(others(&api).await),
            Ok(Some(object)) => {
                let kind = [&*condition.version, &*condition.kind];
                match lacks(condition, &with_kind(object, kind)) {
                    Readiness::Ready => return Ok(()),
                    Readiness::Coming(words) | Readiness::Failing(words) => note(words),
                    Readiness::Lost(words) => return Err(Unmet::Lost(words)),
                }
            }
            Err(error) => {
                let words = chain(&error);
                if let Some(refusal) = watch_refusal(error) {
                    return Err(Unmet::Refused(refusal));
                }
                note(words);
            }
        }
    }
    std::future::pending().await
}

/// That an object is not there, and what there is of its kind, as far as the server says it.
async fn others(api: &Api<DynamicObject>) -> String {
    let few = ListParams::default().limit(OTHERS);
    let Ok(found) = api.list_metadata(&few).await else { return absent(&[], false) };
    let names: Vec<_> = found.items.iter().map(ResourceExt::name_any).collect();
    absent(&names, found.metadata.continue_.is_some_and(|more| !more.is_empty()))
}

/// That an object is not there, but these are, and more.
fn absent(names: &[String], more: bool) -> String {
    if names.is_empty() {
        return "there is none yet".to_owned();
    }
    let names = listed(names.iter().map(|name| format!("`{name}`")));
    format!("there is none yet, but {names}{}", if more { ", and more" } else { "" })
}

/// How an object stands, seen from a condition.
fn lacks(condition: &Condition, object: &Value) -> Readiness {
    if matches!(condition.kind.as_str(), "Job" | "Pod")
        && let lost @ Readiness::Lost(_) = of_object(object, 1)
        && !holds(condition, object)
    {
        return lost;
    }
    if let Some(words) = condition.is_true.as_deref().and_then(|it| untrue(object, it)) {
        return Readiness::Coming(words);
    }
    match partial::differences(&condition.matches, object, "last seen") {
        words if condition.matches.is_null() || words.is_empty() => Readiness::Ready,
        words => Readiness::Coming(format!("not so:\n{words}")),
    }
}

fn holds(condition: &Condition, object: &Value) -> bool {
    condition.is_true.as_deref().is_none_or(|it| untrue(object, it).is_none())
        && (condition.matches.is_null() || partial::matches(&condition.matches, object))
}

/// Why a condition of an object's status is not true, unless it is.
fn untrue(object: &Value, condition: &str) -> Option<String> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = conditions.into_iter().flatten().find(|it| it["type"] == condition);
    let Some(found) = found else {
        return Some(format!("its status has no condition {condition} yet"));
    };
    let generation = object.pointer("/metadata/generation").and_then(Value::as_u64);
    // A condition need not say of which generation it speaks; then all of the status may.
    let observed = found.get("observedGeneration").or(object.pointer("/status/observedGeneration"));
    if observed.and_then(Value::as_u64).is_some_and(|observed| Some(observed) < generation) {
        return Some(format!("its condition {condition} is about an older generation"));
    }
    if found["status"] == "True" {
        return None;
    }
    let text = |field: &str| found[field].as_str().filter(|text| !text.is_empty());
    let is = format!("{condition} is {}", text("status").unwrap_or("nothing"));
    let words: Vec<_> =
        iter::once(is.as_str()).chain(text("reason")).chain(text("message")).collect();
    Some(words.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coming(words: &str) -> Readiness {
        Readiness::Coming(words.to_owned())
    }

    #[test]
    fn a_condition_holds_when_it_is_true_of_the_latest_generation() {
        let ready = Condition::of(["example.io/v1", "Queue", "orders"]).is_true("Ready");
        let queue = |status: Value| json!({"metadata": {"generation": 2}, "status": status});
        let stands = |status: Value| lacks(&ready, &queue(status));
        assert_eq!(stands(json!(null)), coming("its status has no condition Ready yet"));
        let of = |observed: u64, status: &str| {
            json!({"observedGeneration": observed, "conditions": [
                {"type": "Ready", "status": status, "reason": "NoRoom", "message": "disk is full"},
            ]})
        };
        let older = "its condition Ready is about an older generation";
        assert_eq!(stands(of(1, "True")), coming(older));
        assert_eq!(stands(of(2, "False")), coming("Ready is False: NoRoom: disk is full"));
        assert_eq!(stands(of(2, "True")), Readiness::Ready);
        assert_eq!(
            stands(json!({"conditions": [{"type": "Ready", "status": "True"}]})),
            Readiness::Ready
        );
    }

    #[test]
    fn of_an_object_that_is_not_there_those_are_told_that_are() {
        assert_eq!(absent(&[], false), "there is none yet");
        let names = ["orders".to_owned(), "bills".to_owned()];
        assert_eq!(absent(&names, false), "there is none yet, but `orders`, `bills`");
        assert_eq!(absent(&names[..1], true), "there is none yet, but `orders`, and more");
    }

    #[test]
    fn a_condition_shows_where_an_object_differs() {
        let bound = Condition::of(["example.io/v1", "Queue", "orders"])
            .matches(json!({"status": {"phase": "Bound"}}));
        let stands = |phase: &str| lacks(&bound, &json!({"status": {"phase": phase}}));
        assert_eq!(stands("Bound"), Readiness::Ready);
        let Readiness::Coming(words) = stands("Pending") else { panic!() };
        assert!(words.contains("-    \"phase\": \"Bound\""), "{words}");
    }

    #[test]
    fn a_job_that_failed_is_not_waited_for_unless_it_should_fail() {
        let job = json!({"kind": "Job", "metadata": {}, "status": {"conditions": [
            {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"},
        ]}});
        let of = |condition: &str| Condition::of(["batch/v1", "Job", "seed"]).is_true(condition);
        let lost = Readiness::Lost("it failed: BackoffLimitExceeded".to_owned());
        assert_eq!(lacks(&of("Complete"), &job), lost);
        assert_eq!(lacks(&of("Failed"), &job), Readiness::Ready);
    }
}
