//! Scales the workloads of a stack, and ends their pods.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::{
    StackError,
    error::{ServerError, unless_gone},
    generation, insist,
    kinds::KindError,
    made,
    pods::{self, ends_before_it_begins, has_ended},
    readiness::{has_pods, has_replicas, replicas},
    site::Site,
};
use crate::{
    manifest::text_at,
    plan::WorkloadPlan,
    wait::{Limit, Poll, WaitError},
};

/// How long pods may take to end: their grace period, and the node's own work.
const ENDED: Limit = Limit { total: Duration::from_mins(3), every: Duration::from_millis(50) };

/// How long the node is given for a pod that ends before it has begun.
const UNBEGUN: Duration = Duration::from_secs(5);

/// How many pods of a workload there shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wished {
    Nothing,
    /// What its manifest says.
    AsPlanned,
}

/// The pods of one workload of a stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicas<'a> {
    pub(super) site: &'a Site,
    pub(super) namespace: &'a str,
    pub(super) workload: &'a WorkloadPlan,
}

impl Replicas<'_> {
    /// Scales the workload.
    pub(super) async fn scale(&self, wished: Wished) -> Result<(), StackError> {
        for object in self.workload.objects.iter().filter(|object| has_replicas(object)) {
            let number = match wished {
                Wished::Nothing => 0,
                Wished::AsPlanned => replicas(object),
            };
            let scaling = async {
                let api = self.site.applier.api(self.namespace, object).await?;
                let patch = Patch::Merge(json!({"spec": {"replicas": number}}));
                let name = text_at(object, "/metadata/name");
                api.patch(name, &PatchParams::default(), &patch).await?;
                Ok(())
            };
            scaling.await.map_err(|error: KindError| self.fail("scale", error))?;
        }
        Ok(())
    }

    /// Tells the pods of some of its objects to end within so many seconds.
    pub(super) async fn hurry(
        &self,
        grace: u32,
        chosen: impl Fn(&Value) -> bool,
    ) -> Result<(), StackError> {
        let hurrying = async {
            for pod in self.pods(chosen).await? {
                self.delete(&pod, &DeleteParams::default().grace_period(grace)).await?;
            }
            Ok(())
        };
        hurrying.await.map_err(|error: kube::Error| self.fail("end the pods of", error))
    }

    /// Waits until its pods have ended, and nothing answers any more where they did.
    pub(super) async fn until_gone(
        &self,
        answering: impl AsyncFn() -> Option<SocketAddr>,
    ) -> Result<(), StackError> {
        let mut unbegun = None::<Instant>;
        let gone = insist::until("the end of its pods", ENDED, async || {
            let left = self.pods(has_replicas).await?;
            if left.iter().any(ends_before_it_begins) {
                unbegun.get_or_insert_with(Instant::now);
            }
            let late = unbegun.is_some_and(|since| since.elapsed() > UNBEGUN);
            let is_over = |pod: &&Pod| has_ended(pod) || late && ends_before_it_begins(pod);
            for pod in left.iter().filter(is_over) {
                self.delete(pod, &DeleteParams::default().grace_period(0)).await?;
            }
            if !left.is_empty() {
                return Ok(Poll::NotYet(format!("{} pods", left.len())));
            }
            // The node may take a moment to forget where they were.
            Ok(match answering().await {
                None => Poll::Ready(()),
                Some(address) => Poll::NotYet(format!("something still answers on {address}")),
            })
        });
        gone.await.map_err(|error| match error {
            WaitError::Broken { source, .. } => self.fail("end the pods of", source),
            WaitError::TimedOut { .. } => StackError::Lasting {
                workload: self.workload.name.clone(),
                words: error.to_string(),
            },
        })
    }

    /// Ends the pods that nothing else would replace, or start again soon.
    pub(super) async fn renew(&self) -> Result<(), StackError> {
        let renewing = async {
            for object in self.workload.objects.iter().filter(|object| has_pods(object)) {
                let made = made::pods_of(&self.api(text_at(object, "/metadata/namespace")), object)
                    .await?;
                for pod in made.iter().filter(|pod| stays(pod, object)) {
                    self.delete(pod, &DeleteParams::default()).await?;
                }
            }
            Ok(())
        };
        renewing.await.map_err(|error: kube::Error| self.fail("renew the pods of", error))
    }

    async fn delete(&self, pod: &Pod, how: &DeleteParams) -> Result<(), kube::Error> {
        let api = self.api(pod.metadata.namespace.as_deref().unwrap_or_default());
        unless_gone(api.delete(&pod.name_any(), how).await)
    }

    /// The pods of those of its objects of which something is true.
    async fn pods(&self, chosen: impl Fn(&Value) -> bool) -> Result<Vec<Pod>, kube::Error> {
        let mut pods = Vec::new();
        for object in self.workload.objects.iter().filter(|object| chosen(object)) {
            let api = self.api(text_at(object, "/metadata/namespace"));
            pods.extend(made::pods_of(&api, object).await?);
        }
        Ok(pods)
    }

    /// The pods of a namespace.
    fn api(&self, namespace: &str) -> Api<Pod> {
        let namespace = if namespace.is_empty() { self.namespace } else { namespace };
        Api::namespaced(self.site.cluster.client(), namespace)
    }

    fn fail(&self, what: &str, error: impl Into<ServerError>) -> StackError {
        StackError::Api {
            what: format!("{what} `{}`", self.workload.name),
            namespace: self.namespace.to_owned(),
            source: error.into(),
        }
    }
}

