//! Divides the suites into clusters.

use super::{ClusterName, Inputs, overrides};
use crate::{cli::Clusters, suite::Suite};

/// The suites of one cluster.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) name: ClusterName,
    pub(super) suites: Vec<&'a Suite>,
}

/// One cluster for all, or one for each; two controllers of one kind are kept apart.
pub(super) fn group<'a>(inputs: &Inputs<'a>) -> Vec<Group<'a>> {
    let mut groups: Vec<Vec<&Suite>> = Vec::new();
    for suite in &inputs.selection.suites {
        let fits = |group: &Vec<&Suite>| {
            inputs.cli.clusters == Clusters::Shared
                && !group.iter().any(|other| quarrel(inputs, other, suite))
        };
        match groups.iter_mut().find(|group| fits(group)) {
            Some(group) => group.push(suite),
            None => groups.push(vec![suite]),
        }
    }
    let run = &inputs.seed.run;
    let several = groups.len() > 1;
    let named = groups.into_iter().enumerate().map(|(index, suites)| Group {
        name: match inputs.kept {
            Some(kept) => kept.cluster.clone(),
            None if several => ClusterName::numbered(run, index + 1),
            None => ClusterName::of(run),
        },
        suites,
    });
    named.collect()
}

// Stand-ins act only in their suite's namespace; an image from elsewhere acts in all of them.
fn quarrel(inputs: &Inputs<'_>, first: &Suite, second: &Suite) -> bool {
    let real = |suite| overrides::overridden(inputs.settings, suite);
    let common = first.controls.iter().any(|kind| second.controls.contains(kind));
    common && real(first) && real(second)
}
