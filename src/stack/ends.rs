//! Notices which containers of a suite have ended since the last look.

use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::Pod;
use kube::{Client, ResourceExt as _};

use super::{details::evidence, made, pods::last_end, restarts::Restarts};
use crate::plan::SuitePlan;

/// The restarts of which somebody was told. Clones know the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Arc<Mutex<Restarts>>);

/// What became of a suite's containers.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// All restarts up to now.
    restarts: Restarts,
    /// The pods of which a container has ended, with how it did.
    ended: Vec<(Pod, Vec<String>)>,
}

impl Told {
    /// Looks which containers of a suite have ended of which nobody was told.
    pub(super) async fn since(
        &self,
        client: &Client,
        suite: &SuitePlan,
    ) -> Result<Since, kube::Error> {
        let pods = made::pods_of_suite(client, suite).await?;
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(compare(pods, &before))
    }

    /// Notes that somebody was told of these.
    pub(super) fn note(&self, since: Since) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since.restarts;
    }
}

fn compare(pods: Vec<Pod>, before: &Restarts) -> Since {
    let mut since = Since { restarts: Restarts::of(&pods), ended: Vec::new() };
    for pod in pods {
        let status = pod.status.iter();
        let containers = status.flat_map(|status| status.container_statuses.iter().flatten());
        let ended = containers.filter(|container| before.since(&pod, container) > 0);
        let ended: Vec<_> = ended.filter_map(|container| last_end(&pod, container)).collect();
        if !ended.is_empty() {
            since.ended.push((pod, ended));
        }
    }
    since
}

impl Since {
    /// In words, with the last warnings and log lines, for a failure.
    pub(super) async fn explained(&self, client: &Client) -> Vec<String> {
        let mut words = Vec::new();
        for (pod, ended) in &self.ended {
            words.extend(ended.iter().cloned());
            let namespace = pod.namespace().unwrap_or_default();
            words.extend(evidence(client, &namespace, Some(pod)).await);
        }
        words
    }

    /// In words, a line for each container that was started again.
    pub(super) fn restarted(&self) -> Vec<String> {
        let alive = self.ended.iter().filter(|(pod, _)| pod.metadata.deletion_timestamp.is_none());
        let words = alive.flat_map(|(pod, ended)| {
            ended.iter().map(move |end| format!("pod `{}`: container {end}", pod.name_any()))
        });
        words.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(restarts: i32) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "shop-1", "uid": "u1"},
            "status": {"containerStatuses": [{
                "name": "shop", "ready": true, "restartCount": restarts, "image": "", "imageID": "",
                "state": {"running": {}},
                "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}},
            }]},
        }))
        .unwrap()
    }

    #[test]
    fn only_containers_that_restarted_since_the_last_look_are_mentioned() {
        let before = compare(vec![pod(1)], &Restarts::default()).restarts;
        assert_eq!(compare(vec![pod(1)], &before).restarted(), Vec::<String>::new());
        assert_eq!(
            compare(vec![pod(2)], &before).restarted(),
            ["pod `shop-1`: container `shop` ended with exit code 3, restarted 2 times"]
        );
    }
}
