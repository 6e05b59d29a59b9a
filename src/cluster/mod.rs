//! Makes a Kind cluster, and proves that it answers.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use bollard::Docker;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use thiserror::Error;

mod create;
mod ready;

pub(crate) use create::{Means, check_kind, create, kubeconfig_path, node_names};

use crate::{
    exec::ExecError,
    ledger::LedgerError,
    plan::ClusterName,
    wait::{Limit, WaitError},
};

/// How long a cluster may take from the first answer of its API to its first pod.
const READY: Limit = Limit { total: Duration::from_mins(2), every: Duration::from_millis(100) };

/// How long its API may say nothing on an open connection; the server ends a watch before that.
const SILENT: Duration = Duration::from_secs(295);

/// A cluster that has answered: its API, its nodes, its service accounts.
///
/// Holding one is the proof; there is no other way to get a client.
#[derive(Clone)]
pub(crate) struct Cluster {
    name: ClusterName,
    kubeconfig: PathBuf,
    client: kube::Client,
    /// Ports of this machine by NodePort.
    host_ports: BTreeMap<u16, u16>,
    /// The server's major and minor version.
    version: (u32, u32),
}

/// Why there is no cluster.
#[derive(Debug, Error)]
pub(crate) enum ClusterError {
    /// The kind on this machine cannot be used.
    #[error("kind {found} is too old; kindwright needs {needed} or later")]
    Old {
        /// Its version.
        found: String,
        /// The oldest that will do.
        needed: String,
    },
    /// kind does not say its version.
    #[error("ask kind for its version")]
    Kind(#[source] ExecError),
    /// kind could not make it.
    #[error("create the cluster `{name}`{hint}")]
    Create {
        /// The cluster.
        name: String,
        /// The next step, where one is likely.
        hint: &'static str,
        /// What kind said.
        #[source]
        source: ExecError,
    },
    /// Docker could not make its network, or does not know its nodes.
    #[error("{what} of the cluster `{name}`")]
    Docker {
        /// What was to be done.
        what: &'static str,
        /// The cluster.
        name: String,
        /// What Docker said.
        #[source]
        source: Box<bollard::errors::Error>,
    },
    /// A file of the run's directory.
    #[error("write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// The kubeconfig is not usable.
    #[error("use the kubeconfig {}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No node of a kept one runs.
    #[error(
        "no node of the kept cluster `{name}` runs (was Docker restarted?); `docker start {name}-control-plane`, or `kindwright reap {run}`"
    )]
    Gone {
        /// The cluster.
        name: String,
        /// The run that made it.
        run: String,
    },
    /// It never got ready.
    #[error("the cluster `{name}` was created, but did not get ready")]
    Silent {
        /// The cluster.
        name: String,
        /// What was last seen.
        #[source]
        source: Box<WaitError<kube::Error>>,
    },
    /// kind did not come to an end.
    #[error("create the cluster `{name}`: kind was not done after {} s; is the node image still being pulled?", limit.as_secs())]
    Slow {
        /// The cluster.
        name: String,
        /// How long it was given.
        limit: Duration,
    },
    /// Its API refused a question.
    #[error("{what} of the cluster `{name}`")]
    Api {
        /// What was to be done.
        what: &'static str,
        /// The cluster.
        name: String,
        /// What it said.
        #[source]
        source: Box<kube::Error>,
    },
    /// The promise to undo it could not be written.
    #[error("promise to delete the cluster")]
    Ledger(#[source] LedgerError),
}

impl Cluster {
    /// The cluster behind a kubeconfig, once it answers.
    pub(crate) async fn connect(
        docker: &Docker,
        name: &ClusterName,
        nodes: Vec<String>,
        kubeconfig: PathBuf,
    ) -> Result<Self, ClusterError> {
        let client = client(&kubeconfig).await?;
        let version = ready::answers(&client, READY, nodes.len()).await.map_err(|source| {
            ClusterError::Silent { name: name.to_string(), source: Box::new(source) }
        })?;
        let host_ports = host_ports(docker, name, &nodes).await?;
        Ok(Self { name: name.clone(), kubeconfig, client, host_ports, version })
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

    /// The port of 127.0.0.1 that leads to a NodePort.
    pub(crate) fn host_port(&self, node_port: u16) -> Option<u16> {
        self.host_ports.get(&node_port).copied()
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

/// The ports that Docker gave to the nodes, by NodePort.
async fn host_ports(
    docker: &Docker,
    name: &ClusterName,
    nodes: &[String],
) -> Result<BTreeMap<u16, u16>, ClusterError> {
    let mut ports = BTreeMap::new();
    for node in nodes {
        let container =
            docker.inspect_container(node, None).await.map_err(|source| ClusterError::Docker {
                what: "read the ports",
                name: name.to_string(),
                source: Box::new(source),
            })?;
        let bound = container.network_settings.and_then(|settings| settings.ports);
        for (port, bindings) in bound.into_iter().flatten() {
            let inside: Option<u16> = port.strip_suffix("/tcp").and_then(|port| port.parse().ok());
            let outside: Option<u16> =
                bindings.into_iter().flatten().find_map(|binding| binding.host_port?.parse().ok());
            ports.extend(inside.zip(outside));
        }
    }
    Ok(ports)
}

/// kind's configuration with what only the run's directory tells: the shared folder of every node.
fn with_shared_folder(config: &Value, shared: &Path) -> Value {
    let mut config = config.clone();
    for node in config["nodes"].as_array_mut().into_iter().flatten() {
        let mount = serde_json::json!({"hostPath": shared, "containerPath": "/kindwright"});
        match node["extraMounts"].as_array_mut() {
            Some(mounts) => mounts.push(mount),
            None => node["extraMounts"] = serde_json::json!([mount]),
        }
    }
    config
}
