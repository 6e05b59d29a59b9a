//! Whether the kinds that suites control are there.

use crate::{
    manifest::{is_own, text_at},
    plan::{Inputs, SuitePlan, objects::CUSTOM},
    problem::Problem,
    suite::Suite,
    text::listed,
};

/// Kinds that a suite controls and whose definition nobody brings into its cluster.
pub(super) fn check(
    inputs: &Inputs<'_>,
    suite: &Suite,
    plan: &SuitePlan,
    suites: &[SuitePlan],
    problems: &mut Vec<Problem>,
) {
    // A kept cluster may have it already.
    if inputs.reused.is_some() {
        return;
    }
    let beside = suites.iter().filter(|other| other.cluster == plan.cluster);
    let definitions = beside.flat_map(SuitePlan::objects).filter(|it| it["kind"] == CUSTOM);
    let defined: Vec<_> = definitions.map(|it| text_at(it, "/spec/names/kind")).collect();
    let controlled = suite.controls.iter().map(String::as_str);
    let missing = controlled.filter(|kind| !defined.contains(kind) && !is_own(kind));
    problems.extend(missing.map(|kind| Problem::Undefined {
        suite: suite.name.clone(),
        kind: kind.to_owned(),
        known: listed(&defined),
    }));
}
