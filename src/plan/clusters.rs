//! Decides how each cluster is made, or that it is borrowed.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::{ClusterName, Inputs, SuitePlan, groups::Group, node_ports::Assigned};
use crate::{inventory::cluster_file, problem::Problem, seed::RunId, settings::HostPorts};

/// A cluster, and whether it is ours to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClusterPlan {
    /// Make it, and own it.
    Create {
        /// Its name.
        name: ClusterName,
        /// The node image; kind's own default without it.
        node_image: Option<String>,
        /// The file of its configuration that its suites name; the project's without it.
        file: Option<PathBuf>,
        /// The NodePorts that are reached from this machine.
        ports: Vec<PortMapping>,
        /// Whether it holds ports of this machine that are not any that are free.
        #[serde(skip)]
        has_fixed_ports: bool,
        /// What the file says.
        #[serde(skip)]
        config: Value,
    },
    /// Borrow the one of a kept run.
    Adopt {
        /// Its name.
        name: ClusterName,
        /// The run that made it.
        run: RunId,
    },
}

/// A NodePort, and the port of this machine that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PortMapping {
    /// The port on the node.
    pub(crate) node_port: u16,
    /// The port of this machine; any that is free without it.
    pub(crate) host_port: Option<u16>,
}

/// How a cluster is made for its suites, or borrowed.
pub(super) fn plan(
    inputs: &Inputs<'_>,
    group: &Group<'_>,
    suites: &[SuitePlan],
    node_ports: &Assigned,
    problems: &mut Vec<Problem>,
) -> ClusterPlan {
    let name = &group.name;
    if let Some(reused) = inputs.reused {
        return ClusterPlan::Adopt { name: name.clone(), run: reused.run.clone() };
    }
    // Suites of one cluster have one configuration.
    let declared = group.suites.first();
    let config = declared.map(|suite| inputs.inventory.cluster(suite).clone()).unwrap_or_default();
    let own = declared.into_iter().flat_map(|suite| inputs.inventory.own_mappings(suite));
    let own: Vec<_> = own.filter_map(|mapping| u16::try_from(mapping.host_port?).ok()).collect();
    let maps_itself = !own.is_empty();
    let path = declared.map(|suite| cluster_file(suite).display().to_string()).unwrap_or_default();
    let owners = own.into_iter().map(|host_port| (host_port, path.clone())).collect();
    let mut ports = port_mappings(inputs, suites, owners, problems);
    let has_fixed_ports = maps_itself || ports.iter().any(|mapped| mapped.host_port.is_some());
    let spare = node_ports.spare.iter();
    ports.extend(spare.map(|node_port| PortMapping { node_port: *node_port, host_port: None }));
    ClusterPlan::Create {
        name: name.clone(),
        node_image: inputs.settings.node_image.clone(),
        file: declared.and_then(|suite| suite.kind_config.clone()),
        ports,
        has_fixed_ports,
        config,
    }
}

fn port_mappings(
    inputs: &Inputs<'_>,
    suites: &[SuitePlan],
    mut owners: BTreeMap<u16, String>,
    problems: &mut Vec<Problem>,
) -> Vec<PortMapping> {
    let mut ports = Vec::new();
    for suite in suites {
        for endpoint in suite.endpoints() {
            // The databases of one server have one port together.
            if ports.iter().any(|mapped: &PortMapping| mapped.node_port == endpoint.node_port) {
                continue;
            }
            let host_port = match inputs.settings.host_ports {
                HostPorts::Free => None,
                HostPorts::Fixed => endpoint.host_port,
            };
            let owner = format!("{} of {}", endpoint.name, suite.name);
            if let Some(host_port) = host_port
                && let Some(first) = owners.insert(host_port, owner.clone())
            {
                problems.push(Problem::HostPort { host_port, first, second: owner });
            }
            ports.push(PortMapping { node_port: endpoint.node_port, host_port });
        }
    }
    ports
}

/// How many of these clusters can be there at once, of at most so many: a port of this machine belongs to one.
pub(crate) fn at_once(clusters: &[ClusterPlan], most: usize) -> usize {
    let fixed = clusters.iter().filter(|cluster| cluster.has_fixed_ports());
    if fixed.count() > 1 { 1 } else { most }
}

impl ClusterPlan {
    /// Whether it holds ports of this machine that are not any that are free.
    fn has_fixed_ports(&self) -> bool {
        matches!(self, Self::Create { has_fixed_ports: true, .. })
    }

    /// Whether the run makes it, and so may delete it and what is in it.
    pub(crate) fn is_made(&self) -> bool {
        matches!(self, Self::Create { .. })
    }

    /// How many nodes it will have; of one that exists nothing is planned.
    pub(crate) fn nodes(&self) -> usize {
        match self {
            Self::Create { config, .. } => config["nodes"].as_array().map_or(1, Vec::len),
            Self::Adopt { .. } => 0,
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &ClusterName {
        match self {
            Self::Create { name, .. } | Self::Adopt { name, .. } => name,
        }
    }
}
