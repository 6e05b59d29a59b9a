//! Which images a setting replaces, and which suites are real by that.

use crate::{
    cli::Cli,
    selection,
    settings::Settings,
    suite::{Image, Source, Suite},
};

/// Whether the services of a suite are the real ones.
pub(super) fn is_real(settings: &Settings, suite: &Suite) -> bool {
    why_real(settings, suite).is_some()
}

/// Whether a suite needs the workloads of cases that are beyond real services: where it is real, only if
/// one of them runs all the same.
pub(crate) fn needs_beyond(cli: &Cli, settings: &Settings, suite: &Suite) -> bool {
    let mut cases = suite.cases.iter();
    !is_real(settings, suite) || selection::runs_all(cli) && cases.any(|case| case.beyond.is_some())
}

/// Why a suite is real: it says so, or a setting replaces an image that it would make itself.
pub(super) fn why_real(settings: &Settings, suite: &Suite) -> Option<&'static str> {
    let made = |image: &&Image| !matches!(image.source(), Source::Reference(_));
    let mut made = suite.images.iter().filter(made);
    if suite.real {
        Some("the suite is real")
    } else if made.any(|image| settings.image(image.name()).is_some()) {
        Some("an image of the suite is overridden")
    } else {
        None
    }
}

/// Where an image comes from, and whether a setting says so.
pub(super) fn source(settings: &Settings, image: &Image) -> (Source, bool) {
    match settings.image(image.name()) {
        Some(reference) => (Source::Reference(reference.to_owned()), true),
        None => (image.source().clone(), false),
    }
}
