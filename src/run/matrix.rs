//! The jobs in which a CI runs the suites: each by itself, under each of its strategies, and all together.

use serde::Serialize;

use crate::suite::{Strategy, Suite};

/// One job: which suites it selects, as filters, and under which strategy.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Job {
    name: String,
    suites: String,
    strategy: Strategy,
}

/// The jobs of these suites.
pub(super) fn jobs(suites: &[Suite]) -> Vec<Job> {
    let each = suites.iter().flat_map(|suite| {
        let strategies = match &*suite.strategies {
            [] => &[Strategy::Overlapped],
            named => named,
        };
        strategies.iter().map(|strategy| Job {
            name: match strategies {
                [_] => suite.name.clone(),
                _ => format!("{}, {}", suite.name, words(*strategy)),
            },
            suites: suite.name.clone(),
            strategy: *strategy,
        })
    });
    let names: Vec<_> = suites.iter().map(Suite::name).collect();
    let all = (names.len() > 1).then(|| Job {
        name: "all together".to_owned(),
        suites: names.join(" "),
        strategy: Strategy::Overlapped,
    });
    each.chain(all).collect()
}

fn words(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Overlapped => "overlapped",
        Strategy::ImagesFirst => "images first",
        Strategy::ClusterFirst => "cluster first",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_suite_has_a_job_for_each_of_its_strategies_and_all_have_one_together() {
        let both = [Strategy::ClusterFirst, Strategy::ImagesFirst];
        let suites = [Suite::new("shop", "shop"), Suite::new("gate", "gate").strategies(both)];
        assert_eq!(
            serde_json::to_value(jobs(&suites)).unwrap(),
            json!([
                {"name": "shop", "suites": "shop", "strategy": "overlapped"},
                {"name": "gate, cluster first", "suites": "gate", "strategy": "cluster-first"},
                {"name": "gate, images first", "suites": "gate", "strategy": "images-first"},
                {"name": "all together", "suites": "shop gate", "strategy": "overlapped"},
            ])
        );
        assert_eq!(jobs(&suites[..1]).len(), 1);
    }
}
