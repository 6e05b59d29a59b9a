//! Joins the images that suites need, so that each source is built once, and no other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{ClusterName, Inputs, SuitePlan, overrides::source};
use crate::{
    image::Reference,
    suite::{Image, Source, Suite},
};

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

/// The images of those of the suites with a case that runs, in the order of the suites and their declarations.
pub(super) fn plan(inputs: &Inputs<'_>, suites: &[&SuitePlan]) -> Vec<ImagePlan> {
    let mut plans: Vec<ImagePlan> = Vec::new();
    for suite in suites.iter().filter(|suite| suite.runs() > 0) {
        let declared = inputs.selection.suites.iter().find(|known| known.name == suite.name);
        for image in declared.into_iter().flat_map(|declared| &declared.images) {
            let Some(reference) = suite.images.get(image.name()) else { continue };
            let (source, overridden) = source(inputs.settings, image);
            let known =
                plans.iter().position(|plan| plan.name == image.name() && plan.source == source);
            let index = known.unwrap_or_else(|| {
                plans.push(ImagePlan {
                    name: image.name().to_owned(),
                    source,
                    overridden,
                    references: BTreeMap::new(),
                });
                plans.len() - 1
            });
            let references = &mut plans[index].references;
            let of_cluster = references.entry(suite.cluster.clone()).or_default();
            of_cluster.insert(reference.clone());
        }
    }
    plans
}

/// The reference of each image that a suite needs, by the name that manifests use.
pub(super) fn references(inputs: &Inputs<'_>, suite: &Suite) -> BTreeMap<String, Reference> {
    let images = suite.images.iter().filter(|image| inputs.inventory.needs(suite, image));
    images.map(|image| (image.name().to_owned(), reference(inputs, suite, image))).collect()
}

fn reference(inputs: &Inputs<'_>, suite: &Suite, image: &Image) -> Reference {
    Reference::new(image.name(), &suite.consumer, inputs.seed.run.as_str())
}
