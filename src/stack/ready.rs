//! Waits for a workload: a watch says when to look, a look says how it stands.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, StreamExt as _, stream::select_all};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt as _,
    api::{DynamicObject, ListParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::Value;

use super::{
    StackError, details,
    error::{ServerError, is_refusal},
    generation, pods,
    readiness::{Readiness, few, has_pods, has_replicas, of_object, replicas},
    site::Site,
};
use crate::{
    manifest::{SUITE, selector, text_at},
    plan::{SuitePlan, WorkloadPlan},
    text::chain,
    wait,
};

/// How long a workload may take unless something says earlier that it is lost.
pub(super) const LIMIT: Duration = Duration::from_mins(3);
/// A watch may miss something; so there is a look at least this often.
const AT_LEAST: Duration = Duration::from_secs(1);
/// How long what may heal by itself is given to do so: a registry is asked again after 10 s, and
/// pods of before hold their part of a node and of a quota until they have ended.
const GRACE: Duration = Duration::from_secs(20);

/// Waits until all objects of a workload are ready, and no pod of before is left that could answer.
///
/// Its limit counts from `begun`.
pub(super) async fn wait(
    site: &Site,
    suite: &SuitePlan,
    workload: &WorkloadPlan,
    begun: Instant,
) -> Result<(), StackError> {
    let objects = workload.objects.iter().filter(|object| has_pods(object));
    let waiting = objects.map(|object| one(site, suite, workload, object, begun));
    futures_util::future::try_join_all(waiting).await.map(drop)
}

async fn one(
    site: &Site,
    suite: &SuitePlan,
    workload: &WorkloadPlan,
    object: &Value,
    begun: Instant,
) -> Result<(), StackError> {
    let fail = |source: ServerError| StackError::Api {
        what: format!("look at {} `{}`", text_at(object, "/kind"), workload.name),
        namespace: suite.namespace.clone(),
        source,
    };
    let name = text_at(object, "/metadata/name");
    let api = site.applier.api(&suite.namespace, object).await;
    let api = api.map_err(|error| fail(error.into()))?;
    let pods = Api::<Pod>::namespaced(site.cluster.client(), &suite.namespace);
    let this = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let of_suite = || format!("{SUITE}={}", suite.name);
    let own = watcher::Config::default().labels(&selector(object).unwrap_or_else(of_suite));
    // A watch that breaks is begun again; until then the clock says when to look.
    let changes = select_all([
        watcher(api.clone(), this).default_backoff().map(drop).boxed(),
        watcher(pods.clone(), own).default_backoff().map(drop).boxed(),
    ]);
    let mut changes = pin!(changes);
    let mut failing: Option<Instant> = None;
    loop {
        let looking = tokio::time::timeout(LIMIT, look(&api, &pods, object));
        let (readiness, pod) = match looking.await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) if is_refusal(&error) => return Err(fail(error.into())),
            // It may answer again.
            Ok(Err(error)) => (Readiness::Coming(format!("no answer: {}", chain(&error))), None),
            Err(_) => (Readiness::Lost("the API server does not answer any more".to_owned()), None),
        };
        let (seen, lost) = match readiness {
            Readiness::Ready => return Ok(()),
            Readiness::Coming(seen) => {
                failing = None;
                (seen, false)
            }
            Readiness::Failing(seen) => {
                (seen, failing.get_or_insert_with(Instant::now).elapsed() > GRACE)
            }
            Readiness::Lost(seen) => (seen, true),
        };
        let late = begun.elapsed() > LIMIT;
        if lost || late {
            let client = site.cluster.client();
            let evidence = details::evidence(&client, &suite.namespace, pod.as_ref()).await;
            let workload = format!("`{}` of suite `{}`", workload.name, suite.name);
            return Err(if lost {
                StackError::Lost { workload, reason: seen, evidence }
            } else {
                StackError::Late { workload, limit: LIMIT, seen, evidence }
            });
        }
        site.events.waits(&suite.name, &format!("{}: {seen}", workload.name));
        // Either of them: the next look says how it stands.
        let _ = tokio::time::timeout(AT_LEAST, changes.next()).await;
        wait::pause(Duration::from_millis(20)).await;
        // One look covers all that has happened by now.
        while changes.next().now_or_never().flatten().is_some() {}
    }
}

/// How an object stands that was applied as `object`, and the pod that says so.
async fn look(
    api: &Api<DynamicObject>,
    pods: &Api<Pod>,
    object: &Value,
) -> Result<(Readiness, Option<Pod>), kube::Error> {
    let Some(live) = api.get_opt(text_at(object, "/metadata/name")).await? else {
        return Ok((Readiness::Lost("it was deleted".to_owned()), None));
    };
    let live = serde_json::to_value(&live).map_err(kube::Error::SerdeError)?;
    let wanted = wanted(&live, object);
    let own = of_object(&live, wanted);
    // The pods of a Job only have to end.
    if own == Readiness::Ready && live["kind"] == "Job" {
        return Ok((own, None));
    }
    let made = made(pods, &live).await?;
    if own == Readiness::Ready {
        return Ok((complete(&made, object, wanted), None));
    }
    let mut worst = (own, None);
    // A pod of before that still ends is not the one that counts.
    for pod in made.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
        let found = explained(pods, &pod).await?;
        let (rank, before) = (found.rank(), worst.0.rank());
        if rank > before || worst.1.is_none() && rank == before {
            worst = (found, Some(pod));
        }
    }
    Ok(worst)
}

