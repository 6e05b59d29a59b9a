//! Decides how each cluster is made, or that it is borrowed.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::Value;

use super::{Inputs, SuitePlan, groups::Group};
use crate::{problem::Problem, seed::RunId, settings::HostPorts};

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
        /// The NodePorts that are reached from this machine.
        ports: Vec<PortMapping>,
        /// The project's configuration of it.
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

/// A name that kind and Docker accept: `kw-<8 hex digits>`, and a suite's name where each has its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct ClusterName(String);

/// How each cluster is made, or borrowed.
pub(super) fn plan(
    inputs: &Inputs<'_>,
    groups: &[Group<'_>],
    suites: &[SuitePlan],
    problems: &mut Vec<Problem>,
) -> Vec<ClusterPlan> {
    let mut clusters = Vec::new();
    for group in groups {
        if let Some(kept) = inputs.kept {
            if clusters.is_empty() {
                clusters
                    .push(ClusterPlan::Adopt { name: kept.cluster.clone(), run: kept.run.clone() });
            }
            continue;
        }
        let members = suites.iter().filter(|suite| suite.cluster == group.name);
        let ports = port_mappings(inputs, members, problems);
        clusters.push(ClusterPlan::Create {
            name: group.name.clone(),
            node_image: inputs.settings.node_image.clone(),
            ports,
            config: inputs.inventory.cluster.clone(),
        });
    }
    clusters
}

fn port_mappings<'a>(
    inputs: &Inputs<'_>,
    suites: impl Iterator<Item = &'a SuitePlan>,
    problems: &mut Vec<Problem>,
) -> Vec<PortMapping> {
    let mut owners: BTreeMap<u16, String> = BTreeMap::new();
    let mut ports = Vec::new();
    for suite in suites {
        for endpoint in suite.endpoints() {
            let host_port = match inputs.settings.host_ports {
                HostPorts::Free => None,
                HostPorts::Fixed => Some(endpoint.host_port),
            };
            let owner = format!("{} of {}", endpoint.service, suite.name);
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

impl ClusterPlan {
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

impl ClusterName {
    /// The name of the cluster that all suites of a run share.
    pub(crate) fn of(run: &RunId) -> Self {
        Self(format!("kw-{run}"))
    }

    /// The name of the `index`th cluster of a run that makes several.
    pub(crate) fn numbered(run: &RunId, index: usize) -> Self {
        Self(format!("kw-{run}-{index}"))
    }

    /// A name that was read back from a run's own notes.
    pub(crate) fn noted(name: String) -> Self {
        Self(name)
    }

    /// The name as kind takes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
