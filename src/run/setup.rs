//! Why the cases of a suite could not be judged.

use std::sync::Arc;

use thiserror::Error;

use crate::{
    cluster::{ClusterError, Undelivered},
    ledger::LedgerError,
    manifest::Requests,
    stack::StackError,
};

const MEBIBYTE: u64 = 1 << 20;

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
    #[error("keep the ledger")]
    Ledger(#[source] Arc<LedgerError>),
    #[error(
        "the pods of the suite request {}m of cpu and {} MiB, and the nodes of an empty cluster have {}m and {} MiB, on one of which each pod must fit; lower `resources.requests`, or add a node (kind/cluster.yaml is kind's configuration, if the project has it)",
        wanted.cpu, wanted.memory.div_ceil(MEBIBYTE), total.cpu, total.memory / MEBIBYTE
    )]
    TooBig { wanted: Requests, total: Requests },
    #[error(
        "the pods of the suite do not fit beside stacks that are kept; run it alone, or without `--keep` and `--reuse`"
    )]
    Kept,
}
