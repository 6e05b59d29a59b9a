//! Divides the suites into clusters.

use std::collections::BTreeSet;

use super::{ClusterName, Inputs, Reused, overrides};
use crate::{
    cli::Clusters,
    inventory::cluster_file,
    manifest::{GroupKind, text_at},
    problem::Problem,
    suite::Suite,
};

/// The suites of one cluster.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) name: ClusterName,
    pub(super) suites: Vec<&'a Suite>,
}

/// One cluster for all, or one for each; suites that cannot share one are kept apart.
pub(super) fn group<'a>(inputs: &Inputs<'a>, problems: &mut Vec<Problem>) -> Vec<Group<'a>> {
    match inputs.reused {
        Some(reused) => again(inputs, reused, problems),
        None => fresh(inputs),
    }
}

fn fresh<'a>(inputs: &Inputs<'a>) -> Vec<Group<'a>> {
    let mut groups: Vec<Vec<&Suite>> = Vec::new();
    for suite in &inputs.selection.suites {
        let fits = |group: &Vec<&Suite>| {
            inputs.cli.clusters == Clusters::Shared
                && !group.iter().any(|other| quarrel(inputs, other, suite).is_some())
        };
        match groups.iter_mut().find(|group| fits(group)) {
            Some(group) => group.push(suite),
            None => groups.push(vec![suite]),
        }
    }
    let run = &inputs.seed.run;
    let several = groups.len() > 1;
    let named = groups.into_iter().enumerate().map(|(index, suites)| Group {
        name: if several { ClusterName::numbered(run, index + 1) } else { ClusterName::of(run) },
        suites,
    });
    named.collect()
}

/// The clusters that are there already, each with the suites that it held.
fn again<'a>(inputs: &Inputs<'a>, reused: &Reused, problems: &mut Vec<Problem>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for suite in &inputs.selection.suites {
        let Some(cluster) = reused.cluster_of(&suite.name) else {
            problems.push(Problem::NotHeld {
                run: reused.run.to_string(),
                suite: suite.name.clone(),
                holds: reused.holds(),
            });
            continue;
        };
        let others = cluster.suites.iter().find(|other| **other != suite.name);
        if let Some(other) = others.filter(|_| suite.own_cluster) {
            problems.push(Problem::Quarrel {
                run: reused.run.to_string(),
                cluster: cluster.name.to_string(),
                first: other.clone(),
                second: suite.name.clone(),
                reason: format!("`{}` has a cluster of its own", suite.name),
            });
        }
        let Some(group) = groups.iter_mut().find(|group| group.name == cluster.name) else {
            groups.push(Group { name: cluster.name.clone(), suites: vec![suite] });
            continue;
        };
        let quarrels = group.suites.iter().find_map(|other| {
            quarrel(inputs, other, suite).map(|reason| (other.name.clone(), reason))
        });
        if let Some((first, reason)) = quarrels {
            problems.push(Problem::Quarrel {
                run: reused.run.to_string(),
                cluster: cluster.name.to_string(),
                first,
                second: suite.name.clone(),
                reason,
            });
        }
        group.suites.push(suite);
    }
    groups
}

/// Why two suites cannot share a cluster, of which both have something, or one asks for something.
fn quarrel(inputs: &Inputs<'_>, first: &Suite, second: &Suite) -> Option<String> {
    if let Some(own) = [first, second].into_iter().find(|suite| suite.own_cluster) {
        return Some(format!("`{}` has a cluster of its own", own.name));
    }
    let files = [first, second].map(|suite| cluster_file(suite).display());
    if cluster_file(first) != cluster_file(second) {
        return Some(format!("one is made from {} and the other from {}", files[0], files[1]));
    }
    // Stand-ins act only in their suite's namespace; a real controller acts in all of them.
    let real = |suite| overrides::is_real(inputs.settings, suite);
    let common = first.controls.iter().find(|kind| second.controls.contains(kind));
    if let Some(kind) = common.filter(|_| real(first) || real(second)) {
        return Some(format!(
            "both have controllers of `{kind}`, of which a real one acts in all namespaces"
        ));
    }
    let exclusive = exclusive(inputs, first);
    let (kind, name) = exclusive.intersection(&self::exclusive(inputs, second)).next()?.clone();
    Some(format!("both have the {} `{name}`", kind.kind))
}

/// What of a suite exists once in a cluster and belongs to whoever made it.
fn exclusive(inputs: &Inputs<'_>, suite: &Suite) -> BTreeSet<(GroupKind, String)> {
    let objects = inputs.inventory.objects(suite).filter(|object| {
        let conversion = object.pointer("/spec/conversion");
        let converts = conversion.is_some_and(|it| it["strategy"] == "Webhook");
        let known = GroupKind::of(object).cluster_scoped();
        // An equal CRD is shared, unless objects are converted by a service of one suite.
        known.is_some_and(|known| known.named_by_purpose)
            && (object["kind"] != "CustomResourceDefinition" || converts)
    });
    objects
        .map(|object| (GroupKind::of(object), text_at(object, "/metadata/name").to_owned()))
        .collect()
}
