//! A cluster that has answered, its client, and how its ports are reached.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use kube::config::{KubeConfigOptions, Kubeconfig};

use super::{error::ClusterError, headroom, ready};
use crate::{manifest::Requests, plan::ClusterName, wait::Limit};

/// How long a cluster may take from the first answer of its API to its first pod.
const READY: Limit = Limit { total: Duration::from_mins(2), every: Duration::from_millis(100) };

/// How long its API may say nothing on an open connection; the server ends a watch before that.
const SILENT: Duration = Duration::from_secs(295);

/// How a cluster and this machine reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// Where this machine reaches NodePorts.
    pub(super) addresses: BTreeMap<u16, SocketAddr>,
    /// Where pods reach this machine.
    pub(super) callback: Option<IpAddr>,
}

/// A cluster that has answered: its API, its nodes, its service accounts.
///
/// Holding one is the proof; there is no other way to get a client.
#[derive(Clone)]
pub(crate) struct Cluster {
    name: ClusterName,
    kubeconfig: PathBuf,
    client: kube::Client,
    ways: Ways,
    /// The folder of this machine that its nodes have as `/kindwright`.
    shared: PathBuf,
    /// The server's major and minor version.
    version: (u32, u32),
}

impl Cluster {
    /// The cluster behind a kubeconfig, once its API and so many nodes are ready.
    pub(super) async fn connect(
        name: &ClusterName,
        kubeconfig: PathBuf,
        nodes: usize,
        ways: Ways,
        shared: PathBuf,
    ) -> Result<Self, ClusterError> {
        let client = client(&kubeconfig).await?;
        let version = ready::answers(&client, READY, nodes).await.map_err(|source| {
            ClusterError::Silent { name: name.to_string(), source: Box::new(source) }
        })?;
        Ok(Self { name: name.clone(), kubeconfig, client, ways, shared, version })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &ClusterName {
        &self.name
    }

    /// Where its kubeconfig is.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The folder of this machine that its nodes have as `/kindwright`.
    pub(crate) fn shared(&self) -> &Path {
        &self.shared
    }

    /// A client for this cluster and no other.
    pub(crate) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Where this machine reaches a NodePort.
    pub(crate) fn address(&self, node_port: u16) -> Option<SocketAddr> {
        self.ways.addresses.get(&node_port).copied()
    }

    /// The address of this machine under which its pods reach what listens there, if there is one.
    pub(crate) fn callback(&self) -> Option<IpAddr> {
        self.ways.callback
    }

    /// Whether its server is at least this version.
    pub(crate) fn is_at_least(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }

    /// Waits until cluster names are resolved in pods.
    pub(crate) async fn resolves_names(&self) -> Result<(), ClusterError> {
        ready::resolves_names(&self.client, READY).await.map_err(|source| ClusterError::Silent {
            name: self.name.to_string(),
            source: Box::new(source),
        })
    }

    /// What each node has left for pods, beside those of `own` namespaces.
    pub(crate) async fn headroom(&self, own: &[&str]) -> Result<Vec<Requests>, ClusterError> {
        let nodes = headroom::left(&self.client, own).await;
        let nodes = nodes.map_err(|source| ClusterError::Api {
            what: "read the room",
            name: self.name.to_string(),
            source: Box::new(source),
        })?;
        if nodes.is_empty() {
            return Err(ClusterError::NoNode { name: self.name.to_string() });
        }
        Ok(nodes)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).finish_non_exhaustive()
    }
}

async fn client(kubeconfig: &Path) -> Result<kube::Client, ClusterError> {
    let config = config(kubeconfig).await?;
    kube::Client::try_from(config).map_err(|error| unusable(kubeconfig)(error.into()))
}

async fn config(kubeconfig: &Path) -> Result<kube::Config, ClusterError> {
    let fail = unusable(kubeconfig);
    let file = Kubeconfig::read_from(kubeconfig).map_err(|error| fail(error.into()))?;
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(|error| fail(error.into()))?;
    config.read_timeout = Some(SILENT);
    // The cluster is on this machine, where no proxy leads; HTTPS_PROXY is for pulls.
    config.proxy_url = None;
    Ok(config)
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn unusable(kubeconfig: &Path) -> impl Fn(Cause) -> ClusterError {
    move |source| ClusterError::Kubeconfig { path: kubeconfig.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_cluster_is_reached_without_a_proxy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // The environment's HTTPS_PROXY is read at the same place.
        let cluster =
            json!({"server": "https://127.0.0.1:6443", "proxy-url": "http://127.0.0.1:9"});
        let kubeconfig = json!({
            "clusters": [{"name": "kw-1", "cluster": cluster}],
            "contexts": [{"name": "kw-1", "context": {"cluster": "kw-1", "user": "kw-1"}}],
            "users": [{"name": "kw-1", "user": {}}],
            "current-context": "kw-1",
        });
        std::fs::write(file.path(), kubeconfig.to_string()).unwrap();
        assert_eq!(config(file.path()).await.unwrap().proxy_url, None);
        assert!(client(file.path()).await.is_ok());
    }
}
