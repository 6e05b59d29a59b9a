//! Waits for a workload: a watch says when to look, a look says how it stands.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream::select_all};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{DynamicObject, ListParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::Value;

use super::{Place, StackError, pods};
use crate::{
    manifest::{SUITE, selector, text_at},
    plan::{SuitePlan, WorkloadPlan},
    wait,
};

/// How long a workload may take unless something says earlier that it is lost.
const LIMIT: Duration = Duration::from_mins(3);
/// A watch may miss something; so there is a look at least this often.
const AT_LEAST: Duration = Duration::from_secs(1);
/// How long a state that may heal by itself is given to do so.
const GRACE: Duration = Duration::from_secs(5);

/// How a workload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is ready.
    Ready,
    /// It may get ready.
    Coming(String),
    /// It is lost unless this heals within a few seconds.
    Failing(String),
    /// It will never get ready.
    Lost(String),
}

/// Waits until all objects of a workload are ready.
pub(super) async fn wait(
    place: &Place,
    suite: &SuitePlan,
    workload: &WorkloadPlan,
    objects: &[Value],
) -> Result<(), StackError> {
    let objects = objects.iter().filter(|object| has_pods(object));
    let waiting = objects.map(|object| one(place, suite, workload, object));
    futures_util::future::try_join_all(waiting).await.map(drop)
}

async fn one(
    place: &Place,
    suite: &SuitePlan,
    workload: &WorkloadPlan,
    object: &Value,
) -> Result<(), StackError> {
    let fail = |source| StackError::Api {
        what: format!("look at {} `{}`", text_at(object, "/kind"), workload.name),
        namespace: suite.namespace.clone(),
        source: Box::new(source),
    };
    let name = text_at(object, "/metadata/name");
    let api = place.applier.api(&suite.namespace, object).await.map_err(fail)?;
    let pods = Api::<Pod>::namespaced(place.cluster.client(), &suite.namespace);
    let this = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let all = watcher::Config::default().labels(&format!("{SUITE}={}", suite.name));
    // A watch that breaks is begun again; until then the clock says when to look.
    let changes = select_all([
        watcher(api.clone(), this).default_backoff().map(drop).boxed(),
        watcher(pods.clone(), all).default_backoff().map(drop).boxed(),
    ]);
    let mut changes = pin!(changes);
    let begun = Instant::now();
    let mut failing: Option<Instant> = None;
    loop {
        let looking = tokio::time::timeout(LIMIT, look(&api, &pods, name));
        let (state, pod) = looking.await.unwrap_or_else(|_| Ok(silent())).map_err(fail)?;
        let (seen, lost) = match state {
            State::Ready => return Ok(()),
            State::Coming(seen) => {
                failing = None;
                (seen, false)
            }
            State::Failing(seen) => {
                (seen, failing.get_or_insert_with(Instant::now).elapsed() > GRACE)
            }
            State::Lost(seen) => (seen, true),
        };
        let late = begun.elapsed() > LIMIT;
        if lost || late {
            let evidence =
                pods::evidence(&place.cluster.client(), &suite.namespace, pod.as_ref()).await;
            let workload = format!("`{}` of suite `{}`", workload.name, suite.name);
            return Err(if lost {
                StackError::Lost { workload, reason: seen, evidence }
            } else {
                StackError::Late { workload, limit: LIMIT, seen, evidence }
            });
        }
        place.events.waits(&suite.name, &format!("{}: {seen}", workload.name));
        // Either of them: the next look says how it stands.
        let _ = tokio::time::timeout(AT_LEAST, changes.next()).await;
        wait::pause(Duration::from_millis(20)).await;
    }
}

/// How a workload stands of which the server says nothing.
fn silent() -> (State, Option<Pod>) {
    (State::Lost("the API server does not answer any more".to_owned()), None)
}

