//! Stops, starts and kills the pods of a suite's own stack, for a case that runs alone in it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, LogParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    manifest::{selector, text_at},
    plan::WorkloadPlan,
    stack::Stack,
    text::chain,
    wait::{self, Limit, Poll, WaitError},
};

/// How long pods may take to end: their grace period, and the node's own work.
const ENDED: Limit = Limit { total: Duration::from_mins(1), every: Duration::from_millis(50) };

/// How long it may take until a status is from after the start.
const BACK: Limit = Limit { total: Duration::from_mins(4), every: Duration::from_millis(50) };

/// Disturbs the pods of the stack of a case; [`Ctx::disturb`](crate::Ctx::disturb) makes it.
///
/// When the case is over, passed or not, what it stopped is started again
/// before another case of the suite begins.
#[derive(Clone, Debug)]
pub struct Disturb {
    stack: Arc<Stack>,
    /// Workloads that do not run as planned.
    disturbed: Arc<Mutex<BTreeSet<String>>>,
}

/// Why a stack could not be disturbed, or did not come back.
#[derive(Debug, Error)]
pub enum DisturbError {
    /// The case shares its stack with others.
    #[error(
        "a case that disturbs its stack runs alone in its suite: declare it as `case!(its_name).alone()`"
    )]
    Shared,
    /// The stack has no such workload.
    #[error("the stack has no workload `{workload}`; it has {known}")]
    Workload {
        /// What was asked for.
        workload: String,
        /// What there is.
        known: String,
    },
    /// Its pods do not have a number of replicas.
    #[error("`{workload}` cannot be stopped: it has no Deployment, StatefulSet or ReplicaSet")]
    Fixed {
        /// The workload.
        workload: String,
    },
    /// The API server refused.
    #[error("{what} `{workload}`")]
    Api {
        /// What was to be done.
        what: &'static str,
        /// The workload.
        workload: String,
        /// What the server said.
        #[source]
        source: Box<kube::Error>,
    },
    /// Its pods did not end.
    #[error("the pods of `{workload}` did not end: {words}")]
    Lasting {
        /// The workload.
        workload: String,
        /// What was last seen.
        words: String,
    },
    /// It did not come back.
    #[error("`{workload}` did not come back: {words}")]
    Lost {
        /// The workload.
        workload: String,
        /// The reason, with the last lines of its log.
        words: String,
    },
}

impl Disturb {
    pub(crate) fn new(stack: Arc<Stack>) -> Self {
        Self { stack, disturbed: Arc::default() }
    }

    /// Ends all pods of a workload as if it were scaled to nothing, and waits until they are gone
    /// and nothing answers through its NodePort.
    pub async fn stop(&self, workload: &str) -> Result<(), DisturbError> {
        self.end(self.find(workload)?, None).await
    }

    /// Starts a stopped workload again, and waits until it answers through its NodePort.
    pub async fn start(&self, workload: &str) -> Result<(), DisturbError> {
        let plan = self.find(workload)?;
        for object in plan.objects.iter().filter(|object| scales(object)) {
            self.scale(plan, object, replicas(object)).await?;
        }
        self.until_back(plan).await?;
        self.note(workload, false);
        Ok(())
    }

    /// Kills the pods of a workload one second after they are told to end, and starts others,
    /// as [`start`](Self::start) does.
    ///
    /// The new pods begin when the old ones are gone: two of them would share a database's files.
    pub async fn kill(&self, workload: &str) -> Result<(), DisturbError> {
        self.end(self.find(workload)?, Some(1)).await?;
        self.start(workload).await
    }

    /// What the containers of a workload have written so far.
    pub async fn logs(&self, workload: &str) -> Result<String, DisturbError> {
        let plan = self.find(workload)?;
        let mut text = String::new();
        for pod in self.pods(plan).await? {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            for container in containers {
                let of =
                    LogParams { container: Some(container.name.clone()), ..LogParams::default() };
                let log = self.api().logs(&pod.name_any(), &of).await;
                text.push_str(&log.map_err(|error| fail("read the log of", workload, error))?);
            }
        }
        Ok(text)
    }

    /// Starts whatever the case left stopped.
    pub(crate) async fn restore(&self) -> Result<(), DisturbError> {
        let disturbed = self.disturbed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // In the order of the tiers: what comes later may need what comes before.
        for workload in self.stack.plan().workloads() {
            if disturbed.contains(&workload.name) {
                self.start(&workload.name).await?;
            }
        }
        Ok(())
    }

    fn find(&self, workload: &str) -> Result<&WorkloadPlan, DisturbError> {
        let found = self.stack.plan().workloads().find(|plan| plan.name == workload);
        found.ok_or_else(|| {
            let known = self.stack.plan().workloads().map(|plan| plan.name.as_str());
            DisturbError::Workload {
                workload: workload.to_owned(),
                known: known.collect::<Vec<_>>().join(", "),
            }
        })
    }

