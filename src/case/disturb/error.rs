//! Why a case could not disturb its stack.

use thiserror::Error;

use crate::case::permission::GivenUp;

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
    #[error(
        "`{workload}` cannot be stopped: it has no Deployment, StatefulSet or ReplicaSet; name a workload that has one"
    )]
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