/// Whether a pod would stay as it is, although it is of no use.
fn stays(pod: &Pod, object: &Value) -> bool {
    if pod.metadata.deletion_timestamp.is_some() {
        return false;
    }
    if generation::of_pod(pod) == generation::of_object(object) {
        return pods::is_put_off(pod);
    }
    // A StatefulSet replaces a pod only when all others are ready, and waits for one that is broken.
    let waited_for = object["kind"] == "StatefulSet" && !pods::is_ready(pod);
    waited_for || keeps_its_pods(object)
}

/// Whether an object leaves pods of before alone when its template changes.
fn keeps_its_pods(object: &Value) -> bool {
    object["kind"] == "ReplicaSet" || text_at(object, "/spec/updateStrategy/type") == "OnDelete"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pod_does_not_hold_up_the_next_one() {
        let pod = |mark: &str, reason: &str| -> Pod {
            let state = json!({"waiting": {"reason": reason}});
            serde_json::from_value(json!({
                "metadata": {
                    "name": "shop-0",
                    "annotations": {"kindwright/generation": mark},
                    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "shop", "uid": "u", "controller": true}],
                },
                "status": {"containerStatuses": [{"name": "shop", "ready": false, "restartCount": 7, "image": "", "imageID": "", "state": state}]},
            }))
            .unwrap()
        };
        let object = |kind: &str| {
            json!({"kind": kind, "spec": {
                "template": {"metadata": {"annotations": {"kindwright/generation": "new"}}},
            }})
        };
        assert!(stays(&pod("old", "ErrImageNeverPull"), &object("StatefulSet")));
        assert!(!stays(&pod("old", "ErrImageNeverPull"), &object("Deployment")));
        assert!(stays(&pod("new", "CrashLoopBackOff"), &object("Deployment")));
        assert!(!stays(&pod("new", "ContainerCreating"), &object("StatefulSet")));
    }

    #[test]
    fn only_what_does_not_replace_its_pods_keeps_them() {
        assert!(keeps_its_pods(&json!({"kind": "ReplicaSet"})));
        let set =
            |how: &str| json!({"kind": "StatefulSet", "spec": {"updateStrategy": {"type": how}}});
        assert!(keeps_its_pods(&set("OnDelete")));
        assert!(!keeps_its_pods(&set("RollingUpdate")));
        assert!(!keeps_its_pods(&json!({"kind": "Deployment"})));
    }
}