    fn note(&self, workload: &str, disturbed: bool) {
        let mut noted = self.disturbed.lock().unwrap_or_else(PoisonError::into_inner);
        if disturbed {
            noted.insert(workload.to_owned());
        } else {
            noted.remove(workload);
        }
    }

    async fn scale(
        &self,
        plan: &WorkloadPlan,
        object: &Value,
        replicas: u64,
    ) -> Result<(), DisturbError> {
        let scaling = async {
            let api = self.stack.api(object).await?;
            let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
            api.patch(text_at(object, "/metadata/name"), &PatchParams::default(), &patch).await
        };
        scaling.await.map(drop).map_err(|error| fail("scale", &plan.name, error))
    }

    /// Ends the pods of a workload, with `grace` seconds to do so instead of their own.
    async fn end(&self, plan: &WorkloadPlan, grace: Option<u32>) -> Result<(), DisturbError> {
        let mut scaled = false;
        for object in plan.objects.iter().filter(|object| scales(object)) {
            self.note(&plan.name, true);
            self.scale(plan, object, 0).await?;
            scaled = true;
        }
        if !scaled {
            return Err(DisturbError::Fixed { workload: plan.name.clone() });
        }
        if let Some(grace) = grace {
            for pod in self.pods(plan).await? {
                self.delete(plan, &pod, grace).await?;
            }
        }
        let gone = wait::until("the end of its pods", ENDED, async || {
            let left = self.pods(plan).await?;
            for pod in left.iter().filter(|pod| has_ended(pod)) {
                self.delete(plan, pod, 0).await?;
            }
            if !left.is_empty() {
                return Ok(Poll::NotYet(format!("{} pods", left.len())));
            }
            // The node may take a moment to forget where they were.
            Ok(match self.stack.answering(plan).await {
                None => Poll::Ready(()),
                Some(address) => Poll::NotYet(format!("something still answers on {address}")),
            })
        });
        gone.await.map_err(|error| match error {
            WaitError::Broken { source, .. } => source,
            WaitError::TimedOut { .. } => {
                DisturbError::Lasting { workload: plan.name.clone(), words: error.to_string() }
            }
        })
    }

    async fn delete(&self, plan: &WorkloadPlan, pod: &Pod, grace: u32) -> Result<(), DisturbError> {
        let deleting = DeleteParams::default().grace_period(grace);
        match self.api().delete(&pod.name_any(), &deleting).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => Err(fail("end the pods of", &plan.name, error)),
        }
    }

    async fn until_back(&self, plan: &WorkloadPlan) -> Result<(), DisturbError> {
        let lost = |words: String| DisturbError::Lost { workload: plan.name.clone(), words };
        let wanted: u64 = plan.objects.iter().filter(|object| scales(object)).map(replicas).sum();
        let back = wait::until("its return", BACK, async || {
            self.stack.until_ready(plan).await.map_err(|error| lost(chain(&error)))?;
            // The status that was just read may be from before its pods went.
            let pods = self.pods(plan).await?;
            let ready = pods.iter().filter(|pod| is_ready(pod)).count();
            Ok(if u64::try_from(ready).unwrap_or(u64::MAX) >= wanted {
                Poll::Ready(())
            } else {
                Poll::NotYet(format!("{ready} of {wanted} pods ready"))
            })
        });
        back.await.map_err(|error| match error {
            WaitError::Broken { source, .. } => source,
            WaitError::TimedOut { .. } => lost(error.to_string()),
        })?;
        self.stack.until_answered(plan).await.map_err(|error| lost(chain(&error)))
    }

    async fn pods(&self, plan: &WorkloadPlan) -> Result<Vec<Pod>, DisturbError> {
        let mut pods = Vec::new();
        for selector in plan.objects.iter().filter_map(selector) {
            let list = self.api().list(&ListParams::default().labels(&selector)).await;
            pods.extend(list.map_err(|error| fail("list the pods of", &plan.name, error))?.items);
        }
        Ok(pods)
    }

    fn api(&self) -> Api<Pod> {
        Api::namespaced(self.stack.client(), &self.stack.plan().namespace)
    }
}

fn fail(what: &'static str, workload: &str, source: kube::Error) -> DisturbError {
    DisturbError::Api { what, workload: workload.to_owned(), source: Box::new(source) }
}

/// Whether an object of this kind has a number of replicas.
fn scales(object: &Value) -> bool {
    matches!(text_at(object, "/kind"), "Deployment" | "StatefulSet" | "ReplicaSet")
}

/// How many pods its manifest wishes.
fn replicas(object: &Value) -> u64 {
    object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1)
}

/// Whether nothing of a pod runs any more. Until the kubelet says that it is gone, up to 10 s pass
/// in Kubernetes 1.20.
fn has_ended(pod: &Pod) -> bool {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let mut states = statuses.map(|status| status.state.as_ref()).peekable();
    pod.metadata.deletion_timestamp.is_some()
        && states.peek().is_some()
        && states.all(|state| state.is_some_and(|state| state.terminated.is_some()))
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready");
    pod.metadata.deletion_timestamp.is_none() && ready.any(|condition| condition.status == "True")
}
