//! A suite with everything decided.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;

use super::{
    ClusterName, Inputs,
    case::{self, CasePlan},
    endpoint::{self, EndpointPlan},
    images,
    node_ports::Assigned,
    objects::{CUSTOM, Editor},
    overrides, room, serialize,
};
use crate::{
    events::Location,
    image::Reference,
    manifest::{self, Demand, Requests},
    migrate::Migration,
    password::Password,
    problem::Problem,
    suite::{Condition, Secret, Step, Strategy, Suite, Table, Tier},
};

/// A suite with everything decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SuitePlan {
    /// Its name.
    pub(crate) name: String,
    /// Its cluster.
    pub(crate) cluster: ClusterName,
    /// Its namespace, which is its name.
    pub(crate) namespace: String,
    /// All its namespaces, its own first.
    pub(crate) namespaces: Vec<String>,
    /// Objects that exist before the first tier.
    #[serde(serialize_with = "serialize::object_names")]
    pub(crate) resources: Vec<Value>,
    /// Its Secrets, whose values are made of texts and passwords.
    #[serde(serialize_with = "serialize::secret_names")]
    pub(crate) secrets: Vec<Secret>,
    /// Its passwords by name, unless its cluster has them already.
    #[serde(skip)]
    pub(crate) passwords: BTreeMap<String, Password>,
    /// What is deployed, one tier after another.
    pub(crate) tiers: Vec<TierPlan>,
    /// What its pods ask of the nodes, and those that its cases create.
    pub(crate) requests: Demand,
    /// The part of it that is reserved for its cases.
    pub(crate) reserved: Requests,
    /// The workloads that are not deployed: only cases need them that are set aside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) left_out: Vec<String>,
    /// The images that are not made for the same reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) left_out_images: Vec<String>,
    /// The reference of each image that it needs, by the name that manifests use.
    pub(crate) images: BTreeMap<String, Reference>,
    /// The tables of which its cases assert rows.
    pub(crate) tables: Vec<Table>,
    /// How long after an answer rows may still arrive.
    #[serde(serialize_with = "serialize::seconds")]
    pub(crate) settle: Duration,
    /// What is done once after its cases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) after_cases: Vec<StepPlan>,
    /// Its selected cases, in the order in which they are declared.
    pub(crate) cases: Vec<CasePlan>,
    /// Whether these are all that it declares.
    #[serde(skip)]
    pub(crate) whole: bool,
    /// How long they will take, if that is known of an earlier run.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize::seconds_if")]
    pub(crate) expected: Option<Duration>,
    /// The strategies under which a matrix of jobs runs it.
    pub(crate) strategies: Vec<Strategy>,
    /// The kinds that it controls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) controls: Vec<String>,
    /// Whether its services are the real ones.
    pub(crate) real: bool,
}

/// What is deployed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TierPlan {
    /// Workloads.
    Workloads(Vec<WorkloadPlan>),
    /// The migrations of a database.
    Migrations(MigrationsPlan),
    /// What the suite does itself.
    Step(StepPlan),
}

/// A workload with its NodePorts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct WorkloadPlan {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    #[serde(skip)]
    pub(crate) objects: Vec<Value>,
    /// In the order in which they are declared.
    pub(crate) endpoints: Vec<EndpointPlan>,
    /// How long it may take to be ready.
    #[serde(serialize_with = "serialize::seconds")]
    pub(crate) ready_within: Duration,
    /// How many starts a container of it may need.
    pub(crate) starts: u32,
    /// What must hold beside its pods, of objects as they are called in the cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) until: Vec<Condition>,
}

/// A step; its body is in the [selection](crate::selection::Selection::step).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StepPlan {
    pub(crate) name: String,
    /// How long it may take.
    #[serde(serialize_with = "serialize::seconds")]
    pub(crate) limit: Duration,
    /// Where it is declared.
    pub(crate) place: Location,
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

