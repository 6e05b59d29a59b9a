//! Why the cases of a suite could not be judged.

use std::sync::Arc;

use thiserror::Error;

use super::capacity::Lack;
use crate::{
    cluster::{ClusterError, Undelivered},
    events::Location,
    ledger::LedgerError,
    manifest::Requests,
    stack::StackError,
};

/// Why a suite's stack is not there.
#[derive(Clone, Debug, Error)]
pub(super) enum SetupError {
    #[error("the run was interrupted")]
    Interrupted,
    #[error("the runner panicked: {0}; please report this")]
    Panicked(String),
    #[error(transparent)]
    Cluster(Arc<ClusterError>),
    #[error(transparent)]
    Image(#[from] Undelivered),
    #[error(transparent)]
    Stack(Arc<StackError>),
    #[error("the step `{name}` of the suite failed ({}:{}): {words}", place.file, place.line)]
    Step { name: String, place: Location, words: String },
    #[error("keep the ledger")]
    Ledger(#[source] Arc<LedgerError>),
    #[error(
        "the suite needs {wanted}{}, and the nodes of an empty cluster have {total}: {lack}; lower `resources.requests` or what it reserves, or add a node to kind's configuration (kind/cluster.yaml, or the file that the suite names with `.kind_config(..)`)",
        of_which(*reserved)
    )]
    TooBig { wanted: Requests, reserved: Requests, total: Requests, lack: Lack },
    #[error(
        "the suite does not fit beside stacks that are kept: {lack}; run it alone, or without `--keep` and `--reuse`"
    )]
    Kept { lack: Lack },
}

/// How much of what a suite needs is reserved for its cases, if they need any.
fn of_which(reserved: Requests) -> String {
    if reserved == Requests::default() {
        String::new()
    } else {
        format!(" (of which {reserved} are reserved for its cases)")
    }
}
