//! Whether it can be read what pods ask of a node.

use crate::{
    manifest::{NoQuantity, no_quantities},
    plan::SuitePlan,
    problem::Problem,
};

/// Requests and limits that are no quantities: a suite would be admitted as if it asked for nothing.
pub(super) fn check(plan: &SuitePlan, problems: &mut Vec<Problem>) {
    for workload in plan.workloads() {
        let found = workload.objects.iter().flat_map(no_quantities);
        problems.extend(found.map(|NoQuantity { container, field, text }| Problem::Quantity {
            suite: plan.name.clone(),
            manifest: workload.manifest.clone(),
            container,
            field,
            text,
        }));
    }
}
