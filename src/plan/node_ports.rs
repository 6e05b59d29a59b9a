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
    suite::{Endpoint, EndpointName, Suite},
};

/// What a Kubernetes server gives to NodePorts unless told otherwise.
pub(super) const RANGE: std::ops::RangeInclusive<u16> = 30000..=32767;

/// How many more a cluster that may be kept maps, for endpoints that are declared later: a mapping
/// cannot be added to a container, and each one costs a process.
const SPARE: usize = 4;

/// The NodePorts of the suites of one cluster.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    numbers: BTreeMap<Key, u16>,
    /// Those that no endpoint has yet.
    pub(super) spare: Vec<u16>,
    /// All that are an endpoint's, or may be.
    pub(super) reserved: BTreeSet<u16>,
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
    let named = inputs.suites.iter().flat_map(Suite::endpoints);
    let named = named.filter_map(|(_, endpoint)| endpoint.node_port);
    let own = group.suites.iter().flat_map(|suite| own(inputs, suite));
    let named: BTreeSet<u16> = named.chain(own).collect();
    let mut free = RANGE.filter(|number| !named.contains(number));
    let mut taken = BTreeSet::new();
    let (mut numbers, mut shared) = (BTreeMap::new(), BTreeMap::new());
    for (key, endpoint) in members(group) {
        let place = place(&key, endpoint);
        let known = shared.get(&place).copied();
        let wish = || endpoint.node_port.filter(|wish| taken.insert(*wish));
        if let Some(number) = known.or_else(wish).or_else(|| free.next()) {
            shared.insert(place, number);
            numbers.insert(key, number);
        } else {
            let (suite, endpoint) = key;
            problems.push(Problem::NodePortsExhausted { suite, endpoint });
        }
    }
    let spare = if inputs.cli.keep == Keep::Never { 0 } else { SPARE };
    let spare: Vec<_> = free.take(spare).collect();
    let reserved = numbers.values().copied().chain(spare.iter().copied()).chain(named.clone());
    Assigned { reserved: reserved.collect(), numbers, spare }
}

/// What the kept run gave them; a new endpoint gets one that its cluster maps and nobody has.
fn again(reused: &Reused, group: &Group<'_>, problems: &mut Vec<Problem>) -> Assigned {
    let mut free = reused.free(&group.name);
    let (mut numbers, mut shared) = (BTreeMap::new(), BTreeMap::new());
    for (key, endpoint) in members(group) {
        let place = place(&key, endpoint);
        let known = reused.node_ports.get(&key).or(shared.get(&place)).copied();
        let wished = || endpoint.node_port.and_then(|wish| free.take(&wish));
        if let Some(number) = known.or_else(wished).or_else(|| free.pop_first()) {
            shared.insert(place, number);
            numbers.insert(key, number);
        } else {
            let (run, (suite, endpoint)) = (reused.run.to_string(), key);
            problems.push(Problem::NotMapped { run, suite, endpoint });
        }
    }
    let mapped = reused.mapped(&group.name);
    let reserved = numbers.values().chain(mapped).copied().collect();
    Assigned { reserved, numbers, spare: Vec::new() }
}

fn members<'a>(group: &'a Group<'_>) -> impl Iterator<Item = (Key, &'a Endpoint)> {
    group.suites.iter().flat_map(|suite| {
        suite.endpoints().map(|(name, endpoint)| ((suite.name.clone(), name), endpoint))
    })
}

/// Where an endpoint leads to: the databases of one server have one port together.
fn place((suite, name): &Key, endpoint: &Endpoint) -> (String, String, String, String) {
    let service = endpoint.service_of(&name.workload).to_owned();
    (suite.clone(), name.workload.clone(), service, endpoint.port.clone())
}

/// The ports of nodes that the project maps itself in the cluster of a suite.
fn own(inputs: &Inputs<'_>, suite: &Suite) -> impl Iterator<Item = u16> {
    let mappings = inputs.inventory.own_mappings(suite);
    mappings.filter_map(|mapping| u16::try_from(mapping.container_port).ok())
}

fn check_wishes(inputs: &Inputs<'_>, suite: &Suite, problems: &mut Vec<Problem>) {
    let own: BTreeSet<u16> = own(inputs, suite).collect();
    let mut first = BTreeMap::new();
    for (endpoint, declared) in suite.endpoints() {
        let Some(node_port) = declared.node_port else { continue };
        let suite_name = || suite.name.clone();
        if !RANGE.contains(&node_port) {
            let (suite, endpoint) = (suite_name(), endpoint.clone());
            problems.push(Problem::NodePortRange { suite, endpoint, node_port });
        }
        if own.contains(&node_port) {
            problems.push(Problem::NodePortOwn {
                suite: suite_name(),
                endpoint: endpoint.clone(),
                node_port,
                file: cluster_file(suite).to_owned(),
            });
        }
        let place = place(&(suite_name(), endpoint.clone()), declared);
        if let Some((first, other)) = first.insert(node_port, (endpoint.clone(), place.clone()))
            && other != place
        {
            let (suite, second) = (suite_name(), endpoint);
            problems.push(Problem::NodePortTwice { suite, first, second, node_port });
        }
    }
}

impl Assigned {
    /// The NodePort of an endpoint; none where a problem left it without.
    pub(super) fn of(&self, suite: &Suite, endpoint: EndpointName) -> u16 {
        let assigned = self.numbers.get(&(suite.name.clone(), endpoint));
        assigned.copied().unwrap_or_default()
    }
}
