//! Notices which containers of a suite have ended since the last look.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, ResourceExt as _, api::ListParams};

use super::pods::{evidence, last_end};
use crate::manifest::SUITE;

/// How often each container has been restarted, by pod and container.
pub(super) type Restarts = BTreeMap<(String, String), i32>;

/// The restarts of a suite's containers, and in words the ends of those that `before` does not know.
pub(super) async fn since(
    client: &Client,
    namespace: &str,
    suite: &str,
    before: &Restarts,
) -> Result<(Restarts, Vec<String>), kube::Error> {
    let of_suite = ListParams::default().labels(&format!("{SUITE}={suite}"));
    let pods = Api::<Pod>::namespaced(client.clone(), namespace).list(&of_suite).await?;
    let (mut restarts, mut words) = (Restarts::new(), Vec::new());
    for pod in pods {
        let status = pod.status.iter();
        let containers = status.flat_map(|status| status.container_statuses.iter().flatten());
        let mut ended = Vec::new();
        for container in containers {
            let key = (pod.uid().unwrap_or_default(), container.name.clone());
            let now = container.state.as_ref().is_some_and(|state| state.terminated.is_some());
            let count = container.restart_count + i32::from(now);
            if count > before.get(&key).copied().unwrap_or(0) {
                ended.extend(last_end(&pod, container));
            }
            restarts.insert(key, count);
        }
        if !ended.is_empty() {
            words.extend(ended);
            words.extend(evidence(client, namespace, Some(&pod)).await);
        }
    }
    Ok((restarts, words))
}
