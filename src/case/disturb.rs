//! Stops, starts and kills the pods of a suite's own stack and replaces its ConfigMaps, for a case that
//! runs alone in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use thiserror::Error;

use super::permission::{GivenUp, Permission};
use crate::{
    plan::WorkloadPlan,
    stack::{Stack, StackError, has_replicas},
    text::listed,
};

/// How many seconds a killed pod has to end.
const KILL: u32 = 1;

/// Disturbs the pods of the stack of a case; [`Ctx::disturb`](crate::Ctx::disturb) makes it.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let stack = ctx.disturb()?;
/// stack.stop("postgresql").await?;
/// ctx.post("shop", "/orders").send().await?.expect(503)?;
/// stack.start("postgresql").await?;
/// stack.kill("shop").await?;
/// ensure!(ctx.logs("shop")?.text().await?.contains("listening"), "it did not start again");
/// # Ok(()) }
/// ```
///
/// When the case is over, passed or not, what it stopped is started again, what it replaced is put
/// back, and the whole stack has answered before another case of the suite begins.
#[derive(Clone, Debug)]
pub struct Disturb {
    stack: Arc<Stack>,
    /// The id of the case.
    case: String,
    permission: Permission,
    disturbed: Arc<Mutex<Disturbed>>,
}

/// What a case has disturbed.
#[derive(Debug, Default)]
struct Disturbed {
    /// The workloads whose pods it ended.
    stopped: BTreeSet<String>,
    /// The ConfigMaps that it replaced, as they are now.
    replaced: BTreeMap<String, Value>,
}