async fn look(
    api: &Api<DynamicObject>,
    pods: &Api<Pod>,
    name: &str,
) -> Result<(State, Option<Pod>), kube::Error> {
    let Some(object) = api.get_opt(name).await? else {
        return Ok((State::Lost("it was deleted".to_owned()), None));
    };
    let document = serde_json::to_value(&object).map_err(kube::Error::SerdeError)?;
    let own = of_object(&document);
    if own == State::Ready {
        return Ok((own, None));
    }
    let Some(selector) = selector(&document) else {
        return Ok((own, None));
    };
    let list = pods.list(&ListParams::default().labels(&selector)).await?;
    let mut worst = (own, None);
    // A pod of an old template that still stops is not the one that counts.
    for pod in list.items.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
        let mut state = pods::state(&pod);
        if pods::waits_for_volumes(&pod) {
            let reasons = ["FailedMount", "FailedCreatePodSandBox"];
            if let Some(words) = pods::warning(pods, &pod, &reasons).await? {
                state = State::Failing(words);
            }
        } else if let State::Coming(seen) = &mut state
            && pods::is_probed(&pod)
            && let Some(words) = pods::warning(pods, &pod, &["Unhealthy"]).await?
        {
            let words = words.trim().trim_start_matches("Readiness probe failed: ");
            *seen = format!("{seen}: {words}");
        }
        if rank(&state) > rank(&worst.0) || worst.1.is_none() && rank(&state) == rank(&worst.0) {
            worst = (state, Some(pod));
        }
    }
    Ok(worst)
}

fn rank(state: &State) -> u8 {
    match state {
        State::Ready => 0,
        State::Coming(_) => 1,
        State::Failing(_) => 2,
        State::Lost(_) => 3,
    }
}

/// Whether an object of this kind runs pods that are waited for.
fn has_pods(object: &Value) -> bool {
    matches!(
        text_at(object, "/kind"),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "Pod"
    )
}

/// How an object stands by its own status.
fn of_object(object: &Value) -> State {
    let number = |path: &str| object.pointer(path).and_then(Value::as_u64);
    let status = |field: &str| number(&format!("/status/{field}")).unwrap_or(0);
    let condition = |name: &str| {
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let mut conditions = conditions.into_iter().flatten();
        conditions.find(|condition| condition["type"] == name)
    };
    let is =
        |name: &str, value: &str| condition(name).filter(|condition| condition["status"] == value);
    let kind = text_at(object, "/kind");
    // A status from before the latest spec says nothing about it.
    let current = number("/metadata/generation")
        .is_none_or(|generation| status("observedGeneration") >= generation);
    if !current && matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") {
        return State::Coming("the controller has not seen it yet".to_owned());
    }
    if let Some(failure) = is("ReplicaFailure", "True") {
        return State::Failing(format!("its pods are refused: {}", text_at(failure, "/message")));
    }
    let wanted = number("/spec/replicas").unwrap_or(1);
    let (ready, wanted) = match kind {
        "Deployment" => {
            let surplus = status("replicas") > wanted;
            (
                status("availableReplicas").min(status("updatedReplicas")),
                wanted + u64::from(surplus),
            )
        }
        "StatefulSet" => (status("readyReplicas").min(status("updatedReplicas")), wanted),
        "DaemonSet" => (
            status("numberAvailable").min(status("updatedNumberScheduled")),
            status("desiredNumberScheduled").max(1),
        ),
        "ReplicaSet" => (status("availableReplicas"), wanted),
        "Job" => match is("Failed", "True") {
            Some(failed) => {
                return State::Lost(format!("it failed: {}", text_at(failed, "/message")));
            }
            None => (u64::from(is("Complete", "True").is_some()), 1),
        },
        _ => (u64::from(is("Ready", "True").is_some()), 1),
    };
    if ready >= wanted {
        State::Ready
    } else {
        State::Coming(format!("{ready} of {wanted} pods ready"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(generation: u64, observed: u64, ready: u64) -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {"name": "api", "generation": generation},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": observed, "replicas": 1, "updatedReplicas": ready, "availableReplicas": ready},
        })
    }

    #[test]
    fn a_status_from_before_the_latest_spec_is_not_believed() {
        let state = of_object(&deployment(2, 1, 1));
        assert_eq!(state, State::Coming("the controller has not seen it yet".into()));
        assert_eq!(of_object(&deployment(2, 2, 1)), State::Ready);
        assert_eq!(of_object(&deployment(2, 2, 0)), State::Coming("0 of 1 pods ready".into()));
    }

    #[test]
    fn a_job_that_failed_is_lost() {
        let job = json!({"kind": "Job", "metadata": {}, "status": {"conditions": [
            {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"},
        ]}});
        assert_eq!(of_object(&job), State::Lost("it failed: BackoffLimitExceeded".into()));
    }

    #[test]
    fn pods_that_admission_refuses_are_named() {
        let mut refused = deployment(1, 1, 0);
        refused["status"]["conditions"] =
            json!([{"type": "ReplicaFailure", "status": "True", "message": "forbidden: quota"}]);
        assert_eq!(
            of_object(&refused),
            State::Failing("its pods are refused: forbidden: quota".into())
        );
    }
}
