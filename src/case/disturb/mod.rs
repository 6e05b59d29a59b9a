//! Stops, starts and kills the pods of a suite's own stack and replaces its ConfigMaps, for a case that
//! runs alone in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
mod error;

pub use error::DisturbError;

use super::permission::Permission;
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

impl Disturb {
    pub(super) fn new(stack: Arc<Stack>, case: String, permission: Permission) -> Self {
        Self { stack, case, permission, disturbed: Arc::default() }
    }

    /// Ends all pods of a workload as if it were scaled to nothing, and waits until they are gone
    /// and nothing answers through its NodePort.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.disturb()?.stop("postgresql").await?;
    /// ctx.get("shop", "/ready").send().await?.expect(503)?;
    /// # Ok(()) }
    /// ```
    pub async fn stop(&self, workload: &str) -> Result<(), DisturbError> {
        self.permission.act(self.end("stop", workload, None)).await
    }

    /// Starts a stopped workload again, and waits until it answers through its NodePort.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let stack = ctx.disturb()?;
    /// stack.stop("postgresql").await?;
    /// stack.start("postgresql").await?;
    /// ctx.get("shop", "/orders").send().await?.expect(200)?;
    /// # Ok(()) }
    /// ```
    pub async fn start(&self, workload: &str) -> Result<(), DisturbError> {
        self.permission.act(self.begin("start", workload)).await
    }

    /// Kills the pods of a workload one second after they are told to end, and starts others,
    /// as [`start`](Self::start) does.
    ///
    /// The new pods begin when the old ones are gone: two of them would share a database's files.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.post("shop", "/orders").send().await?.expect(202)?;
    /// ctx.disturb()?.kill("shop").await?;
    /// ctx.audit().kinds(["order.accepted"]).exactly(1).holds().await?;
    /// # Ok(()) }
    /// ```
    pub async fn kill(&self, workload: &str) -> Result<(), DisturbError> {
        let killing = async {
            self.end("kill", workload, Some(KILL)).await?;
            self.begin("start", workload).await
        };
        self.permission.act(killing).await
    }

    /// Replaces what a ConfigMap of the suite has under `key`.
    ///
    /// One in a namespace that the suite declares is called `<what it adds>/<name>`: `workers/settings` is in
    /// `<suite>-workers`.
    ///
    /// No pod is restarted by it. Nodes write it into the files of pods that mount it within a second
    /// or two, so wait for what it changes; who reads it at its start needs a [`kill`](Self::kill).
    /// When the case is over it is put back, and pods of the suite's workloads that name it are replaced by new
    /// ones. Those that an operator has made are its own to renew.
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
    /// No manifest of the suite has such a ConfigMap, it has no such key, or it is immutable.
    pub async fn replace_config(
        &self,
        name: &str,
        key: &str,
        text: &str,
    ) -> Result<(), DisturbError> {
        self.permission.act(self.change_config(name, key, Some(text))).await
    }

    /// Takes a key out of a ConfigMap of the suite, as if it had never been there: its file disappears from
    /// pods that mount the ConfigMap.
    ///
    /// All that [`replace_config`](Self::replace_config) says of pods, and of putting it back, is true here too.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn without_its_prices_the_shop_sells_nothing(ctx: Ctx) -> CaseResult {
    ///     ctx.disturb()?.remove_config("prices", "tea").await?;
    ///     ctx.until("no price", Duration::from_secs(10), async || {
    ///         ctx.get("shop", "/prices/tea").send().await?.expect(404)?;
    ///         Ok(())
    ///     })
    ///     .await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`replace_config`](Self::replace_config).
    pub async fn remove_config(&self, name: &str, key: &str) -> Result<(), DisturbError> {
        self.permission.act(self.change_config(name, key, None)).await
    }

    async fn change_config(
        &self,
        name: &str,
        key: &str,
        text: Option<&str>,
    ) -> Result<(), DisturbError> {
        let object = self.changed(name, key, text)?;
        self.disturbed().replaced.insert(name.to_owned(), object.clone());
        // Whoever puts it back may have looked before this was noted.
        self.permission.check()?;
        let replaced = self.stack.replace_config(object, &self.case).await;
        replaced.map_err(|error| DisturbError::Unreplaced {
            name: name.to_owned(),
            source: error.into(),
        })
    }

    /// A ConfigMap as it is now, but for what it has under a key, if anything.
    fn changed(&self, name: &str, key: &str, text: Option<&str>) -> Result<Value, DisturbError> {
        let configs = self.stack.configs();
        let planned = configs.get(name).ok_or_else(|| DisturbError::Config {
            name: name.to_owned(),
            known: listed(configs.keys().map(String::as_str)),
        })?;
        let keys = planned["data"].as_object();
        if !keys.is_some_and(|keys| keys.contains_key(key)) {
            let known = listed(keys.into_iter().flat_map(|keys| keys.keys().map(String::as_str)));
            return Err(DisturbError::Key { name: name.to_owned(), key: key.to_owned(), known });
        }
        let now = self.disturbed().replaced.get(name).cloned();
        let mut object = now.unwrap_or_else(|| Value::clone(planned));
        if let Some(data) = object["data"].as_object_mut() {
            match text {
                Some(text) => data.insert(key.to_owned(), json!(text)),
                None => data.remove(key),
            };
        }
        Ok(object)
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
