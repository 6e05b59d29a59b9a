//! Whether each tier has what it needs once it begins.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    manifest::{needs, pod_spec, text_at},
    plan::{Inputs, SuitePlan, TierPlan, WorkloadPlan},
    problem::Problem,
    suite::{Suite, Tier, Workload},
    text::listed,
};

/// Kinds of objects that may make others while a suite runs, or let a pod do so.
const MAKERS: [&str; 4] = ["ClusterRoleBinding", "CronJob", "Job", "RoleBinding"];

/// What every namespace has.
const GIVEN: (&str, &str) = ("ConfigMap", "kube-root-ca.crt");

/// A Secret or a `ConfigMap`: its kind, its namespace and its name.
type Key = (&'static str, String, String);

/// Migrations whose database is not there, or not yet.
pub(super) fn migrations(suite: &Suite, problems: &mut Vec<Problem>) {
    let place = |name: &str| {
        suite.tiers.iter().position(|tier| match tier {
            Tier::Workloads(workloads) => workloads
                .iter()
                .flat_map(Workload::endpoints)
                .any(|(it, endpoint)| it.is(name) && endpoint.database().is_some()),
            Tier::Migrations(_) | Tier::Step(_) => false,
        })
    };
    let known = || listed(suite.databases());
    for (index, tier) in suite.tiers.iter().enumerate() {
        let Tier::Migrations(migrations) = tier else {
            continue;
        };
        let (suite, workload) = (suite.name.clone(), migrations.workload.clone());
        match place(&workload) {
            Some(database) if database < index => {}
            Some(database) => problems.push(Problem::EarlyMigrations {
                suite,
                tier: index + 1,
                workload,
                of: database + 1,
            }),
            None => problems.push(Problem::NoDatabase { suite, workload, known: known() }),
        }
    }
}

/// Secrets and `ConfigMaps` that pods cannot start without, and that come too late or never.
pub(super) fn configuration(
    inputs: &Inputs<'_>,
    suite: &Suite,
    plan: &SuitePlan,
    problems: &mut Vec<Problem>,
) {
    if may_be_made(inputs, suite, plan) {
        return;
    }
    let made = made(plan);
    for (index, workload) in tiers(plan) {
        let needs = workload.objects.iter().flat_map(|object| {
            let namespace = text_at(object, "/metadata/namespace");
            let needs = pod_spec(object).map(needs).unwrap_or_default();
            needs.into_iter().map(move |need| (need, namespace))
        });
        for (need, namespace) in needs {
            let (kind, name) = (need.kind, need.name);
            if need.optional || (kind, name.as_str()) == GIVEN {
                continue;
            }
            let of = made.get(&(kind, namespace.to_owned(), name.clone())).copied();
            let (suite, workload) = (suite.name.clone(), workload.name.clone());
            match of {
                Some(of) if of <= index => {}
                Some(of) => {
                    let (tier, of) = (index + 1, of + 1);
                    problems.push(Problem::EarlyWorkload { suite, workload, tier, kind, name, of });
                }
                None => {
                    let hint =
                        if kind == "Secret" { ", or declare it with `.secret(..)`" } else { "" };
                    problems.push(Problem::Nowhere { suite, workload, kind, name, hint });
                }
            }
        }
    }
}

/// Whether there may be objects that are in no file: those that are made while the suite runs, and those that
/// a person put into a kept cluster.
pub(super) fn may_be_made(inputs: &Inputs<'_>, suite: &Suite, plan: &SuitePlan) -> bool {
    let makes = |object: &Value| MAKERS.contains(&text_at(object, "/kind"));
    !suite.controls.is_empty() || plan.objects().any(makes) || inputs.reused.is_some()
}

/// The Secrets and `ConfigMaps` of a suite, and the first tier by which each of them is there.
fn made(plan: &SuitePlan) -> BTreeMap<Key, usize> {
    let mut made = BTreeMap::new();
    let secrets = plan.secrets.iter();
    let secrets = secrets.map(|it| ("Secret", plan.namespace.clone(), it.name.clone()));
    made.extend(secrets.chain(plan.resources.iter().filter_map(key)).map(|key| (key, 0)));
    for (index, workload) in tiers(plan) {
        for key in workload.objects.iter().filter_map(key) {
            made.entry(key).or_insert(index);
        }
    }
    made
}

fn key(object: &Value) -> Option<Key> {
    let kinds = ["ConfigMap", "Secret"].into_iter();
    let kind = kinds.into_iter().find(|kind| object["kind"] == *kind)?;
    let [namespace, name] =
        ["/metadata/namespace", "/metadata/name"].map(|path| text_at(object, path).to_owned());
    Some((kind, namespace, name))
}

/// All workloads, with the place of their tier.
fn tiers(plan: &SuitePlan) -> impl Iterator<Item = (usize, &WorkloadPlan)> {
    plan.tiers.iter().enumerate().flat_map(|(index, tier)| {
        let workloads = match tier {
            TierPlan::Workloads(workloads) => workloads.as_slice(),
            TierPlan::Migrations(_) | TierPlan::Step(_) => &[],
        };
        workloads.iter().map(move |workload| (index, workload))
    })
}