/// How many pods are wanted: what was scaled in the meantime counts, but nothing is not enough.
fn wanted(live: &Value, object: &Value) -> u64 {
    match replicas(live) {
        0 => replicas(object),
        scaled => scaled,
    }
}

/// The pods that an object made.
async fn made(pods: &Api<Pod>, live: &Value) -> Result<Vec<Pod>, kube::Error> {
    if live["kind"] == "Pod" {
        let pod = serde_json::from_value(live.clone()).map_err(kube::Error::SerdeError)?;
        return Ok(vec![pod]);
    }
    let Some(selector) = selector(live) else {
        return Ok(Vec::new());
    };
    let mut list = pods.list(&ListParams::default().labels(&selector)).await?.items;
    list.retain(|pod| pods::is_made_by(pod, live));
    Ok(list)
}

/// How an object stands that calls itself ready: its status may be from before its pods went, and
/// pods of before may still answer.
fn complete(made: &[Pod], object: &Value, wanted: u64) -> Readiness {
    let mark = generation::of_object(object);
    for pod in made {
        if pods::still_ends(pod) {
            return Readiness::Coming(format!("`{}` of before still ends", pod.name_any()));
        }
        if pod.metadata.deletion_timestamp.is_none() && generation::of_pod(pod) != mark {
            return Readiness::Coming(format!("`{}` of before still runs", pod.name_any()));
        }
    }
    let ready = made.iter().filter(|pod| pods::is_ready(pod)).count();
    if has_replicas(object) && u64::try_from(ready).unwrap_or(u64::MAX) < wanted {
        return Readiness::Coming(few(ready, wanted));
    }
    Readiness::Ready
}

/// How a pod stands, with what the server knows beyond its status.
async fn explained(pods: &Api<Pod>, pod: &Pod) -> Result<Readiness, kube::Error> {
    let (client, namespace) = (pods.clone().into_client(), pod.namespace().unwrap_or_default());
    let name = pod.name_any();
    let found = pods::readiness(pod);
    if matches!(found, Readiness::Lost(_)) {
        return Ok(found);
    }
    if pods::is_pending(pod)
        && let Some(words) = details::unbound(&client, &namespace, pod).await?
    {
        // Its provisioner may still bind it.
        return Ok(Readiness::Coming(if let Readiness::Failing(seen) = found {
            format!("{seen}; {words}")
        } else {
            words
        }));
    }
    if pods::waits_for_volumes(pod) {
        let reasons = ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"];
        let words = details::warning(&client, &namespace, &name, &reasons).await?;
        // The kubelet tries again.
        return Ok(words.map_or(found, Readiness::Coming));
    }
    if let Readiness::Coming(seen) = &found
        && pods::is_probed(pod)
        && let Some(words) = details::warning(&client, &namespace, &name, &["Unhealthy"]).await?
    {
        return Ok(Readiness::Coming(format!("{seen}: {}", words.trim())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, mark: &str) -> Value {
        json!({
            "metadata": {"name": name, "annotations": {"kindwright/generation": mark}},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "shop", "ready": true, "restartCount": 0, "image": "", "imageID": "",
                    "state": {"running": {}}}],
            },
        })
    }

    fn ending(mut pod: Value, state: Value) -> Value {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        pod["status"]["containerStatuses"][0]["state"] = state;
        pod
    }

    fn stands(pods: &[Value], wanted: u64) -> Readiness {
        let object = json!({"kind": "Deployment", "metadata": {"name": "shop"}, "spec": {
            "replicas": wanted,
            "template": {"metadata": {"annotations": {"kindwright/generation": "new"}}},
        }});
        let pods: Vec<Pod> =
            pods.iter().map(|pod| serde_json::from_value(pod.clone()).unwrap()).collect();
        complete(&pods, &object, wanted)
    }

    #[test]
    fn a_workload_is_ready_only_when_no_pod_of_before_can_answer() {
        let new = || pod("shop-2", "new");
        assert_eq!(stands(&[new()], 1), Readiness::Ready);
        let old = ending(pod("shop-1", "old"), json!({"running": {}}));
        let words = Readiness::Coming("`shop-1` of before still ends".into());
        assert_eq!(stands(&[old, new()], 1), words);
        let words = Readiness::Coming("`shop-1` of before still runs".into());
        assert_eq!(stands(&[pod("shop-1", "old"), new()], 1), words);
    }

    #[test]
    fn it_costs_no_more_than_the_end_of_the_containers() {
        let ended = ending(pod("shop-1", "old"), json!({"terminated": {"exitCode": 0}}));
        assert_eq!(stands(&[ended, pod("shop-2", "new")], 1), Readiness::Ready);
    }

    #[test]
    fn the_pods_themselves_say_how_many_are_ready() {
        let words = Readiness::Coming("1 of 2 pods ready".into());
        assert_eq!(stands(&[pod("shop-2", "new")], 2), words);
        let killed = ending(pod("shop-2", "new"), json!({"running": {}}));
        let words = Readiness::Coming("`shop-2` of before still ends".into());
        assert_eq!(stands(&[killed, pod("shop-3", "new")], 1), words);
    }

    #[test]
    fn a_workload_that_somebody_stopped_is_not_ready() {
        let replicas = |number: u64| json!({"spec": {"replicas": number}});
        assert_eq!(wanted(&replicas(0), &replicas(2)), 2);
        assert_eq!(wanted(&replicas(3), &replicas(2)), 3);
        assert_eq!(wanted(&replicas(0), &replicas(0)), 0);
    }
}
