//! Makes what is deployed of what was planned.

use std::collections::BTreeMap;

use super::generation::Configuration;
use crate::{
    cluster::Delivered,
    image::Reference,
    manifest::{containers_mut, image_of, pod_spec_mut},
    plan::{SuitePlan, WorkloadPlan},
};

/// Workloads of the images that were really delivered, and of the configuration of today.
pub(super) fn made_of(
    suite: &SuitePlan,
    workloads: &[WorkloadPlan],
    delivered: &BTreeMap<Reference, Delivered>,
    configuration: &Configuration,
) -> Vec<WorkloadPlan> {
    let mut made = workloads.to_vec();
    for object in made.iter_mut().flat_map(|workload| &mut workload.objects) {
        for container in pod_spec_mut(object).into_iter().flat_map(containers_mut) {
            let name = image_of(container["image"].as_str().unwrap_or_default());
            let image = suite.images.get(name).and_then(|wanted| delivered.get(wanted));
            if let Some(image) = image {
                image.pin(container);
            }
        }
        configuration.mark(object);
    }
    made
}
