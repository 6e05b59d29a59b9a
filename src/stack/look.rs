//! Looks how an object of a workload stands, with the pods that it made.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt as _, api::DynamicObject};
use serde_json::Value;

use super::{
    details, generation, made, pods,
    readiness::{Readiness, few, has_replicas, of_object, replicas},
    restarts::Allowance,
    room::Room,
};
use crate::manifest::text_at;

/// How an object stands that was applied as `object`, and the pod that says so.
pub(super) async fn look(
    api: &Api<DynamicObject>,
    pods: &Api<Pod>,
    object: &Value,
    allowance: Allowance<'_>,
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
    let made = made::pods_of(pods, &live).await?;
    if own == Readiness::Ready {
        return Ok((complete(&made, object, wanted), None));
    }
    let room = Room::of(&made, object);
    let mut worst = (own, None);
    // What counts are the pods of today that are to stay.
    for pod in made.iter().filter(|pod| is_of_today(pod, object)) {
        let found = match pods::unschedulable(pod) {
            Some(words) if room.comes() => {
                room.make(pods).await?;
                Readiness::Coming(format!("{words}; pods of before still hold their room"))
            }
            Some(_) | None => explained(pods, pod, allowance).await?,
        };
        let (rank, before) = (found.rank(), worst.0.rank());
        if rank > before || worst.1.is_none() && rank == before {
            worst = (found, Some(pod.clone()));
        }
    }
    Ok(worst)
}

/// Whether a pod is of the generation that was applied last, and not told to end.
fn is_of_today(pod: &Pod, object: &Value) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && generation::of_pod(pod) == generation::of_object(object)
}

/// How many pods are wanted: what was scaled in the meantime counts, but nothing is not enough.
fn wanted(live: &Value, object: &Value) -> u64 {
    match replicas(live) {
        0 => replicas(object),
        scaled => scaled,
    }
}

/// How an object stands that calls itself ready: its status may be from before its pods went, and
/// pods of before may still answer.
fn complete(made: &[Pod], object: &Value, wanted: u64) -> Readiness {
    for pod in made {
        if pods::still_ends(pod) {
            return Readiness::Coming(format!("`{}` of before still ends", pod.name_any()));
        }
        if pod.metadata.deletion_timestamp.is_none() && !is_of_today(pod, object) {
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
async fn explained(
    pods: &Api<Pod>,
    pod: &Pod,
    allowance: Allowance<'_>,
) -> Result<Readiness, kube::Error> {
    let (client, namespace) = (pods.clone().into_client(), pod.namespace().unwrap_or_default());
    let name = pod.name_any();
    let found = pods::readiness(pod, allowance);
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
    fn a_pod_of_before_does_not_count_when_its_object_was_mended() {
        let object = json!({"kind": "Deployment", "spec": {
            "template": {"metadata": {"annotations": {"kindwright/generation": "new"}}},
        }});
        let counts = |pod: Value| is_of_today(&serde_json::from_value(pod).unwrap(), &object);
        assert!(counts(pod("shop-2", "new")));
        assert!(!counts(pod("shop-1", "old")));
        assert!(!counts(ending(pod("shop-2", "new"), json!({"running": {}}))));
    }

    #[test]
    fn a_workload_that_somebody_stopped_is_not_ready() {
        let replicas = |number: u64| json!({"spec": {"replicas": number}});
        assert_eq!(wanted(&replicas(0), &replicas(2)), 2);
        assert_eq!(wanted(&replicas(3), &replicas(2)), 3);
        assert_eq!(wanted(&replicas(0), &replicas(0)), 0);
    }
}
