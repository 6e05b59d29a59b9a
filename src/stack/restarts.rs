//! Counts how often containers have ended, so that what happened before somebody looked does not count.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt as _;

use crate::pod_logs::containers;

/// How often each container had ended, by pod and container.
#[derive(Clone, Debug, Default)]
pub(super) struct Restarts(BTreeMap<(String, String), i32>);

impl Restarts {
    /// How often the containers of these pods have ended.
    pub(super) fn of(pods: &[Pod]) -> Self {
        let counts = pods.iter().flat_map(|pod| {
            containers(pod).map(move |container| (key(pod, container), count(container)))
        });
        Self(counts.collect())
    }

    /// How often a container has ended since then.
    pub(super) fn since(&self, pod: &Pod, container: &ContainerStatus) -> i32 {
        count(container) - self.0.get(&key(pod, container)).copied().unwrap_or(0)
    }
}

/// How many starts containers may need, counted from before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance<'a> {
    pub(super) before: &'a Restarts,
    pub(super) starts: u32,
}

impl Allowance<'_> {
    /// Whether it is proven that a container will not stay up.
    pub(super) fn is_spent(self, pod: &Pod, container: &ContainerStatus) -> bool {
        i64::from(self.before.since(pod, container)) >= i64::from(self.starts)
    }
}

fn key(pod: &Pod, container: &ContainerStatus) -> (String, String) {
    (pod.uid().unwrap_or_default(), container.name.clone())
}

fn count(container: &ContainerStatus) -> i32 {
    let ended = container.state.as_ref().is_some_and(|state| state.terminated.is_some());
    container.restart_count + i32::from(ended)
}
