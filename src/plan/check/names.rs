//! What suites, images and cases may be called.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    plan::Inputs,
    problem::Problem,
    suite::{Image, Suite},
};

/// The longest name of a namespace.
const LONGEST: usize = 63;

/// What a case's name may have beside letters and digits.
const MARKS: [char; 9] = ['_', '-', ' ', '.', '(', ')', ',', '=', '\''];

/// Names that cannot be used, or are used twice.
pub(super) fn check(inputs: &Inputs<'_>, problems: &mut Vec<Problem>) {
    twice("suite", "", inputs.suites.iter().map(Suite::name), problems);
    shared_namespaces(inputs.suites, problems);
    for suite in &inputs.selection.suites {
        name("a suite", &suite.name, problems);
        if is_reserved(&suite.name) {
            problems.push(Problem::Reserved { name: suite.name.clone() });
        }
        name("a consumer", &suite.consumer, problems);
        namespaces(suite, problems);
        for image in &suite.images {
            name("an image", image.name(), problems);
        }
        let bad = suite.cases.iter().map(|case| case.name.as_str()).filter(|name| !is_plain(name));
        problems.extend(
            bad.map(|name| Problem::CaseName { suite: suite.name.clone(), name: name.to_owned() }),
        );
        steps(suite, problems);
        let labels = suite.cases.iter().flat_map(|case| &case.labels);
        let labels: BTreeSet<_> = labels.filter(|label| !is_label(label)).collect();
        problems.extend(
            labels
                .into_iter()
                .map(|label| Problem::Label { suite: suite.name.clone(), label: label.clone() }),
        );
        let of = format!(" in suite `{}`", suite.name);
        twice("namespace", &of, suite.namespaces.iter().map(String::as_str), problems);
        twice("image", &of, suite.images.iter().map(Image::name), problems);
        twice("case", &of, suite.cases.iter().map(|case| case.name.as_str()), problems);
        let workloads = suite.workloads().map(|workload| workload.name.as_str());
        twice("workload", &of, workloads.clone(), problems);
        workloads.for_each(|workload| name("workload", workload, problems));
        secrets(suite, &of, problems);
        for workload in suite.workloads() {
            let of = format!("{of} for workload `{}`", workload.name);
            let names = workload.endpoints.iter().map(|endpoint| endpoint.name.as_str());
            names.clone().for_each(|endpoint| name("an endpoint", endpoint, problems));
            twice("endpoint", &of, names, problems);
        }
    }
}

/// Secrets of one name, of which the later one would replace the other, and those that Kubernetes does not take.
fn secrets(suite: &Suite, of: &str, problems: &mut Vec<Problem>) {
    let names = suite.secrets.iter().map(|secret| secret.name.as_str());
    twice("Secret", of, names.clone(), problems);
    let parts = |name: &str| name.split('.').all(is_name);
    problems.extend(names.filter(|name| !parts(name)).map(|name| Problem::Name {
        what: "Secret",
        name: name.to_owned(),
        most: LONGEST,
    }));
    for secret in &suite.secrets {
        let of = format!("{of} for Secret `{}`", secret.name);
        twice("key", &of, secret.entries.iter().map(|(key, _)| key.as_str()), problems);
    }
}

/// Steps that cannot be called so, or return what another one does: it is found by its type.
fn steps(suite: &Suite, problems: &mut Vec<Problem>) {
    let of = || suite.name.clone();
    let mut givers = BTreeMap::new();
    for step in suite.steps() {
        if !is_plain(&step.name) {
            problems.push(Problem::StepName { suite: of(), name: step.name.clone() });
        }
        if let Some(given) = step.gives
            && let Some(first) = givers.insert(given, &step.name)
        {
            let (first, second) = (first.clone(), step.name.clone());
            problems.push(Problem::GivenTwice { suite: of(), first, second, given });
        }
    }
    let names = suite.steps().map(|step| step.name.as_str());
    twice("step", &format!(" in suite `{}`", suite.name), names, problems);
}

/// Namespaces beside a suite's own that cannot be called so.
fn namespaces(suite: &Suite, problems: &mut Vec<Problem>) {
    for suffix in &suite.namespaces {
        let whole = format!("{}-{suffix}", suite.name);
        // A manifest that names the suite's own means that.
        if !is_name(&whole) || !is_name(suffix) || *suffix == suite.name {
            problems.push(Problem::NamespaceSuffix {
                suite: suite.name.clone(),
                suffix: suffix.clone(),
                most: LONGEST.saturating_sub(suite.name.len() + 1),
            });
        }
    }
}

/// Namespaces that two suites would have, which their names alone do not tell apart.
fn shared_namespaces(suites: &[Suite], problems: &mut Vec<Problem>) {
    let mut owners = BTreeMap::new();
    for suite in suites {
        for namespace in suite.all_namespaces() {
            match owners.insert(namespace.clone(), &suite.name) {
                Some(first) if *first != suite.name => problems.push(Problem::SharedNamespace {
                    namespace,
                    first: first.clone(),
                    second: suite.name.clone(),
                }),
                // Names that are there twice are a problem of their own.
                Some(_) | None => {}
            }
        }
    }
}

fn name(what: &'static str, name: &str, problems: &mut Vec<Problem>) {
    if !is_name(name) {
        problems.push(Problem::Name { what, name: name.to_owned(), most: LONGEST });
    }
}

/// Whether Kubernetes takes it as the name of a namespace.
fn is_name(name: &str) -> bool {
    let plain = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let edges = name.starts_with('-') || name.ends_with('-');
    plain && !edges && (1..=LONGEST).contains(&name.len())
}

/// Whether a namespace of this name is Kubernetes' own, or that of a node's storage.
fn is_reserved(suite: &str) -> bool {
    suite == "default" || suite == "local-path-storage" || suite.starts_with("kube-")
}

/// Whether a case may be called so: names of cases are shown in lines, and name folders.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || MARKS.contains(&c))
        && name.chars().any(char::is_alphanumeric)
        && !name.contains("..")
        && name.trim() == name
}

/// Whether a label may be typed after `--label`.
fn is_label(label: &str) -> bool {
    !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn twice<'a>(
    what: &'static str,
    of: &str,
    names: impl Iterator<Item = &'a str>,
    problems: &mut Vec<Problem>,
) {
    let step = match what {
        "endpoint" => "use `.named(..)`",
        _ => "leave one out, or call it otherwise",
    };
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            problems.push(Problem::Twice { what, name: name.to_owned(), of: of.to_owned(), step });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_called_by_a_word_or_a_sentence() {
        for name in ["it_sells", "it sells tea (green, 2 cups)", "v1.2 = 'old'", "größe"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", " ", ".", "..", "a/../b", "a/b", "a\nb", "a\0", "it..sells", "a::b", "a "]
        {
            assert!(!is_plain(name), "{name:?}");
        }
    }

    #[test]
    fn a_label_is_a_word() {
        assert!(["smoke", "slow-2", "v1.2", "größe"].into_iter().all(is_label));
        assert!(!["", "!slow", "a b", "a,b", "a\n"].into_iter().any(is_label));
    }

    #[test]
    fn namespaces_of_kubernetes_are_no_names_for_suites() {
        for name in ["default", "kube-system", "kube-public", "kube-anything", "local-path-storage"]
        {
            assert!(is_reserved(name), "{name}");
        }
        assert!(!is_reserved("kubernaut"));
    }
}
