//! Gives every endpoint a NodePort: the first wish in suite order, or one that no suite names.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    groups::Group,
    inputs::Inputs,
    reused::{Key, Reused},
};
use crate::{
    cli::Keep,
    inventory::cluster_file,
    problem::Problem,
    suite::{Endpoint, Suite, Workload},
};

/// What a Kubernetes server gives to NodePorts unless told otherwise.
const RANGE: std::ops::RangeInclusive<u16> = 30000..=32767;

/// How many more a cluster that may be kept maps, for endpoints that are declared later: a mapping
/// cannot be added to a container, and each one costs a process.
const SPARE: usize = 4;

/// The NodePorts of the suites of one cluster.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    numbers: BTreeMap<Key, u16>,
    /// Those that no endpoint has yet.
    pub(super) spare: Vec<u16>,
}

/// Assigns the NodePorts of suites that share a cluster.
pub(super) fn assign(
    inputs: &Inputs<'_>,
    group: &Group<'_>,
    problems: &mut Vec<Problem>,
) -> Assigned {
    group.suites.iter().for_each(|suite| check_wishes(inputs, suite, problems));
    match inputs.reused {
        Some(reused) => again(reused, group, problems),
        None => fresh(inputs, group, problems),
    }
}

fn fresh(inputs: &Inputs<'_>, group: &Group<'_>, problems: &mut Vec<Problem>) -> Assigned {
    // Numbers that any suite names are left to the suites that name them.
    let named = inputs.suites.iter().flat_map(endpoints).map(|endpoint| endpoint.node_port);
    let own = group.suites.iter().flat_map(|suite| own(inputs, suite));
    let named: BTreeSet<u16> = named.chain(own).collect();
    let mut free = RANGE.filter(|number| !named.contains(number));
    let mut taken = BTreeSet::new();
    let mut numbers = BTreeMap::new();
    for (suite, endpoint) in members(group) {
        let wish = endpoint.node_port;
        let number = if taken.insert(wish) { Some(wish) } else { free.next() };
        match number {
            Some(number) => drop(numbers.insert((suite.name.clone(), endpoint.name()), number)),
            None => problems.push(Problem::NodePortsExhausted {
                suite: suite.name.clone(),
                endpoint: endpoint.name(),
            }),
        }
    }
    let spare = if inputs.cli.keep == Keep::Never { 0 } else { SPARE };
    Assigned { numbers, spare: free.take(spare).collect() }
}

/// What the kept run gave them; a new endpoint gets one that its cluster maps and nobody has.
fn again(reused: &Reused, group: &Group<'_>, problems: &mut Vec<Problem>) -> Assigned {
    let mut free = reused.free(&group.name);
    let mut numbers = BTreeMap::new();
    for (suite, endpoint) in members(group) {
        let key = (suite.name.clone(), endpoint.name());
        let known = reused.node_ports.get(&key).copied();
        let number = known.or_else(|| free.take(&endpoint.node_port));
        match number.or_else(|| free.pop_first()) {
            Some(number) => drop(numbers.insert(key, number)),
            None => problems.push(Problem::NotMapped {
                run: reused.run.to_string(),
                suite: suite.name.clone(),
                endpoint: endpoint.name(),
            }),
        }
    }
    Assigned { numbers, spare: Vec::new() }
}

fn members<'a>(group: &'a Group<'_>) -> impl Iterator<Item = (&'a Suite, &'a Endpoint)> {
    let suites = group.suites.iter();
    suites.flat_map(|suite| endpoints(suite).map(move |endpoint| (*suite, endpoint)))
}

fn endpoints(suite: &Suite) -> impl Iterator<Item = &Endpoint> {
    suite.workloads().flat_map(|workload| &workload.endpoints)
}

/// The ports of nodes that the project maps itself in the cluster of a suite.
fn own(inputs: &Inputs<'_>, suite: &Suite) -> impl Iterator<Item = u16> {
    let mappings = inputs.inventory.own_mappings(suite);
    mappings.filter_map(|mapping| u16::try_from(mapping.container_port).ok())
}

fn check_wishes(inputs: &Inputs<'_>, suite: &Suite, problems: &mut Vec<Problem>) {
    let own: BTreeSet<u16> = own(inputs, suite).collect();
    let mut first = BTreeMap::new();
    for endpoint in endpoints(suite) {
        let node_port = endpoint.node_port;
        if !RANGE.contains(&node_port) {
            problems.push(Problem::NodePortRange {
                suite: suite.name.clone(),
                endpoint: endpoint.name(),
                node_port,
            });
        }
        if own.contains(&node_port) {
            problems.push(Problem::NodePortOwn {
                suite: suite.name.clone(),
                endpoint: endpoint.name(),
                node_port,
                file: cluster_file(suite).to_owned(),
            });
        }
        if let Some(first) = first.insert(node_port, endpoint.name()) {
            problems.push(Problem::NodePortTwice {
                suite: suite.name.clone(),
                first,
                second: endpoint.name(),
                node_port,
            });
        }
    }
}

impl Assigned {
    /// The NodePort of an endpoint; its wish where a problem left it without.
    pub(super) fn of(&self, suite: &Suite, endpoint: &Endpoint) -> u16 {
        let assigned = self.numbers.get(&(suite.name.clone(), endpoint.name()));
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
