//! Decides everything that can be decided before anything is started.
//!
//! A plan is a pure function of the selection, the files that it names, the
//! random values and the settings: no files, no sockets, no clock. Two equal
//! inputs give two equal plans, so a plan can be printed and compared.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;

mod case;
mod check;
mod clusters;
mod groups;
mod images;
mod node_ports;
mod objects;
mod overrides;
mod print;
#[cfg(test)]
mod tests;

pub(crate) use case::CasePlan;
pub(crate) use clusters::{ClusterName, ClusterPlan, PortMapping};
pub(crate) use overrides::overridden;

use crate::{
    cli::{Cli, Keep, Strategy},
    image::Reference,
    inventory::Inventory,
    manifest,
    migrate::Migration,
    password::Password,
    problem::Problem,
    seed::{RunId, Seed},
    selection::Selection,
    settings::Settings,
    suite::{Endpoint, Secret, Source, Suite, Tier},
};

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
    /// The suites, in the order in which they are declared.
    pub(crate) suites: Vec<SuitePlan>,
}

/// An image, and under which names it is built and deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ImagePlan {
    /// The name that manifests use.
    pub(crate) name: String,
    /// Where it comes from.
    pub(crate) source: Source,
    /// Whether a setting replaced what the suite declares.
    pub(crate) overridden: bool,
    /// Its references, by the cluster that needs them.
    pub(crate) references: BTreeMap<ClusterName, BTreeSet<Reference>>,
}

/// A suite with everything decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SuitePlan {
    /// Its name.
    pub(crate) name: String,
    /// Its cluster.
    pub(crate) cluster: ClusterName,
    /// Its namespace, which is its name.
    pub(crate) namespace: String,
    /// Objects that exist before the first tier.
    #[serde(skip)]
    pub(crate) resources: Vec<Value>,
    /// Its Secrets, whose values are made of texts and passwords.
    #[serde(serialize_with = "print::secret_names")]
    pub(crate) secrets: Vec<Secret>,
    /// Its passwords by name, unless its cluster has them already.
    #[serde(skip)]
    pub(crate) passwords: BTreeMap<String, Password>,
    /// What is deployed, one tier after another.
    pub(crate) tiers: Vec<TierPlan>,
    /// The reference of each of its images, by the name that manifests use.
    pub(crate) images: BTreeMap<String, Reference>,
    /// Its cases.
    pub(crate) cases: Vec<CasePlan>,
    /// How long after an emitter's last event a row may still appear.
    pub(crate) flush: Duration,
    /// Whether one of its own images is replaced by a setting.
    pub(crate) overridden: bool,
}

/// What is deployed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TierPlan {
    /// Workloads.
    Workloads(Vec<WorkloadPlan>),
    /// The migrations of a database.
    Migrations(MigrationsPlan),
}

/// A workload with its NodePorts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct WorkloadPlan {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    #[serde(skip)]
    pub(crate) objects: Vec<Value>,
    pub(crate) endpoints: Vec<Endpoint>,
}

/// The migrations of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MigrationsPlan {
    /// The workload whose database it is.
    pub(crate) workload: String,
    /// The files, in order.
    pub(crate) files: Vec<Migration>,
    /// What must exist afterwards.
    pub(crate) tables: Vec<String>,
}

/// The kept run whose cluster is used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) run: RunId,
    pub(crate) cluster: ClusterName,
    pub(crate) node_ports: BTreeMap<node_ports::Key, u16>,
}

/// Everything that a plan is made from.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) settings: &'a Settings,
    /// All suites, selected or not.
    pub(crate) suites: &'a [Suite],
    pub(crate) selection: &'a Selection,
    pub(crate) inventory: &'a Inventory,
    pub(crate) seed: &'a Seed,
    /// With `--reuse`.
    pub(crate) kept: Option<&'a Kept>,
}

impl Plan {
    /// Plans the selection, or returns all its problems.
    pub(crate) fn of(inputs: &Inputs<'_>) -> Result<Self, Vec<Problem>> {
        let mut problems = inputs.inventory.problems.clone();
        problems.extend(check::declarations(inputs));
        let groups = groups::group(inputs);
        let mut suites = Vec::new();
        for group in &groups {
            let node_ports = node_ports::assign(inputs, &group.suites, &mut problems);
            for suite in &group.suites {
                suites.push(plan_suite(inputs, group, suite, &node_ports, &mut problems));
            }
        }
        let images = images::plan(inputs, &groups);
        let clusters = clusters::plan(inputs, &groups, &suites, &mut problems);
        problems.extend(check::objects(&suites));
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

    /// The suites of one cluster.
    pub(crate) fn suites_of<'a>(
        &'a self,
        cluster: &'a ClusterName,
    ) -> impl Iterator<Item = &'a SuitePlan> {
        self.suites.iter().filter(move |suite| suite.cluster == *cluster)
    }
}

fn plan_suite(
    inputs: &Inputs<'_>,
    group: &groups::Group<'_>,
    suite: &Suite,
    node_ports: &node_ports::Assigned,
    problems: &mut Vec<Problem>,
) -> SuitePlan {
    let editor = objects::Editor::new(inputs, suite, node_ports);
    let tiers = suite.tiers.iter().map(|tier| match tier {
        Tier::Workloads(workloads) => TierPlan::Workloads(
            workloads
                .iter()
                .map(|workload| WorkloadPlan {
                    name: workload.name.clone(),
                    manifest: workload.manifest.clone(),
                    objects: editor.workload(workload, problems),
                    endpoints: node_ports.endpoints(suite, workload),
                })
                .collect(),
        ),
        Tier::Migrations(migrations) => TierPlan::Migrations(MigrationsPlan {
            workload: migrations.workload.clone(),
            files: inputs.inventory.migrations(&migrations.directory).to_vec(),
            tables: migrations.tables.clone(),
        }),
    });
    let tiers = tiers.collect();
    let overridden = overrides::overridden(inputs.settings, suite);
    let cases = suite.cases.iter();
    SuitePlan {
        name: suite.name.clone(),
        cluster: group.name.clone(),
        namespace: suite.name.clone(),
        resources: editor.resources(problems),
        secrets: suite.secrets.clone(),
        passwords: inputs.seed.passwords(suite),
        tiers,
        images: images::references(inputs, suite),
        cases: cases.map(|case| CasePlan::of(inputs.cli, suite, case, overridden)).collect(),
        flush: suite.flush,
        overridden,
    }
}

impl SuitePlan {
    /// The references that the containers of some of its workloads name, each once.
    pub(crate) fn images_of<'a>(
        &'a self,
        workloads: &'a [WorkloadPlan],
    ) -> impl Iterator<Item = &'a Reference> {
        let objects = workloads.iter().flat_map(|workload| &workload.objects);
        let names: BTreeSet<_> = objects.flat_map(manifest::images).collect();
        names.into_iter().filter_map(|name| self.images.get(name))
    }

    /// The endpoints of all its workloads.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.workloads().flat_map(|workload| &workload.endpoints)
    }

    /// All its workloads.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = &WorkloadPlan> {
        self.tiers.iter().flat_map(|tier| match tier {
            TierPlan::Workloads(workloads) => workloads.as_slice(),
            TierPlan::Migrations(_) => &[],
        })
    }
}
