//! Reads from a pod why it does not get ready.

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ListParams, LogParams},
};

use super::ready::State;

/// How many of the last log lines a message shows.
const LINES: i64 = 8;

/// The exit code of a process that was killed (128 + SIGKILL).
const KILLED: i32 = 137;

/// Reasons for waiting that do not heal.
const HOPELESS: [&str; 6] = [
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "ImageInspectError",
    "InvalidImageName",
    "RunContainerError",
];
/// Reasons for waiting that may heal.
const DOUBTFUL: [&str; 3] = ["CreateContainerError", "ErrImagePull", "ImagePullBackOff"];

/// How a pod stands.
pub(super) fn state(pod: &Pod) -> State {
    let Some(status) = &pod.status else {
        return State::Coming("its pod has no status yet".to_owned());
    };
    let phase = status.phase.as_deref().unwrap_or_default();
    let conditions = status.conditions.iter().flatten();
    let unschedulable = conditions
        .filter(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
        .find(|condition| condition.reason.as_deref() == Some("Unschedulable"));
    if let Some(condition) = unschedulable {
        let words = condition.message.as_deref().unwrap_or_default();
        return State::Failing(format!("its pod cannot be scheduled: {words}"));
    }
    let initial = status.init_container_statuses.iter().flatten();
    let containers = initial.chain(status.container_statuses.iter().flatten());
    for container in containers.clone() {
        if let Some(state) = hopeless(pod, container) {
            return state;
        }
    }
    if phase == "Failed" {
        let words = status.message.as_deref().or(status.reason.as_deref());
        let ends: Vec<_> = containers.filter_map(|container| last_end(pod, container)).collect();
        return State::Lost(format!(
            "its pod failed: {}{}",
            words.unwrap_or_default(),
            ends.join(", ")
        ));
    }
    let waiting: Vec<_> = containers.filter_map(|container| unready(pod, container)).collect();
    State::Coming(match waiting.as_slice() {
        [] => format!("its pod is {}", phase.to_lowercase()),
        waiting => waiting.join(", "),
    })
}

fn hopeless(pod: &Pod, container: &ContainerStatus) -> Option<State> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let name = &container.name;
    let mut words = format!("container `{name}` is in {reason}");
    if let Some(message) = &waiting.message
        && reason != "CrashLoopBackOff"
    {
        words.push_str(": ");
        words.push_str(message);
    }
    if let Some(end) = last_end(pod, container) {
        words = format!("{words}; {end}");
    }
    if HOPELESS.contains(&reason) {
        Some(State::Lost(words))
    } else if DOUBTFUL.contains(&reason) {
        Some(State::Failing(words))
    } else {
        None
    }
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

fn unready(pod: &Pod, container: &ContainerStatus) -> Option<String> {
    if container.ready {
        return None;
    }
    let state = container.state.as_ref()?;
    let words = if let Some(waiting) = &state.waiting {
        waiting.reason.clone().unwrap_or_else(|| "waiting".to_owned())
    } else if state.running.is_some() {
        "running, but its readiness probe fails".to_owned()
    } else {
        last_end(pod, container)?
    };
    Some(format!("container `{}` is {words}", container.name))
}

/// Whether a pod is scheduled and none of its containers has begun.
pub(super) fn waits_for_volumes(pod: &Pod) -> bool {
    let Some(status) = &pod.status else {
        return false;
    };
    let mut containers = status.container_statuses.iter().flatten();
    status.phase.as_deref() == Some("Pending")
        && containers.all(|container| {
            let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
            let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
            matches!(reason, Some("ContainerCreating" | "PodInitializing"))
        })
}

/// Whether a container of the pod runs, but does not say that it is ready.
pub(super) fn is_probed(pod: &Pod) -> bool {
    let containers =
        pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let runs = |container: &ContainerStatus| {
        container.state.as_ref().is_some_and(|state| state.running.is_some())
    };
    containers.into_iter().any(|container| !container.ready && runs(container))
}

/// The latest warning about the pod for one of these reasons.
pub(super) async fn warning(
    pods: &Api<Pod>,
    pod: &Pod,
    reasons: &[&str],
) -> Result<Option<String>, kube::Error> {
    let namespace = pod.namespace().unwrap_or_default();
    let events = events(&pods.clone().into_client(), &namespace, pod).await?;
    let of_these =
        |event: &Event| event.reason.as_deref().is_some_and(|reason| reasons.contains(&reason));
    Ok(events.into_iter().rfind(of_these).and_then(|event| event.message))
}

async fn events(client: &Client, namespace: &str, pod: &Pod) -> Result<Vec<Event>, kube::Error> {
    let of_pod = format!("involvedObject.name={},type=Warning", pod.name_any());
    let events = Api::<Event>::namespaced(client.clone(), namespace);
    let list = events.list(&ListParams::default().fields(&of_pod)).await?;
    Ok(list.items)
}

/// The last warnings and log lines of a pod, for a message; never an error of its own.
pub(super) async fn evidence(client: &Client, namespace: &str, pod: Option<&Pod>) -> Vec<String> {
    let Some(pod) = pod else { return Vec::new() };
    let mut lines = Vec::new();
    let warnings = events(client, namespace, pod).await.unwrap_or_default();
    for event in warnings.iter().rev().take(2).rev() {
        let reason = event.reason.as_deref().unwrap_or_default();
        let words = event.message.as_deref().unwrap_or_default();
        lines.push(format!("event {reason}: {}", words.trim()));
    }
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    let status = pod.status.iter();
    let containers = status.flat_map(|status| {
        let first = status.init_container_statuses.iter().flatten();
        first.chain(status.container_statuses.iter().flatten())
    });
    for container in containers.filter(|container| !container.ready) {
        let running = container.state.as_ref().is_some_and(|state| state.running.is_some());
        let parameters = LogParams {
            container: Some(container.name.clone()),
            tail_lines: Some(LINES),
            previous: container.restart_count > 0 && !running,
            ..LogParams::default()
        };
        if let Ok(log) = pods.logs(&pod.name_any(), &parameters).await
            && !log.trim().is_empty()
        {
            lines.push(format!("the last lines of `{}`:", container.name));
            lines.extend(log.lines().map(|line| format!("  {line}")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "api-1"}, "status": status})).unwrap()
    }

    fn waiting(reason: &str) -> Pod {
        pod(&json!({"phase": "Pending", "containerStatuses": [{
            "name": "api", "ready": false, "restartCount": 2, "image": "", "imageID": "",
            "state": {"waiting": {"reason": reason, "message": "words"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        }]}))
    }

    #[test]
    fn an_image_that_cannot_be_had_ends_the_wait() {
        let State::Lost(words) = state(&waiting("ErrImageNeverPull")) else { panic!() };
        assert!(words.starts_with("container `api` is in ErrImageNeverPull: words"), "{words}");
    }

    #[test]
    fn a_crash_loop_names_the_exit_code_and_the_reason() {
        assert_eq!(
            state(&waiting("CrashLoopBackOff")),
            State::Lost(
                "container `api` is in CrashLoopBackOff; `api` ended with exit code 137 (OOMKilled), restarted 2 times"
                    .into()
            )
        );
    }

    #[test]
    fn a_container_that_runs_out_of_memory_is_named_with_its_limit_whatever_the_runtime_noticed() {
        for (reason, words) in [
            ("OOMKilled", "(OOMKilled; its memory limit is 32Mi), restarted once"),
            ("Error", "(killed, probably out of memory; its memory limit is 32Mi), restarted once"),
        ] {
            let mut pod = pod(&json!({"phase": "Running", "containerStatuses": [{
                "name": "api", "ready": false, "restartCount": 1, "image": "", "imageID": "",
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 137, "reason": reason}},
            }]}));
            pod.spec = serde_json::from_value(json!({"containers": [
                {"name": "api", "resources": {"limits": {"memory": "32Mi"}}},
            ]}))
            .unwrap();
            let State::Lost(told) = state(&pod) else { panic!() };
            assert!(told.ends_with(words), "{told}");
        }
    }

    #[test]
    fn a_container_that_is_being_made_is_on_its_way() {
        assert_eq!(
            state(&waiting("ContainerCreating")),
            State::Coming("container `api` is ContainerCreating".into())
        );
        assert!(waits_for_volumes(&waiting("ContainerCreating")));
    }

    #[test]
    fn a_pod_that_cannot_be_scheduled_is_given_a_moment() {
        let pod = pod(&json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"},
        ]}));
        assert_eq!(state(&pod), State::Failing("its pod cannot be scheduled: 0/1 nodes".into()));
    }
}
