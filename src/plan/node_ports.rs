//! Gives every endpoint a NodePort: the first wish in suite order, or one that no suite names.

use std::collections::{BTreeMap, BTreeSet};

use super::Inputs;
use crate::{
    problem::Problem,
    suite::{Endpoint, Suite, Workload},
};

/// What a Kubernetes server gives to NodePorts unless told otherwise.
const RANGE: std::ops::RangeInclusive<u16> = 30000..=32767;

/// The NodePorts of the suites of one cluster.
#[derive(Debug)]
pub(super) struct Assigned(BTreeMap<Key, u16>);

/// Suite, Service and the name of its port.
pub(crate) type Key = (String, String, String);

pub(crate) fn key(suite: &str, endpoint: &Endpoint) -> Key {
    (suite.to_owned(), endpoint.service.clone(), endpoint.port.clone())
}

/// Assigns the NodePorts of suites that share a cluster.
pub(super) fn assign(
    inputs: &Inputs<'_>,
    suites: &[&Suite],
    problems: &mut Vec<Problem>,
) -> Assigned {
    // Numbers that any suite names are left to the suites that name them.
    let named: BTreeSet<u16> = inputs
        .suites
        .iter()
        .flat_map(Suite::workloads)
        .flat_map(|workload| &workload.endpoints)
        .map(|endpoint| endpoint.node_port)
        .collect();
    let mut free = RANGE.filter(|number| !named.contains(number));
    let mut taken = BTreeSet::new();
    let mut assigned = BTreeMap::new();
    for suite in suites {
        check_wishes(suite, problems);
        for endpoint in suite.workloads().flat_map(|workload| &workload.endpoints) {
            let key = key(&suite.name, endpoint);
            let number = match inputs.kept {
                Some(kept) => kept.node_ports.get(&key).copied().or_else(|| {
                    problems.push(Problem::NotMapped {
                        run: kept.run.to_string(),
                        suite: suite.name.clone(),
                        workload: endpoint.service.clone(),
                        node_port: endpoint.node_port,
                    });
                    None
                }),
                None if taken.insert(endpoint.node_port) => Some(endpoint.node_port),
                None => free.next().or_else(|| {
                    problems.push(Problem::NodePortsExhausted {
                        suite: suite.name.clone(),
                        workload: endpoint.service.clone(),
                    });
                    None
                }),
            };
            assigned.extend(number.map(|number| (key, number)));
        }
    }
    Assigned(assigned)
}

fn check_wishes(suite: &Suite, problems: &mut Vec<Problem>) {
    let mut first = BTreeMap::new();
    for endpoint in suite.workloads().flat_map(|workload| &workload.endpoints) {
        if !RANGE.contains(&endpoint.node_port) {
            problems.push(Problem::NodePortRange {
                suite: suite.name.clone(),
                workload: endpoint.service.clone(),
                node_port: endpoint.node_port,
            });
        }
        if let Some(first) = first.insert(endpoint.node_port, &endpoint.service) {
            problems.push(Problem::NodePortTwice {
                suite: suite.name.clone(),
                first: first.clone(),
                second: endpoint.service.clone(),
                node_port: endpoint.node_port,
            });
        }
    }
}

impl Assigned {
    /// The NodePort of an endpoint; its wish where a problem left it without.
    pub(super) fn of(&self, suite: &Suite, endpoint: &Endpoint) -> u16 {
        let assigned = self.0.get(&key(&suite.name, endpoint));
        assigned.copied().unwrap_or(endpoint.node_port)
    }

    /// The endpoints of a workload with their assigned numbers.
    pub(super) fn endpoints(&self, suite: &Suite, workload: &Workload) -> Vec<Endpoint> {
        let endpoints = workload.endpoints.iter();
        endpoints
            .map(|endpoint| Endpoint { node_port: self.of(suite, endpoint), ..endpoint.clone() })
            .collect()
    }
}
