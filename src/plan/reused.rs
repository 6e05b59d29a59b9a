//! The clusters of a kept run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cluster_name::ClusterName;
use crate::{digest, seed::RunId, suite::EndpointName};

/// The kept run whose clusters are used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reused {
    pub(crate) run: RunId,
    /// Never none.
    pub(crate) clusters: Vec<ReusedCluster>,
    /// The NodePorts of the endpoints that it holds.
    pub(crate) node_ports: BTreeMap<Key, u16>,
}

/// A suite, and one of its endpoints.
pub(crate) type Key = (String, EndpointName);

/// A cluster of a kept run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReusedCluster {
    pub(crate) name: ClusterName,
    /// The suites that it held.
    pub(crate) suites: BTreeSet<String>,
    /// The node image that it was asked for with; kind's own default without it.
    pub(crate) node_image: Option<String>,
    /// What [`config_digest`] said of its configuration; nothing if that was not noted.
    pub(crate) config: String,
    /// The NodePorts that lead out of it.
    pub(crate) node_ports: BTreeSet<u16>,
}

/// A checksum of a cluster's configuration, by which a later run sees that it changed.
pub(crate) fn config_digest(config: &Value) -> String {
    digest::sha256_of(config.to_string())
}

impl Reused {
    /// The cluster for a suite: the one that held it, or the only one.
    pub(super) fn cluster_of(&self, suite: &str) -> Option<&ReusedCluster> {
        let held = self.clusters.iter().find(|cluster| cluster.suites.contains(suite));
        match self.clusters.as_slice() {
            [only] => Some(only),
            _ => held,
        }
    }

    /// Which suites each of its clusters held.
    pub(super) fn holds(&self) -> String {
        let held = self.clusters.iter().map(|cluster| {
            let suites: Vec<_> = cluster.suites.iter().map(|suite| format!("`{suite}`")).collect();
            format!("{} held {}", cluster.name, suites.join(", "))
        });
        held.collect::<Vec<_>>().join("; ")
    }

    /// The mapped NodePorts of a cluster.
    pub(super) fn mapped(&self, cluster: &ClusterName) -> impl Iterator<Item = &u16> {
        let known = self.clusters.iter().filter(move |known| known.name == *cluster);
        known.flat_map(|known| &known.node_ports)
    }

    /// The mapped NodePorts of a cluster that no endpoint of the kept run has.
    pub(super) fn free(&self, cluster: &ClusterName) -> BTreeSet<u16> {
        let Some(cluster) = self.clusters.iter().find(|known| known.name == *cluster) else {
            return BTreeSet::new();
        };
        let own = |suite: &String| self.clusters.len() == 1 || cluster.suites.contains(suite);
        let held = self.node_ports.iter().filter(|((suite, _), _)| own(suite));
        let held: BTreeSet<_> = held.map(|(_, number)| *number).collect();
        cluster.node_ports.difference(&held).copied().collect()
    }
}
