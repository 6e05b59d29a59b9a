//! Why a stack did not come up.

use std::{path::PathBuf, time::Duration};

use thiserror::Error;

use super::reach;
use crate::{
    cluster::{ClusterError, Undelivered},
    migrate::MigrateError,
    text::indented,
    wait::WaitError,
};

/// Why a stack did not come up.
#[derive(Debug, Error)]
pub(crate) enum StackError {
    #[error("{what} in namespace `{namespace}`")]
    Api {
        what: String,
        namespace: String,
        #[source]
        source: Box<kube::Error>,
    },
    #[error("apply {kind} `{name}` from {}: {words}", manifest.display())]
    Refused { kind: String, name: String, manifest: PathBuf, words: String },
    #[error("{workload}: {reason}{}", indented(evidence))]
    Lost { workload: String, reason: String, evidence: Vec<String> },
    #[error("{workload} was not ready within {} s; last seen: {seen}{}", limit.as_secs(), indented(evidence))]
    Late { workload: String, limit: Duration, seen: String, evidence: Vec<String> },
    #[error("`{workload}` is ready in the cluster, but does not answer on this machine")]
    Silent {
        workload: String,
        #[source]
        source: Box<WaitError<reach::Never>>,
    },
    #[error("`{workload}` is ready in the cluster, but not to be reached: {words}")]
    Astray { workload: String, words: String },
    #[error(
        "NodePort {node_port} of `{workload}` leads to no port of this machine; the cluster `{cluster}` does not map it"
    )]
    Unmapped { workload: String, node_port: u16, cluster: String },
    #[error("migrate the database of `{workload}`")]
    Migrate {
        workload: String,
        #[source]
        source: Box<MigrateError>,
    },
    #[error(
        "the migrations of `{workload}` ran, but there is no table {tables}; do they belong to this suite?"
    )]
    NoTables { workload: String, tables: String },
    #[error("use the cluster")]
    Cluster(#[source] ClusterError),
    #[error(transparent)]
    Image(Undelivered),
}