/// Why a stack could not be disturbed, or did not come back.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, DisturbError, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// // One that is not declared with `.alone()` may not.
/// ensure!(matches!(ctx.disturb(), Err(DisturbError::Shared)), "it would disturb others");
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DisturbError {
    /// The case shares its stack with others.
    #[error(
        "a case that disturbs its stack runs alone in its suite: declare it as `case!(its_name).alone()`"
    )]
    Shared,
    /// The case is over.
    #[error(transparent)]
    GivenUp(#[from] GivenUp),
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
    /// The stack has no such ConfigMap.
    #[error("no manifest of the suite has a ConfigMap `{name}`; there is {known}")]
    Config {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The ConfigMap has no such key.
    #[error("the ConfigMap `{name}` has no `{key}` in its data; it has {known}")]
    Key {
        /// The ConfigMap.
        name: String,
        /// What was asked for.
        key: String,
        /// What there is.
        known: String,
    },
    /// A ConfigMap could not be replaced.
    #[error("replace the ConfigMap `{name}`")]
    Unreplaced {
        /// The ConfigMap.
        name: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It could not be done.
    #[error("{what} `{workload}`")]
    Failed {
        /// What was to be done.
        what: &'static str,
        /// The workload.
        workload: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It did not come back.
    #[error("the stack did not come back after it was disturbed")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Disturb {
    pub(super) fn new(stack: Arc<Stack>, case: String, permission: Permission) -> Self {
        Self { stack, case, permission, disturbed: Arc::default() }
    }

    /// Ends all pods of a workload as if it were scaled to nothing, and waits until they are gone
    /// and nothing answers through its NodePort.
    pub async fn stop(&self, workload: &str) -> Result<(), DisturbError> {
        self.permission.act(self.end("stop", workload, None)).await
    }

    /// Starts a stopped workload again, and waits until it answers through its NodePort.
    pub async fn start(&self, workload: &str) -> Result<(), DisturbError> {
        self.permission.act(self.begin("start", workload)).await
    }

    /// Kills the pods of a workload one second after they are told to end, and starts others,
    /// as [`start`](Self::start) does.
    ///
    /// The new pods begin when the old ones are gone: two of them would share a database's files.
    pub async fn kill(&self, workload: &str) -> Result<(), DisturbError> {
        let killing = async {
            self.end("kill", workload, Some(KILL)).await?;
            self.begin("start", workload).await
        };
        self.permission.act(killing).await
    }

    /// Replaces what a ConfigMap of the suite has under `key`.
    ///
    /// No pod is restarted by it. Nodes write it into the files of pods that mount it within a second
    /// or two, so wait for what it changes; who reads it at its start needs a [`kill`](Self::kill).
    /// When the case is over it is put back, and pods that name it are replaced by new ones.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn a_price_changes_while_the_shop_is_open(ctx: Ctx) -> CaseResult {
    ///     ctx.disturb()?.replace_config("prices", "tea", "7").await?;
    ///     ctx.until("the new price", Duration::from_secs(10), async || {
    ///         let price = ctx.get("shop", "/prices/tea").send().await?.expect(200)?;
    ///         ensure!(price.text() == "7", "it is {}", price.text());
    ///         Ok(())
    ///     })
    ///     .await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// No manifest of the suite has such a ConfigMap in the suite's own namespace, it has no such key, or it is
    /// immutable.
    pub async fn replace_config(
        &self,
        name: &str,
        key: &str,
        text: &str,
    ) -> Result<(), DisturbError> {
        let replacing = async {
            let object = self.replaced(name, key, text)?;
            self.disturbed().replaced.insert(name.to_owned(), object.clone());
            // Whoever puts it back may have looked before this was noted.
            self.permission.check()?;
            self.stack.replace_config(object, &self.case).await.map_err(|error| {
                DisturbError::Unreplaced { name: name.to_owned(), source: error.into() }
            })
        };
        self.permission.act(replacing).await
    }

    /// A ConfigMap as it is now, but for what it has under a key.
    fn replaced(&self, name: &str, key: &str, text: &str) -> Result<Value, DisturbError> {
        let configs = self.stack.configs();
        let planned = configs.get(name).ok_or_else(|| DisturbError::Config {
            name: name.to_owned(),
            known: listed(configs.keys().copied()),
        })?;
        let now = self.disturbed().replaced.get(name).cloned();
        let mut object = now.unwrap_or_else(|| Value::clone(planned));
        let data = &mut object["data"];
        if let Some(value) = data.get_mut(key) {
            *value = json!(text);
            return Ok(object);
        }
        let keys = data.as_object().into_iter().flat_map(|data| data.keys().map(String::as_str));
        let known = listed(keys);
        Err(DisturbError::Key { name: name.to_owned(), key: key.to_owned(), known })
    }

    /// Puts back what the case replaced, starts whatever it left stopped, and waits until the whole
    /// stack has answered anew, if the case disturbed it at all. It does not need the case's permission.
    pub(crate) async fn restore(&self) -> Result<(), DisturbError> {
        let (mut stopped, replaced) = {
            let disturbed = self.disturbed();
            (disturbed.stopped.clone(), disturbed.replaced.keys().cloned().collect::<BTreeSet<_>>())
        };
        if stopped.is_empty() && replaced.is_empty() {
            return Ok(());
        }
        let restoring = async {
            stopped.extend(self.stack.put_back(&replaced).await?);
            self.stack.restore(&stopped).await
        };
        restoring.await.map_err(|error: StackError| DisturbError::Lost(error.into()))
    }

    /// Puts back what the case replaced, and waits for nothing. What fails here is put back by the
    /// next run in the cluster.
    pub(crate) async fn abandon(&self) {
        let replaced: BTreeSet<_> = self.disturbed().replaced.keys().cloned().collect();
        if !replaced.is_empty() {
            let _ = self.stack.put_back_at_once(&replaced).await;
        }
    }

    fn disturbed(&self) -> MutexGuard<'_, Disturbed> {
        self.disturbed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn end(
        &self,
        what: &'static str,
        workload: &str,
        grace: Option<u32>,
    ) -> Result<(), DisturbError> {
        let plan = self.find(workload)?;
        if !plan.objects.iter().any(has_replicas) {
            return Err(DisturbError::Fixed { workload: workload.to_owned() });
        }
        self.disturbed().stopped.insert(workload.to_owned());
        // Whoever restores the stack may have looked before this was noted.
        self.permission.check()?;
        self.stack.stop(plan, grace).await.map_err(|error| fail(what, workload, error))
    }

    async fn begin(&self, what: &'static str, workload: &str) -> Result<(), DisturbError> {
        let plan = self.find(workload)?;
        self.stack.start(plan).await.map_err(|error| fail(what, workload, error))
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
}

fn fail(what: &'static str, workload: &str, source: StackError) -> DisturbError {
    DisturbError::Failed { what, workload: workload.to_owned(), source: source.into() }
}
