//! Settings that name nothing that a suite has.

use std::collections::BTreeSet;

use crate::{
    plan::Inputs,
    problem::Problem,
    settings,
    suite::{Image, Secret, Suite},
    text::listed,
};

/// Overrides without anything to override.
pub(super) fn check(inputs: &Inputs<'_>, problems: &mut Vec<Problem>) {
    let (settings, suites) = (inputs.settings, inputs.suites.iter());
    // The settings file may name images that only other suites of the project use.
    let images = settings.typed_images.iter();
    let known = suites.clone().flat_map(|suite| &suite.images).map(Image::name);
    unknown(settings::IMAGE, "replaces no image", images, known, problems);
    let known = suites.clone().flat_map(Suite::migrated).map(|it| it.workload.as_str());
    let migrations = settings.migrations.keys();
    unknown(settings::MIGRATIONS, "replaces no migrations", migrations, known, problems);
    let known = suites.flat_map(|suite| &suite.secrets).flat_map(Secret::passwords);
    let passwords = settings.passwords.keys();
    unknown(settings::PASSWORD, "fixes no password", passwords, known, problems);
}

fn unknown<'a>(
    beginning: &str,
    does: &'static str,
    given: impl Iterator<Item = &'a String>,
    known: impl Iterator<Item = &'a str>,
    problems: &mut Vec<Problem>,
) {
    let known: BTreeSet<_> = known.map(settings::override_name).collect();
    for name in given.filter(|name| !known.contains(*name)) {
        problems.push(Problem::Setting {
            setting: format!("{beginning}{name}"),
            does,
            known: listed(known.iter().map(|name| format!("{beginning}{name}"))),
        });
    }
}
