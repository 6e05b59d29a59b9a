//! Decides everything that can be decided before anything is started.
//!
//! A plan is a pure function of the selection, the files that it names, the
//! random values and the settings: no files, no sockets, no clock. Two equal
//! inputs give two equal plans, so a plan can be printed and compared.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::Serialize;

mod case;
mod check;
mod cluster_name;
mod clusters;
mod endpoint;
mod groups;
mod images;
mod inputs;
mod node_ports;
mod objects;
mod overrides;
mod print;
mod reused;
mod room;
mod serialize;
mod suite;
#[cfg(test)]
mod tests;
mod unreached;

pub(crate) use case::CasePlan;
pub(crate) use cluster_name::ClusterName;
pub(crate) use clusters::{ClusterPlan, PortMapping, at_once};
pub(crate) use endpoint::{Access, EndpointPlan, Trusted};
pub(crate) use images::ImagePlan;
pub(crate) use inputs::Inputs;
pub(crate) use overrides::needs_beyond;
pub(crate) use reused::{Reused, ReusedCluster, config_digest};
pub(crate) use suite::{MigrationsPlan, StepPlan, SuitePlan, TierPlan, WorkloadPlan};

use crate::{cli::Keep, problem::Problem, seed::RunId, suite::Strategy};

/// What one run will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    /// The run.
    pub(crate) run: RunId,
    /// When its clusters outlive it.
    pub(crate) keep: Keep,
    /// When images and clusters are made.
    pub(crate) strategy: Strategy,
    /// The images, each source once.
    pub(crate) images: Vec<ImagePlan>,
    /// The clusters, in the order in which they are made.
    pub(crate) clusters: Vec<ClusterPlan>,
    /// The selected suites, in the order in which they are declared.
    pub(crate) suites: Vec<SuitePlan>,
}

impl Plan {
    /// Plans the selection, or returns all its problems.
    pub(crate) fn of(inputs: &Inputs<'_>) -> Result<Self, Vec<Problem>> {
        let mut problems = inputs.inventory.problems.clone();
        problems.extend(check::declarations(inputs));
        let groups = groups::group(inputs, &mut problems);
        let (mut clusters, mut planned) = (Vec::new(), BTreeMap::new());
        for group in &groups {
            let node_ports = node_ports::assign(inputs, group, &mut problems);
            let name = &group.name;
            let mut suites = Vec::new();
            for suite in &group.suites {
                suites.push(suite::plan(inputs, name, suite, &node_ports, &mut problems));
            }
            unreached::fill(&node_ports, &mut suites);
            clusters.push(clusters::plan(inputs, group, &suites, &node_ports, &mut problems));
            planned.extend(suites.into_iter().map(|suite| (suite.name.clone(), suite)));
        }
        // In the order of the selection, whichever cluster they are in.
        let selected = inputs.selection.suites.iter();
        let suites: Vec<_> = selected.filter_map(|suite| planned.remove(&suite.name)).collect();
        // What the longest needs is made first.
        let mut longest: Vec<_> = suites.iter().collect();
        longest.sort_by_key(|suite| Reverse(suite.duration()));
        let place = |name: &ClusterName| longest.iter().position(|suite| suite.cluster == *name);
        clusters.sort_by_key(|cluster| place(cluster.name()));
        let images = images::plan(inputs, &longest);
        problems.extend(check::objects(inputs, &suites));
        if problems.is_empty() {
            Ok(Self {
                run: inputs.seed.run.clone(),
                keep: inputs.cli.keep,
                strategy: inputs.cli.strategy,
                images,
                clusters,
                suites,
            })
        } else {
            problems.dedup();
            Err(problems)
        }
    }

    /// The suite of this name.
    #[cfg(test)]
    pub(crate) fn suite(&self, name: &str) -> Option<&SuitePlan> {
        self.suites.iter().find(|suite| suite.name == name)
    }

    /// The suites of one cluster.
    pub(crate) fn suites_of<'a>(
        &'a self,
        cluster: &'a ClusterName,
    ) -> impl Iterator<Item = &'a SuitePlan> {
        self.suites.iter().filter(move |suite| suite.cluster == *cluster)
    }
}
