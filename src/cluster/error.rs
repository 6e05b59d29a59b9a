//! Why there is no cluster, or why images did not get there.

use std::{path::PathBuf, time::Duration};

use bollard::errors::Error;
use thiserror::Error;

use crate::{exec::ExecError, ledger::LedgerError, text::indented, wait::WaitError};

/// Why there is no cluster.
#[derive(Debug, Error)]
pub(crate) enum ClusterError {
    #[error("kind {found} is too old; kindwright needs {needed} or later")]
    Old { found: String, needed: String },
    #[error("ask kind for its version")]
    Kind(#[source] ExecError),
    #[error("create the cluster `{name}`{hint}")]
    Create {
        name: String,
        /// The next step, where one is likely.
        hint: &'static str,
        #[source]
        source: ExecError,
    },
    #[error("{what} of the cluster `{name}`")]
    Docker {
        what: &'static str,
        name: String,
        #[source]
        source: Box<Error>,
    },
    #[error("write {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("use the kubeconfig {}", path.display())]
    Kubeconfig {
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "no node of the kept cluster `{name}` runs (was Docker restarted?); `docker start {name}-control-plane`, or `kindwright reap {run}`"
    )]
    Gone { name: String, run: String },
    #[error(
        "no node of the cluster `{name}` takes pods: each is cordoned, or has a taint; `kubectl describe nodes` shows which"
    )]
    NoNode { name: String },
    #[error("the cluster `{name}` was created, but did not get ready")]
    Silent {
        name: String,
        #[source]
        source: Box<WaitError<kube::Error>>,
    },
    #[error("create the cluster `{name}`: kind was not done after {} s; is the node image still being pulled?", limit.as_secs())]
    Slow { name: String, limit: Duration },
    #[error("{what} of the cluster `{name}`")]
    Api {
        what: &'static str,
        name: String,
        #[source]
        source: Box<kube::Error>,
    },
    #[error("bring to the second `{name}` what its first one had")]
    Again {
        name: String,
        #[source]
        source: Box<DeliveryError>,
    },
    #[error("promise to delete the cluster")]
    Ledger(#[source] LedgerError),
}

/// Why an image is not where pods run.
#[derive(Debug, Error)]
pub(crate) enum DeliveryError {
    #[error("{what}")]
    Docker {
        what: String,
        #[source]
        source: Box<Error>,
    },
    #[error(
        "node `{node}` is gone (exit code {code}); see `docker logs {node}`{}",
        indented(log.lines())
    )]
    Ended { node: String, code: i64, log: String },
    #[error(
        "the containerd of node `{node}` did not answer within {} s; see `docker logs {node}`",
        limit.as_secs()
    )]
    Silent { node: String, limit: Duration },
    #[error(
        "node `{node}`: `{command}` hangs, nothing has moved for {} s; does `docker stats` show that the machine still works?",
        still.as_secs()
    )]
    Stalled { node: String, command: String, still: Duration },
    #[error(
        "node `{node}` has no space left for images; free some on the disk of the Docker daemon (`docker system df`), then run again"
    )]
    DiskFull { node: String },
    #[error("node `{node}`: `{command}` ended with {code}{}", indented(words.lines()))]
    Refused { node: String, command: String, code: i64, words: String },
    #[error(
        "node `{node}` does not have {references} although the delivery succeeded; are others removing images there?"
    )]
    Lost { node: String, references: String },
}

impl DeliveryError {
    /// Says what the daemon was asked for when it refused.
    pub(super) fn docker(what: impl Into<String>) -> impl FnOnce(Error) -> Self {
        |source| Self::Docker { what: what.into(), source: Box::new(source) }
    }
}
