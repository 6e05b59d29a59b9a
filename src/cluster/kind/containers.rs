//! The containers of a cluster: which are its nodes, how their ports are reached, what they have said.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
};

use bollard::{
    Docker,
    errors::Error,
    models::{ContainerSummary, PortBinding},
    query_parameters::{ListContainersOptionsBuilder, LogsOptionsBuilder},
};
use futures_util::TryStreamExt as _;

use super::config::LOOPBACK;

/// The containers of a cluster: its nodes, and what kind puts before several control planes.
pub(super) async fn all(
    docker: &Docker,
    cluster: &str,
    also_stopped: bool,
) -> Result<Vec<ContainerSummary>, Error> {
    let label = format!("io.x-k8s.kind.cluster={cluster}");
    let filters = HashMap::from([("label".to_owned(), vec![label])]);
    let options = ListContainersOptionsBuilder::default().all(also_stopped).filters(&filters);
    docker.list_containers(Some(options.build())).await
}

/// The names of those that run pods, in the order of their names.
pub(super) fn nodes(containers: Vec<ContainerSummary>) -> Vec<String> {
    names(containers.into_iter().filter(is_node))
}

/// The names of containers, in their order.
pub(super) fn names(containers: impl IntoIterator<Item = ContainerSummary>) -> Vec<String> {
    let names = containers.into_iter().filter_map(|container| container.names?.into_iter().next());
    let mut names: Vec<_> = names.map(|name| name.trim_start_matches('/').to_owned()).collect();
    names.sort_unstable();
    names
}

/// Whether a container of a cluster runs pods: a load balancer of control planes does not.
fn is_node(container: &ContainerSummary) -> bool {
    let labels = container.labels.as_ref();
    let role = labels.and_then(|labels| labels.get("io.x-k8s.kind.role"));
    role.is_none_or(|role| role != "external-load-balancer")
}

/// The ports that Docker gave to these containers, by NodePort.
pub(super) async fn addresses(
    docker: &Docker,
    nodes: &[String],
) -> Result<BTreeMap<u16, SocketAddr>, Error> {
    let mut addresses = BTreeMap::new();
    for node in nodes {
        let container = docker.inspect_container(node, None).await?;
        let bound = container.network_settings.and_then(|settings| settings.ports);
        addresses.extend(bound.into_iter().flatten().filter_map(|(port, bindings)| {
            let inside = port.strip_suffix("/tcp")?.parse().ok()?;
            Some((inside, bindings?.into_iter().find_map(address)?))
        }));
    }
    Ok(addresses)
}

/// Where this machine reaches a port of a node that is bound so.
fn address(binding: PortBinding) -> Option<SocketAddr> {
    let port = binding.host_port?.parse().ok()?;
    // 127.0.0.1, not localhost: that may be ::1, where nobody listens.
    Some(SocketAddr::new(LOOPBACK.parse().ok()?, port))
}

/// The address that this machine has in the network of a cluster.
pub(super) async fn gateway(docker: &Docker, network: &str) -> Result<Option<IpAddr>, Error> {
    let network = docker.inspect_network(network, None).await?;
    let ranges = network.ipam.and_then(|ipam| ipam.config).into_iter().flatten();
    let gateways = ranges.filter_map(|range| range.gateway?.parse().ok());
    // What pods have are addresses of IPv4, unless the project says otherwise.
    Ok(gateways.min_by_key(IpAddr::is_ipv6))
}

/// The last lines that a container has said.
pub(super) async fn log(docker: &Docker, container: &str, lines: usize) -> Result<String, Error> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string());
    let said = docker.logs(container, Some(options.build()));
    said.try_fold(String::new(), async |text, chunk| Ok(text + &chunk.to_string())).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{cluster::kind::config, plan::ClusterName};

    fn container(name: &str, role: &str) -> ContainerSummary {
        ContainerSummary {
            names: Some(vec![format!("/{name}")]),
            labels: Some(HashMap::from([("io.x-k8s.kind.role".to_owned(), role.to_owned())])),
            ..ContainerSummary::default()
        }
    }

    #[test]
    fn what_kind_puts_before_several_control_planes_is_no_node() {
        let role = json!({"role": "control-plane"});
        let name = ClusterName::noted("kw-1".into());
        let mut planned =
            config::node_names(&name, &json!({"nodes": [role, role, {"role": "worker"}]}));
        planned.sort_unstable();
        let found = vec![
            container("kw-1-worker", "worker"),
            container("kw-1-external-load-balancer", "external-load-balancer"),
            container("kw-1-control-plane2", "control-plane"),
            container("kw-1-control-plane", "control-plane"),
        ];
        assert_eq!(nodes(found), planned);
    }
}
