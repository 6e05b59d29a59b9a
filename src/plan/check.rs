//! Checks what suites declare, before anything is made from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Inputs, SuitePlan};
use crate::{
    manifest::text_at,
    problem::Problem,
    settings,
    suite::{Endpoint, Image, Probe, Secret, Suite},
};

/// The longest name of a namespace.
const NAME: usize = 63;

/// What can be seen without any file.
pub(super) fn declarations(inputs: &Inputs<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    twice("suite", "", inputs.suites.iter().map(Suite::name), &mut problems);
    settings(inputs, &mut problems);
    consumers(inputs, &mut problems);
    for suite in &inputs.selection.suites {
        let of = format!(" in suite `{}`", suite.name);
        name("suite", &suite.name, &mut problems);
        name("consumer", &suite.consumer, &mut problems);
        for image in &suite.images {
            name("image", image.name(), &mut problems);
        }
        twice("image", &of, suite.images.iter().map(Image::name), &mut problems);
        twice("case", &of, suite.cases.iter().map(|case| case.name), &mut problems);
        let workloads = suite.workloads().map(|workload| workload.name.as_str());
        twice("workload", &of, workloads, &mut problems);
        databases(suite, &mut problems);
    }
    problems
}

/// What can be seen in the edited objects.
pub(super) fn objects(suites: &[SuitePlan]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut known: BTreeMap<_, (&SuitePlan, &Value)> = BTreeMap::new();
    for suite in suites {
        let mut own: BTreeMap<_, &Value> = BTreeMap::new();
        let deployed = suite.workloads().flat_map(|workload| &workload.objects);
        for object in suite.resources.iter().chain(deployed) {
            let (kind, name) = (text_at(object, "/kind"), text_at(object, "/metadata/name"));
            // Equal ones do no harm: workloads may share what they stand on.
            if *own.entry((kind, name)).or_insert(object) != object {
                problems.push(Problem::Objects {
                    suite: suite.name.clone(),
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                });
            }
            if kind != "CustomResourceDefinition" {
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

fn name(what: &'static str, name: &str, problems: &mut Vec<Problem>) {
    let plain = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let edges = name.starts_with('-') || name.ends_with('-');
    if !plain || edges || !(1..=NAME).contains(&name.len()) {
        problems.push(Problem::Name { what, name: name.to_owned(), most: NAME });
    }
}

fn twice<'a>(
    what: &'static str,
    of: &str,
    names: impl Iterator<Item = &'a str>,
    problems: &mut Vec<Problem>,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            problems.push(Problem::Twice { what, name: name.to_owned(), of: of.to_owned() });
        }
    }
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

/// Settings that name nothing that a suite has.
fn settings(inputs: &Inputs<'_>, problems: &mut Vec<Problem>) {
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
        let known: Vec<_> = known.iter().map(|name| format!("{beginning}{name}")).collect();
        problems.push(Problem::Setting {
            setting: format!("{beginning}{name}"),
            does,
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        });
    }
}

fn databases(suite: &Suite, problems: &mut Vec<Problem>) {
    let passwords: BTreeSet<_> = suite.secrets.iter().flat_map(Secret::passwords).collect();
    let database = |endpoint: &Endpoint| match &endpoint.probe {
        Probe::Postgres(database) => Some(database.clone()),
        Probe::Http(_) => None,
    };
    for workload in suite.workloads() {
        for database in workload.endpoints.iter().filter_map(database) {
            if !passwords.contains(database.password.as_str()) {
                problems.push(Problem::NoPassword {
                    suite: suite.name.clone(),
                    workload: workload.name.clone(),
                    password: database.password,
                });
            }
        }
    }
    for migrations in suite.migrated() {
        let mut targets = suite.workloads().filter(|workload| workload.name == migrations.workload);
        if !targets
            .any(|workload| workload.endpoints.iter().any(|endpoint| database(endpoint).is_some()))
        {
            problems.push(Problem::NoDatabase {
                suite: suite.name.clone(),
                workload: migrations.workload.clone(),
            });
        }
    }
}
