//! Stops, starts and kills the pods of a suite's own stack, for a case that runs alone in it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use thiserror::Error;

use super::permission::{GivenUp, Permission};
use crate::{
    plan::WorkloadPlan,
    stack::{Stack, StackError, has_replicas},
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
/// ensure!(stack.logs("shop").await?.contains("listening"), "it did not start again");
/// # Ok(()) }
/// ```
///
/// When the case is over, passed or not, what it stopped is started again, and
/// the whole stack has answered before another case of the suite begins.
#[derive(Clone, Debug)]
pub struct Disturb {
    stack: Arc<Stack>,
    permission: Permission,
    /// The workloads whose pods it ended.
    disturbed: Arc<Mutex<BTreeSet<String>>>,
}

/// Why a stack could not be disturbed, or did not come back.
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
    pub(super) fn new(stack: Arc<Stack>, permission: Permission) -> Self {
        Self { stack, permission, disturbed: Arc::default() }
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

    /// What the containers of a workload have written so far.
    pub async fn logs(&self, workload: &str) -> Result<String, DisturbError> {
        let reading = async {
            let read = self.stack.logs(self.find(workload)?).await;
            read.map_err(|error| fail("read the log of", workload, error))
        };
        self.permission.act(reading).await
    }

    /// Starts whatever the case left stopped, and waits until the whole stack has answered anew,
    /// if the case disturbed it at all. It does not need the case's permission.
    pub(crate) async fn restore(&self) -> Result<(), DisturbError> {
        let disturbed = self.disturbed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if disturbed.is_empty() {
            return Ok(());
        }
        self.stack.restore(&disturbed).await.map_err(|error| DisturbError::Lost(error.into()))
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
        self.disturbed.lock().unwrap_or_else(PoisonError::into_inner).insert(workload.to_owned());
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
