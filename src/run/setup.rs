//! Why the cases of a suite could not be judged.

use std::sync::Arc;

use thiserror::Error;

use crate::{cluster::ClusterError, image::ImageError, ledger::LedgerError, stack::StackError};

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
    Image(Arc<ImageError>),
    #[error(transparent)]
    Stack(Arc<StackError>),
    #[error("keep the ledger")]
    Ledger(#[source] Arc<LedgerError>),
    #[error(
        "the pods of the suite request {wanted_cpu}m of cpu and {wanted_memory} MiB, and an empty cluster has {cpu}m and {memory} MiB; lower `resources.requests`, or add a node to kind/cluster.yaml"
    )]
    TooBig { wanted_cpu: u64, wanted_memory: u64, cpu: u64, memory: u64 },
    #[error(
        "the pods of the suite do not fit beside stacks that are kept; run it alone, or without `--keep` and `--reuse`"
    )]
    Kept,
}
