//! Why a stack did not come up, and what the API server said.

use std::{path::PathBuf, time::Duration};

use kube::{core::Status, runtime::watcher};
use thiserror::Error;

use crate::{
    cluster::{ClusterError, Undelivered},
    migrate::MigrateError,
    suite::EndpointName,
    text::indented,
    transport::TransportError,
};

/// Why a stack did not come up, or did not come back.
#[derive(Debug, Error)]
pub(crate) enum StackError {
    #[error("{what} in namespace `{namespace}`")]
    Api {
        what: String,
        namespace: String,
        #[source]
        source: ServerError,
    },
    #[error("apply {kind} `{name}` from {}: {words}", manifest.display())]
    Refused { kind: String, name: String, manifest: PathBuf, words: String },
    #[error("{workload}: {reason}{}", indented(evidence))]
    Lost { workload: String, reason: String, evidence: Vec<String> },
    #[error("{workload} was not ready within {} s (`.ready_within(..)` gives it more); last seen: {seen}{}", limit.as_secs(), indented(evidence))]
    Late { workload: String, limit: Duration, seen: String, evidence: Vec<String> },
    #[error(
        "`{workload}` is ready in the cluster, but {asked} had no good answer within {} s; last seen: {seen}",
        limit.as_secs()
    )]
    Silent { workload: String, asked: String, limit: Duration, seen: String },
    #[error(
        "`{workload}` is ready in the cluster, but {asked} is answered with {answer}; let the service say there that it is well, or name another path with `.health(..)`"
    )]
    Unhealthy { workload: String, asked: String, answer: String },
    #[error("`{workload}` is ready in the cluster, but {asked} is answered with {answer}")]
    Refusing { workload: String, asked: String, answer: String },
    #[error("`{endpoint}` is ready in the cluster, but not to be trusted: {words}")]
    Untrusted { endpoint: EndpointName, words: String },
    #[error("`{workload}` is ready in the cluster, but not to be reached: {words}")]
    Astray { workload: String, words: String },
    #[error(
        "NodePort {node_port} of `{workload}` leads to no port of this machine; the cluster `{cluster}` does not map it; make a new one, without `--reuse`"
    )]
    Unmapped { workload: String, node_port: u16, cluster: String },
    #[error(
        "no account of the pods of suite `{suite}` may list and watch `{kind}`, which it controls (asked for: {accounts}), as reviews of their access prove; a role lacks the rule {rule}"
    )]
    Rights { suite: String, kind: String, accounts: String, rule: String },
    #[error("the pods of `{workload}` did not end: {words}")]
    Lasting { workload: String, words: String },
    #[error("the namespace `{namespace}` is still being deleted: {words}")]
    Leaving { namespace: String, words: String },
    #[error(
        "{words} was taken out of suite `{suite}`, but is not gone from the kept cluster; does a finalizer hold it?"
    )]
    Leftover { suite: String, words: String },
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
    #[error("make the folder {} that pods share with this machine", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("make a client for HTTP")]
    Http(#[source] TransportError),
    #[error(transparent)]
    Image(Undelivered),
}

/// What the API server refused, in its own words, or why it said nothing.
#[derive(Debug, Error)]
pub(crate) enum ServerError {
    /// It refused; its client would tell the same words twice.
    #[error("{0}")]
    Refused(String),
    /// It did not answer, or not in a way that its client understands.
    #[error(transparent)]
    Unanswered(Box<kube::Error>),
}

impl From<kube::Error> for ServerError {
    fn from(error: kube::Error) -> Self {
        if let kube::Error::Api(status) = &error
            && !status.message.is_empty()
        {
            return Self::Refused(status.message.clone());
        }
        Self::Unanswered(Box::new(error))
    }
}

/// Whether the same request would be refused again: the server understood it, and said no.
pub(crate) fn is_refusal(error: &kube::Error) -> bool {
    /// What may be different the next time: a limit of time, a conflict, an old version, too many requests.
    const PASSING: [u16; 4] = [408, 409, 410, 429];
    let kube::Error::Api(status) = error else {
        return false;
    };
    (400..500).contains(&status.code) && !PASSING.contains(&status.code)
}

/// What the server said, if it will never let a kind or an object be watched.
pub(crate) fn watch_refusal(error: watcher::Error) -> Option<ServerError> {
    let error = match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => error,
        watcher::Error::WatchError(status) => kube::Error::Api(status),
        watcher::Error::NoResourceVersion => {
            let message = "this kind cannot be watched".to_owned();
            kube::Error::Api(Box::new(Status { code: 405, message, ..Status::default() }))
        }
    };
    is_refusal(&error).then(|| error.into())
}

/// What became of the deletion of something that may be gone already.
pub(super) fn unless_gone<T>(deleted: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match deleted {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: u16) -> kube::Error {
        kube::Error::Api(Box::new(Status {
            code,
            message: "configmaps \"a\" already exists".to_owned(),
            reason: "AlreadyExists".to_owned(),
            ..Status::default()
        }))
    }

    #[test]
    fn a_refusal_of_the_server_is_told_once_in_its_own_words() {
        let error = StackError::Api {
            what: "make a ConfigMap".to_owned(),
            namespace: "shop".to_owned(),
            source: answered(409).into(),
        };
        assert_eq!(
            crate::text::chain(&error),
            "make a ConfigMap in namespace `shop`: configmaps \"a\" already exists"
        );
    }

    #[test]
    fn only_what_would_be_refused_again_is_a_refusal() {
        assert!(is_refusal(&answered(403)));
        assert!(!is_refusal(&answered(429)) && !is_refusal(&answered(500)));
        assert!(!is_refusal(&kube::Error::TlsRequired));
    }
}
