//! Whether conditions of workloads can ever hold.

use crate::{
    problem::Problem,
    suite::{Condition, Suite},
    text::listed,
};

/// Conditions of nothing, or of what is in no namespace of the suite; workloads that are not waited for,
/// cases and steps that have no time.
pub(super) fn check(suite: &Suite, problems: &mut Vec<Problem>) {
    let cases = suite.cases.iter().map(|case| (&case.name, suite.limit_of(case)));
    let limits = cases.chain(suite.steps().map(|step| (&step.name, step.limit)));
    problems.extend(
        limits
            .filter(|(_, limit)| limit.is_zero())
            .map(|(name, _)| Problem::NoLimit { suite: suite.name.clone(), name: name.clone() }),
    );
    for workload in suite.workloads() {
        for condition in &workload.patience.until {
            problems.extend(wrong(suite, condition).map(|what| Problem::Condition {
                suite: suite.name.clone(),
                workload: workload.name.clone(),
                words: condition.words(),
                what,
            }));
        }
        if workload.patience.ready_within.is_zero() || workload.patience.starts == 0 {
            problems.push(Problem::NoPatience {
                suite: suite.name.clone(),
                workload: workload.name.clone(),
            });
        }
    }
}

fn wrong(suite: &Suite, condition: &Condition) -> Option<String> {
    let Condition { version, kind, name, namespace, .. } = condition;
    if [version, kind, name].into_iter().any(String::is_empty) {
        return Some("it has no apiVersion, kind or name; give all three".to_owned());
    }
    if version.contains(char::is_whitespace) || version.split('/').count() > 2 {
        return Some(format!("`{version}` is no apiVersion; write it as `v1` or `example.io/v1`"));
    }
    let suffix = namespace.as_deref()?;
    let known = suite.namespaces.iter().any(|own| own == suffix);
    (!known).then(|| {
        let known = listed(&suite.namespaces);
        format!(
            "the suite declares no namespace `{suffix}` (it declares {known}); add `.namespace(..)`"
        )
    })
}
