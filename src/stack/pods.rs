//! Reads from a pod's status how it stands.

use k8s_openapi::{
    api::core::v1::{Container, ContainerState, ContainerStatus, Pod},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use serde_json::Value;

use super::{readiness::Readiness, restarts::Allowance};
use crate::{manifest::text_at, pod_logs::containers};

/// The exit code of a process that was killed (128 + SIGKILL).
const KILLED: i32 = 137;

/// The reason for waiting of a container that is not started again at once.
const BACK_OFF: &str = "CrashLoopBackOff";
/// Reasons for waiting that do not heal.
const HOPELESS: [&str; 2] = ["ErrImageNeverPull", "InvalidImageName"];
/// Reasons for waiting that may heal: a Secret may come, a registry may answer again.
const DOUBTFUL: [&str; 6] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImagePull",
    "ImageInspectError",
    "ImagePullBackOff",
    "RunContainerError",
];

/// How a pod stands, whose containers have this allowance.
pub(super) fn readiness(pod: &Pod, allowance: Allowance<'_>) -> Readiness {
    let Some(status) = &pod.status else {
        return Readiness::Coming("its pod has no status yet".to_owned());
    };
    let phase = status.phase.as_deref().unwrap_or_default();
    if let Some(words) = unschedulable(pod) {
        return Readiness::Failing(words);
    }
    let containers = containers(pod);
    for container in containers.clone() {
        if let Some(readiness) = stuck(pod, container, allowance) {
            return readiness;
        }
    }
    if phase == "Failed" {
        let words = status.message.as_deref().or(status.reason.as_deref()).unwrap_or_default();
        let ends: Vec<_> = containers.filter_map(|container| last_end(pod, container)).collect();
        let words = format!("its pod failed: {words}{}", ends.join(", "));
        // Whoever made it makes another one, or says himself that he gives up.
        return if maker(pod).is_some() {
            Readiness::Coming(words)
        } else {
            Readiness::Lost(words)
        };
    }
    let initial = status.init_container_statuses.iter().flatten();
    let initial = initial.filter_map(|container| unready(pod, container, "init container"));
    let others = status.container_statuses.iter().flatten();
    let others = others.filter_map(|container| unready(pod, container, "container"));
    let waiting: Vec<_> = initial.chain(others).collect();
    Readiness::Coming(match waiting.as_slice() {
        [] => format!("its pod is {}", phase.to_lowercase()),
        waiting => waiting.join(", "),
    })
}

/// Why a pod finds no room, if it does not.
pub(super) fn unschedulable(pod: &Pod) -> Option<String> {
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let condition = conditions.find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    })?;
    let words = condition.message.as_deref().unwrap_or_default();
    Some(format!("its pod cannot be scheduled: {words}"))
}

/// The controller that made a pod, and would make another one.
pub(super) fn maker(pod: &Pod) -> Option<&OwnerReference> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true))
}

/// How a container stands that waits for a reason that may not pass.
fn stuck(pod: &Pod, container: &ContainerStatus, allowance: Allowance<'_>) -> Option<Readiness> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let name = &container.name;
    let mut words = format!("container `{name}` is in {reason}");
    if let Some(message) = &waiting.message
        && reason != BACK_OFF
    {
        words.push_str(": ");
        words.push_str(message);
    }
    if let Some(end) = last_end(pod, container) {
        words = format!("{words}; {end}");
    }
    if HOPELESS.contains(&reason) {
        return Some(Readiness::Lost(words));
    }
    if DOUBTFUL.contains(&reason) {
        return Some(Readiness::Failing(words));
    }
    if reason != BACK_OFF {
        return None;
    }
    // A Job counts itself how often it is tried.
    let proven =
        allowance.is_spent(pod, container) && maker(pod).is_none_or(|maker| maker.kind != "Job");
    Some(if proven { Readiness::Lost(words) } else { Readiness::Coming(words) })
}

/// How a container ended the last time, if it did.
pub(super) fn last_end(pod: &Pod, container: &ContainerStatus) -> Option<String> {
    let now = container.state.as_ref().and_then(|state| state.terminated.as_ref());
    let before = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let end = now.or(before)?;
    let limit = memory_limit(pod, &container.name);
    let reason = match (end.reason.as_deref(), limit) {
        (Some("OOMKilled"), Some(limit)) => format!(" (OOMKilled; its memory limit is {limit})"),
        // The runtime may hear of the end before it hears that memory ran out.
        (Some("Error") | None, Some(limit)) if end.exit_code == KILLED => {
            format!(" (killed, probably out of memory; its memory limit is {limit})")
        }
        // The exit code says as much.
        (None | Some("Error" | "Completed"), _) => String::new(),
        (Some(reason), _) => format!(" ({reason})"),
    };
    let times = match container.restart_count {
        0 => String::new(),
        1 => ", restarted once".to_owned(),
        times => format!(", restarted {times} times"),
    };
    Some(format!("`{}` ended with exit code {}{reason}{times}", container.name, end.exit_code))
}

