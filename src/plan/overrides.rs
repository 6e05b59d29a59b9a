//! Which images a setting replaces.

use crate::{
    settings::Settings,
    suite::{Image, Source, Suite},
};

/// Whether a setting replaces an image that the suite itself would make.
pub(crate) fn overridden(settings: &Settings, suite: &Suite) -> bool {
    let own = suite.images.iter().filter(|image| !matches!(image.source(), Source::Reference(_)));
    own.into_iter().any(|image| settings.image(image.name()).is_some())
}

/// Where an image comes from, and whether a setting says so.
pub(super) fn source(settings: &Settings, image: &Image) -> (Source, bool) {
    match settings.image(image.name()) {
        Some(reference) => (Source::Reference(reference.to_owned()), true),
        None => (image.source().clone(), false),
    }
}
