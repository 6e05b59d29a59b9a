//! Clusters of Kind, whose nodes are containers of this machine's Docker daemon.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bollard::{
    Docker,
    errors::Error,
    models::{ContainerSummary, PortBinding},
    query_parameters::ListContainersOptionsBuilder,
};

mod config;
mod create;
mod deliver;
mod node;

use super::{Address, Cluster, ClusterError, Delivered, DeliveryError, undo_all};
use crate::{
    docker,
    events::Events,
    image::Built,
    ledger::{Ledger, Undo},
    plan::{ClusterName, ClusterPlan},
    seed::RunId,
};

/// How long kind may take, with a node image that must be pulled.
const CREATE: Duration = Duration::from_mins(15);

/// What a run needs to make clusters of Kind.
#[derive(Debug)]
pub(crate) struct Kind {
    docker: Docker,
    endpoint: docker::Endpoint,
    ledger: Arc<Ledger>,
    run: RunId,
    /// Where ledgers of all runs are.
    state: PathBuf,
    events: Events,
}

impl Kind {
    /// Clusters of `run` in a Docker daemon, once kind is known to be there and recent enough.
    pub(crate) fn new(
        docker: Docker,
        endpoint: docker::Endpoint,
        ledger: Arc<Ledger>,
        run: RunId,
        state: PathBuf,
        events: Events,
    ) -> Self {
        Self { docker, endpoint, ledger, run, state, events }
    }

    /// Fails unless kind is there and recent enough.
    pub(crate) async fn check() -> Result<(), ClusterError> {
        create::check_kind().await
    }

    pub(super) async fn obtain(&self, plan: &ClusterPlan) -> Result<Cluster, ClusterError> {
        let kubeconfig = match plan {
            ClusterPlan::Create { name, node_image, ports, config } => {
                let creating = self.create(name, node_image.as_deref(), ports, config);
                let slow = |_| ClusterError::Slow { name: name.to_string(), limit: CREATE };
                tokio::time::timeout(CREATE, creating).await.map_err(slow)??;
                kubeconfig_path(self.ledger.directory(), name)
            }
            ClusterPlan::Adopt { name, run } => {
                kubeconfig_path(&self.state.join(run.as_str()), name)
            }
        };
        let nodes = self.nodes(plan).await;
        if let (ClusterPlan::Adopt { name, run }, true) = (plan, nodes.is_empty()) {
            let (name, run) = (name.to_string(), run.to_string());
            return Err(ClusterError::Gone { name, run });
        }
        let addresses = self.addresses(plan.name(), &nodes).await?;
        Cluster::connect(plan.name(), kubeconfig, nodes.len(), addresses).await
    }

    pub(super) async fn takes_images(&self, plan: &ClusterPlan) -> Result<(), DeliveryError> {
        node::all_answer(&self.docker, &self.nodes(plan).await).await
    }

    pub(super) async fn deliver(
        &self,
        plan: &ClusterPlan,
        images: &[Built],
    ) -> Result<Vec<Delivered>, DeliveryError> {
        deliver::deliver(&self.docker, &self.nodes(plan).await, images).await
    }

    pub(super) async fn delete(&self, name: &ClusterName) {
        let name = name.to_string();
        let promises = [Undo::Cluster { name: name.clone() }, Undo::Network { name }];
        let _ = undo_all(&self.docker, &promises).await;
    }

    /// The containers that are, or will be, the nodes of a cluster.
    async fn nodes(&self, plan: &ClusterPlan) -> Vec<String> {
        match plan {
            ClusterPlan::Create { name, config, .. } => config::node_names(name, config),
            ClusterPlan::Adopt { name, .. } => {
                let containers = containers(&self.docker, name.as_str(), false).await;
                let nodes = containers.unwrap_or_default().into_iter().filter(is_node);
                let names = nodes.filter_map(|node| node.names?.into_iter().next());
                names.map(|name| name.trim_start_matches('/').to_owned()).collect()
            }
        }
    }

    /// The ports that Docker gave to the nodes, by NodePort.
    async fn addresses(
        &self,
        name: &ClusterName,
        nodes: &[String],
    ) -> Result<BTreeMap<u16, Address>, ClusterError> {
        let mut addresses = BTreeMap::new();
        for node in nodes {
            let container = self.docker.inspect_container(node, None).await.map_err(|source| {
                ClusterError::Docker {
                    what: "read the ports",
                    name: name.to_string(),
                    source: Box::new(source),
                }
            })?;
            let bound = container.network_settings.and_then(|settings| settings.ports);
            addresses.extend(bound.into_iter().flatten().filter_map(|(port, bindings)| {
                let inside = port.strip_suffix("/tcp")?.parse().ok()?;
                Some((inside, bindings?.into_iter().find_map(address)?))
            }));
        }
        Ok(addresses)
    }
}

/// Where this machine reaches a port of a node that is bound so.
fn address(binding: PortBinding) -> Option<Address> {
    let port = binding.host_port?.parse().ok()?;
    // 127.0.0.1, not localhost: that may be ::1, where nobody listens.
    Some(Address { host: config::LOOPBACK.to_owned(), port })
}

/// Where the kubeconfig of a cluster is.
pub(crate) fn kubeconfig_path(directory: &Path, name: &ClusterName) -> PathBuf {
    directory.join(format!("{name}.kubeconfig"))
}

/// The containers of a cluster: its nodes, and what kind puts before several control planes.
pub(super) async fn containers(
    docker: &Docker,
    cluster: &str,
    also_stopped: bool,
) -> Result<Vec<ContainerSummary>, Error> {
    let label = format!("io.x-k8s.kind.cluster={cluster}");
    let filters = HashMap::from([("label".to_owned(), vec![label])]);
    let options = ListContainersOptionsBuilder::default().all(also_stopped).filters(&filters);
    docker.list_containers(Some(options.build())).await
}

/// Whether a container of a cluster runs pods: a load balancer of control planes does not.
fn is_node(container: &ContainerSummary) -> bool {
    let labels = container.labels.as_ref();
    let role = labels.and_then(|labels| labels.get("io.x-k8s.kind.role"));
    role.is_none_or(|role| role != "external-load-balancer")
}