fn memory_limit(pod: &Pod, container: &str) -> Option<String> {
    let containers = pod.spec.as_ref()?.containers.iter();
    let found = containers.into_iter().find(|candidate| candidate.name == container)?;
    Some(found.resources.as_ref()?.limits.as_ref()?.get("memory")?.0.clone())
}

fn unready(pod: &Pod, container: &ContainerStatus, what: &str) -> Option<String> {
    if container.ready {
        return None;
    }
    let state = container.state.as_ref()?;
    let words = if let Some(waiting) = &state.waiting {
        waiting.reason.clone().unwrap_or_else(|| "waiting".to_owned())
    } else if state.running.is_some() {
        // An init container only has to end.
        let probed = what == "container";
        if probed { "running, but not ready" } else { "running" }.to_owned()
    } else {
        return last_end(pod, container);
    };
    Some(format!("{what} `{}` is {words}", container.name))
}

/// Whether the next start of a container is put off, up to five minutes, although another pod would
/// be started at once. A Job counts itself how often it is tried.
pub(super) fn is_put_off(pod: &Pod) -> bool {
    let reason =
        |container: &ContainerStatus| container.state.as_ref()?.waiting.as_ref()?.reason.clone();
    maker(pod).is_some_and(|maker| maker.kind != "Job")
        && containers(pod).any(|container| reason(container).as_deref() == Some(BACK_OFF))
}

/// Whether none of its containers may run yet.
pub(super) fn is_pending(pod: &Pod) -> bool {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Pending")
}

/// Whether a pod is scheduled and none of its containers has begun.
pub(super) fn waits_for_volumes(pod: &Pod) -> bool {
    is_pending(pod)
        && statuses(pod).all(|container| {
            let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
            let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
            matches!(reason, Some("ContainerCreating" | "PodInitializing"))
        })
}

/// Whether a container of the pod runs, but does not say that it is ready.
pub(super) fn is_probed(pod: &Pod) -> bool {
    let runs = |state: &ContainerState| state.running.is_some();
    statuses(pod).any(|container| !container.ready && container.state.as_ref().is_some_and(runs))
}

/// Whether a pod is ready because a probe of its own says so, not only because it runs.
pub(super) fn has_readiness_probe(pod: &Pod) -> bool {
    let mut containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.any(|container: &Container| container.readiness_probe.is_some())
}

/// Whether a pod is told to end, and a container of it may still answer.
pub(super) fn still_ends(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some() && !has_ended(pod)
}

/// Whether nothing of a pod runs any more. Until the kubelet says that it is gone, up to 10 s pass
/// in Kubernetes 1.20, and more than a minute if it has removed the containers before it looked how
/// they ended: then it says that they wait for another start, which will not come.
pub(super) fn has_ended(pod: &Pod) -> bool {
    let ended = |state: &ContainerState| state.terminated.is_some();
    let mut containers = statuses(pod).peekable();
    pod.metadata.deletion_timestamp.is_some()
        && containers.peek().is_some()
        && containers.all(|container| {
            let state = container.state.as_ref();
            let waits = state.is_some_and(|state| state.waiting.is_some());
            state.is_some_and(ended) || waits && container.last_state.as_ref().is_some_and(ended)
        })
}

/// Whether a pod is told to end before any container of it began. Kubernetes 1.20 may come to such a one only
/// after more than a minute: it is made in place of one that ends, before its maker hears that it shall not be.
pub(super) fn ends_before_it_begins(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
        && statuses(pod).all(|container| {
            let has_run = container.last_state.as_ref().is_some_and(|it| it.terminated.is_some());
            let waits = container.state.as_ref().is_none_or(|state| state.waiting.is_some());
            waits && !has_run
        })
}

/// Whether a pod is ready, and not told to end.
pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready");
    pod.metadata.deletion_timestamp.is_none() && ready.any(|condition| condition.status == "True")
}

/// Whether a pod is the object, or was made by it, be it through a set of replicas.
pub(super) fn is_made_by(pod: &Pod, object: &Value) -> bool {
    let (kind, name) = (text_at(object, "/kind"), text_at(object, "/metadata/name"));
    if kind == "Pod" {
        return pod.metadata.name.as_deref() == Some(name);
    }
    let labels = pod.metadata.labels.as_ref();
    let hash = labels.and_then(|labels| labels.get("pod-template-hash"));
    maker(pod).is_some_and(|maker| match (kind, hash) {
        ("Deployment", Some(hash)) => maker.name == format!("{name}-{hash}"),
        _ => maker.kind == kind && maker.name == name,
    })
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten())
}

#[cfg(test)]
mod tests;
