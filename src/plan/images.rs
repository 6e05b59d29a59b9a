//! Joins the images of all suites, so that each source is built once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{cluster_name::ClusterName, groups::Group, inputs::Inputs, overrides::source};
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

/// The images of all groups, in the order in which suites declare them.
pub(super) fn plan(inputs: &Inputs<'_>, groups: &[Group<'_>]) -> Vec<ImagePlan> {
    let mut plans: Vec<ImagePlan> = Vec::new();
    for group in groups {
        for suite in &group.suites {
            for image in &suite.images {
                let (source, overridden) = source(inputs.settings, image);
                let reference = reference(inputs, suite, image);
                let known = plans
                    .iter()
                    .position(|plan| plan.name == image.name() && plan.source == source);
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
                let of_cluster: &mut BTreeSet<_> =
                    references.entry(group.name.clone()).or_default();
                of_cluster.insert(reference);
            }
        }
    }
    plans
}

/// The reference of each image of a suite, by the name that manifests use.
pub(super) fn references(inputs: &Inputs<'_>, suite: &Suite) -> BTreeMap<String, Reference> {
    let images = suite.images.iter();
    images.map(|image| (image.name().to_owned(), reference(inputs, suite, image))).collect()
}

fn reference(inputs: &Inputs<'_>, suite: &Suite, image: &Image) -> Reference {
    Reference::new(image.name(), &suite.consumer, inputs.seed.run.as_str())
}
