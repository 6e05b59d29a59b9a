//! Where stacks live: makes or adopts clusters, brings images there, says how their ports are
//! reached, how much room is in them, and what undoing them means.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use kube::config::{KubeConfigOptions, Kubeconfig};

mod capacity;
mod delivered;
mod error;
mod kind;
mod ready;
mod shelf;
mod undo;

pub(crate) use delivered::Delivered;
pub(crate) use error::{ClusterError, DeliveryError};
pub(crate) use kind::Kind;
pub(crate) use shelf::{Shelf, Stock, Undelivered, shelf};
pub(crate) use undo::{undo_all, undo_until_quiet};

use crate::{
    image::Built,
    manifest::Requests,
    plan::{ClusterName, ClusterPlan},
    wait::Limit,
};

/// How long a cluster may take from the first answer of its API to its first pod.
const READY: Limit = Limit { total: Duration::from_mins(2), every: Duration::from_millis(100) };

/// How long its API may say nothing on an open connection; the server ends a watch before that.
const SILENT: Duration = Duration::from_secs(295);

/// What makes the clusters of a run, and knows how to bring images to them.
#[derive(Debug)]
pub(crate) enum Provider {
    /// Clusters of Kind, whose nodes are containers of a Docker daemon.
    Kind(Kind),
}

impl Provider {
    /// Makes the cluster of a plan, or connects to the one that it adopts.
    pub(crate) async fn obtain(&self, plan: &ClusterPlan) -> Result<Cluster, ClusterError> {
        match self {
            Self::Kind(kind) => kind.obtain(plan).await,
        }
    }

    /// Waits until a cluster takes images, which is long before it is ready.
    pub(crate) async fn takes_images(&self, plan: &ClusterPlan) -> Result<(), DeliveryError> {
        match self {
            Self::Kind(kind) => kind.takes_images(plan).await,
        }
    }

    /// Brings images to where the pods of a cluster run.
    pub(crate) async fn deliver(
        &self,
        plan: &ClusterPlan,
        images: &[Built],
    ) -> Result<Vec<Delivered>, DeliveryError> {
        match self {
            Self::Kind(kind) => kind.deliver(plan, images).await,
        }
    }

    /// Deletes a cluster that this run made; what is left is undone when the run ends.
    pub(crate) async fn delete(&self, name: &ClusterName) {
        match self {
            Self::Kind(kind) => kind.delete(name).await,
        }
    }
}

/// Where this machine reaches something in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    /// A host name or an IP address.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A cluster that has answered: its API, its nodes, its service accounts.
///
/// Holding one is the proof; there is no other way to get a client.
#[derive(Clone)]
pub(crate) struct Cluster {
    name: ClusterName,
    kubeconfig: PathBuf,
    client: kube::Client,
    /// Where NodePorts are reached.
    addresses: BTreeMap<u16, Address>,
    /// The server's major and minor version.
    version: (u32, u32),
}

impl Cluster {
    /// The cluster behind a kubeconfig, once its API and so many nodes are ready.
    async fn connect(
        name: &ClusterName,
        kubeconfig: PathBuf,
        nodes: usize,
        addresses: BTreeMap<u16, Address>,
    ) -> Result<Self, ClusterError> {
        let client = client(&kubeconfig).await?;
        let version = ready::answers(&client, READY, nodes).await.map_err(|source| {
            ClusterError::Silent { name: name.to_string(), source: Box::new(source) }
        })?;
        Ok(Self { name: name.clone(), kubeconfig, client, addresses, version })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &ClusterName {
        &self.name
    }

    /// Where its kubeconfig is.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A client for this cluster and no other.
    pub(crate) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Where this machine reaches a NodePort.
    pub(crate) fn address(&self, node_port: u16) -> Option<&Address> {
        self.addresses.get(&node_port)
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
    pub(crate) async fn capacity(&self, own: &[&str]) -> Result<Vec<Requests>, ClusterError> {
        capacity::left(&self.client, own).await.map_err(|source| ClusterError::Api {
            what: "read the room",
            name: self.name.to_string(),
            source: Box::new(source),
        })
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).finish_non_exhaustive()
    }
}

async fn client(path: &Path) -> Result<kube::Client, ClusterError> {
    let fail = |source: Box<dyn std::error::Error + Send + Sync>| ClusterError::Kubeconfig {
        path: path.to_owned(),
        source,
    };
    let file = Kubeconfig::read_from(path).map_err(|error| fail(error.into()))?;
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(|error| fail(error.into()))?;
    config.read_timeout = Some(SILENT);
    kube::Client::try_from(config).map_err(|error| fail(error.into()))
}
