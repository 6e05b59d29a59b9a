//! What a run notes about itself while it lives, for `ps`, `env` and `--reuse`.

use std::{path::Path, sync::PoisonError};

use super::real::Real;
use crate::{
    cluster::Cluster,
    ledger::{LedgerError, NotedCluster, NotedEndpoint, Notes},
    plan::{ClusterPlan, SuitePlan, config_digest},
    stack::Stack,
    suite::Database,
};

impl Real {
    /// Changes what the run notes about itself.
    pub(super) fn note(&self, change: impl FnOnce(&mut Notes)) -> Result<(), LedgerError> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut notes);
        notes.write(self.ledger.directory())
    }

    /// What the run notes about itself.
    pub(super) fn noted(&self) -> Notes {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the run notes about a cluster that is there.
    pub(super) fn noted_cluster(&self, plan: &ClusterPlan, cluster: &Cluster) -> NotedCluster {
        let mut noted = NotedCluster {
            name: cluster.name().to_string(),
            kubeconfig: cluster.kubeconfig().to_owned(),
            suites: self.plan.suites_of(plan.name()).map(|suite| suite.name.clone()).collect(),
            ..NotedCluster::default()
        };
        if let ClusterPlan::Create { node_image, ports, config, .. } = plan {
            noted.node_image.clone_from(node_image);
            noted.config = config_digest(config);
            noted.node_ports = ports.iter().map(|port| port.node_port).collect();
        }
        noted
    }

    /// Notes how the services of a stack are reached; if its cluster is a kept run's, there too,
    /// because the stack stays in it.
    pub(super) fn note_stack(&self, suite: &SuitePlan, stack: &Stack) -> Result<(), LedgerError> {
        let endpoints = endpoints(suite, stack);
        if let Some(kept) = &self.reused {
            note_there(kept, suite, &endpoints)?;
        }
        self.note(|notes| notes.endpoints.extend(endpoints))
    }
}

/// Adds a suite to what a kept run has noted. Nobody else writes there: it is locked.
fn note_there(
    directory: &Path,
    suite: &SuitePlan,
    endpoints: &[NotedEndpoint],
) -> Result<(), LedgerError> {
    let mut notes = Notes::read(directory);
    let clusters = notes.clusters.iter_mut();
    let mut own = clusters.filter(|cluster| cluster.name == suite.cluster.as_str());
    for suites in own.by_ref().map(|cluster| &mut cluster.suites).chain([&mut notes.suites]) {
        if !suites.contains(&suite.name) {
            suites.push(suite.name.clone());
        }
    }
    notes.endpoints.retain(|known| known.suite != suite.name);
    notes.endpoints.extend_from_slice(endpoints);
    notes.write(directory)
}

/// How the services of a stack are reached, without passwords.
fn endpoints(plan: &SuitePlan, stack: &Stack) -> Vec<NotedEndpoint> {
    let noted = plan.endpoints().filter_map(|endpoint| {
        let address = stack.address(endpoint)?;
        let url = match endpoint.database() {
            Some(Database { user, name, .. }) => {
                Some(format!("postgres://{user}@{address}/{name}"))
            }
            None => stack.url(endpoint).map(String::from),
        };
        Some(NotedEndpoint {
            suite: plan.name.clone(),
            name: endpoint.name.clone(),
            node_port: endpoint.node_port,
            address: address.to_string(),
            url,
            variables: endpoint.variables.clone(),
        })
    });
    noted.collect()
}
