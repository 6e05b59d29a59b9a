//! Checks what suites declare, before anything is made from it.

use std::collections::BTreeMap;

use serde_json::Value;

mod conditions;
mod controls;
mod endpoints;
mod names;
mod quantities;
mod reuse;
mod settings;
mod tables;
mod tiers;
mod variables;

use super::{Inputs, SuitePlan, objects::CUSTOM};
use crate::{
    manifest::text_at,
    problem::Problem,
    suite::{Image, Suite},
};

/// What can be seen without any file.
pub(super) fn declarations(inputs: &Inputs<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    names::check(inputs, &mut problems);
    settings::check(inputs, &mut problems);
    reuse::check(inputs, &mut problems);
    consumers(inputs, &mut problems);
    variables::check(&inputs.selection.suites, &mut problems);
    for suite in &inputs.selection.suites {
        endpoints::declarations(suite, &mut problems);
        tables::check(suite, &mut problems);
        conditions::check(suite, &mut problems);
        tiers::migrations(suite, &mut problems);
    }
    problems
}

/// What can be seen in the edited objects.
pub(super) fn objects(inputs: &Inputs<'_>, suites: &[SuitePlan]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (declared, plan) in inputs
        .selection
        .suites
        .iter()
        .filter_map(|suite| Some((suite, suites.iter().find(|plan| plan.name == suite.name)?)))
    {
        tiers::configuration(inputs, declared, plan, &mut problems);
        endpoints::authorities(inputs, declared, plan, &mut problems);
        quantities::check(plan, &mut problems);
        controls::check(inputs, declared, plan, suites, &mut problems);
    }
    let mut known: BTreeMap<_, (&SuitePlan, &Value)> = BTreeMap::new();
    for suite in suites {
        let mut own: BTreeMap<_, &Value> = BTreeMap::new();
        for object in suite.objects() {
            let (kind, name) = (text_at(object, "/kind"), text_at(object, "/metadata/name"));
            let namespace = text_at(object, "/metadata/namespace");
            // Equal ones do no harm: workloads may share what they stand on.
            if *own.entry((kind, namespace, name)).or_insert(object) != object {
                problems.push(Problem::Objects {
                    suite: suite.name.clone(),
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                });
            }
            if kind != CUSTOM {
                continue;
            }
            let (first, same) = known.entry((&suite.cluster, name)).or_insert((suite, object));
            if *same != object && first.name != suite.name {
                problems.push(Problem::CustomResources {
                    name: name.to_owned(),
                    first: first.name.clone(),
                    second: suite.name.clone(),
                });
            }
        }
    }
    problems
}

/// One reference can name one content only.
fn consumers(inputs: &Inputs<'_>, problems: &mut Vec<Problem>) {
    let mut known: BTreeMap<_, (&Suite, &Image)> = BTreeMap::new();
    for suite in &inputs.selection.suites {
        for image in &suite.images {
            let key = (image.name(), suite.consumer.as_str());
            let (first, same) = known.entry(key).or_insert((suite, image));
            if same.source() != image.source() && inputs.settings.image(image.name()).is_none() {
                problems.push(Problem::Consumer {
                    image: image.name().to_owned(),
                    consumer: suite.consumer.clone(),
                    first: first.name.clone(),
                    second: suite.name.clone(),
                });
            }
        }
    }
}