/// Plans a suite that goes into a cluster.
pub(super) fn plan(
    inputs: &Inputs<'_>,
    cluster: &ClusterName,
    suite: &Suite,
    node_ports: &Assigned,
    problems: &mut Vec<Problem>,
) -> SuitePlan {
    let editor = Editor::new(inputs, suite, node_ports);
    let tiers = suite.tiers.iter().map(|tier| match tier {
        Tier::Workloads(workloads) => TierPlan::Workloads(
            workloads
                .iter()
                .map(|workload| {
                    let objects = editor.workload(workload, problems);
                    WorkloadPlan {
                        name: workload.name.clone(),
                        manifest: workload.manifest.clone(),
                        endpoints: endpoint::plan(inputs, suite, workload, &objects, node_ports),
                        objects,
                        ready_within: workload.patience.ready_within,
                        starts: workload.patience.starts,
                        until: editor.conditions(workload),
                    }
                })
                .collect(),
        ),
        Tier::Migrations(migrations) => TierPlan::Migrations(MigrationsPlan {
            workload: migrations.workload.clone(),
            files: inputs.inventory.migrations(&migrations.directory).to_vec(),
            tables: migrations.tables.clone(),
        }),
        Tier::Step(step) => TierPlan::Step(StepPlan::of(step)),
    });
    let tiers: Vec<_> = tiers.collect();
    let (requests, reserved) = room::plan(suite, workloads(&tiers), problems);
    let cases: Vec<_> = suite.cases.iter().map(|case| case::plan(inputs, suite, case)).collect();
    let declared = inputs.suites.iter().find(|declared| declared.name == suite.name);
    let runs = cases.iter().filter(|case| case.runs).count();
    SuitePlan {
        name: suite.name.clone(),
        cluster: cluster.clone(),
        namespace: suite.name.clone(),
        namespaces: suite.all_namespaces().collect(),
        resources: editor.resources(problems),
        secrets: suite.secrets.clone(),
        passwords: inputs.seed.passwords(suite),
        tiers,
        requests,
        reserved,
        left_out: suite.left_out.clone(),
        left_out_images: suite.left_out_images.clone(),
        images: images::references(inputs, suite),
        tables: suite.tables.clone(),
        settle: suite.settle,
        after_cases: suite.after_cases.iter().map(StepPlan::of).collect(),
        whole: declared.is_some_and(|declared| declared.cases.len() == cases.len()),
        expected: inputs.durations.get(&suite.name).and_then(|known| known.of(runs)),
        cases,
        strategies: suite.strategies.clone(),
        controls: suite.controls.clone(),
        real: overrides::is_real(inputs.settings, suite),
    }
}

impl StepPlan {
    fn of(step: &Step) -> Self {
        Self { name: step.name.clone(), limit: step.limit, place: step.place.into() }
    }
}

impl SuitePlan {
    /// How many of its cases will be run.
    pub(crate) fn runs(&self) -> usize {
        self.cases.iter().filter(|case| case.runs).count()
    }

    /// How long its cases will take: longer than those of all others where that is not known.
    pub(crate) fn duration(&self) -> Duration {
        self.expected.unwrap_or(Duration::MAX)
    }

    /// The references that some of its workloads name, each once.
    pub(crate) fn images_of<'a>(
        &'a self,
        workloads: &'a [WorkloadPlan],
    ) -> impl Iterator<Item = &'a Reference> {
        self.images_in(workloads.iter().flat_map(|workload| &workload.objects))
    }

    /// The references that some of its objects name, each once.
    pub(crate) fn images_in<'a>(
        &'a self,
        objects: impl IntoIterator<Item = &'a Value>,
    ) -> impl Iterator<Item = &'a Reference> {
        let objects = objects.into_iter();
        let names: BTreeSet<_> = objects.flat_map(manifest::images).collect();
        names.into_iter().filter_map(|name| self.images.get(name))
    }

    /// All its objects, those before the first tier first.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Value> {
        self.resources.iter().chain(self.workloads().flat_map(|workload| &workload.objects))
    }

    /// The same, to be changed.
    pub(super) fn objects_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let workloads = self.tiers.iter_mut().flat_map(|tier| match tier {
            TierPlan::Workloads(workloads) => workloads.as_mut_slice(),
            TierPlan::Migrations(_) | TierPlan::Step(_) => &mut [],
        });
        self.resources.iter_mut().chain(workloads.flat_map(|workload| &mut workload.objects))
    }

    /// All its namespaces, its own first.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(String::as_str)
    }

    /// What it makes outside of its namespaces, which goes when it is released. CRDs are not among it: others
    /// may use them.
    pub(crate) fn cluster_wide(&self) -> impl Iterator<Item = &Value> {
        let inside = |object: &Value| {
            let namespace = manifest::text_at(object, "/metadata/namespace");
            self.namespaces().any(|own| own == namespace)
        };
        self.objects().filter(move |object| !inside(object) && object["kind"] != CUSTOM)
    }

    /// The endpoints of all its workloads, in the order in which they are declared.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &EndpointPlan> {
        self.workloads().flat_map(|workload| &workload.endpoints)
    }

    /// All its workloads.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = &WorkloadPlan> {
        workloads(&self.tiers)
    }
}

fn workloads(tiers: &[TierPlan]) -> impl Iterator<Item = &WorkloadPlan> {
    tiers.iter().flat_map(|tier| match tier {
        TierPlan::Workloads(workloads) => workloads.as_slice(),
        TierPlan::Migrations(_) | TierPlan::Step(_) => &[],
    })
}
