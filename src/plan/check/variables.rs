//! Whether each variable of `kindwright env` is of one endpoint.

use std::collections::BTreeMap;

use crate::{problem::Problem, settings::override_name, suite::Suite};

/// Variables that are none, or would be of two endpoints.
pub(super) fn check(suites: &[Suite], problems: &mut Vec<Problem>) {
    let mut owners = BTreeMap::from([("KUBECONFIG".to_owned(), "the cluster".to_owned())]);
    for suite in suites {
        let prefix = match suites.len() {
            1 => String::new(),
            _ => format!("{}_", override_name(&suite.name)),
        };
        for (endpoint, declared) in suite.endpoints() {
            for name in declared.variables.iter().filter(|name| !is_variable(name)) {
                let (suite, name) = (suite.name.clone(), name.clone());
                problems.push(Problem::Variable { suite, endpoint: endpoint.clone(), name });
            }
            let owner = format!("{endpoint} of {}", suite.name);
            let own = ["URL", "ADDRESS"].map(|ending| endpoint.variable(ending));
            for name in own.iter().chain(&declared.variables) {
                let name = format!("{prefix}{name}");
                // What is declared to be called as it is called anyhow does no harm.
                match owners.insert(name.clone(), owner.clone()) {
                    Some(first) if first != owner => {
                        let second = owner.clone();
                        problems.push(Problem::SharedVariable { name, first, second });
                    }
                    Some(_) | None => {}
                }
            }
        }
    }
}

fn is_variable(name: &str) -> bool {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    letters && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{Endpoint, Workload};

    fn problems(suites: &[Suite]) -> Vec<String> {
        let mut problems = Vec::new();
        check(suites, &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    fn suite(name: &str, endpoints: [Endpoint; 2]) -> Suite {
        let shop = Workload::new("shop", "shop.yaml");
        Suite::new(name, "shop").tier([endpoints.into_iter().fold(shop, Workload::endpoint)])
    }

    #[test]
    fn a_variable_is_of_one_endpoint() {
        let good = |name| {
            let http = Endpoint::http("http").variable("SHOP").variable("SHOP_HTTP_URL");
            suite(name, [http, Endpoint::http("metrics").variable("METRICS")])
        };
        assert_eq!(problems(&[good("shop"), good("stall")]), [""; 0]);
        let shared = Endpoint::http("metrics").variable("SHOP_HTTP_URL").variable("KUBECONFIG");
        assert_eq!(
            problems(&[suite("shop", [Endpoint::http("http"), shared])]),
            [
                "the variable `SHOP_HTTP_URL` would be of `shop:http of shop` and `shop:metrics of shop` in \
                 `kindwright env`; call one of them otherwise",
                "the variable `KUBECONFIG` would be of `the cluster` and `shop:metrics of shop` in \
                 `kindwright env`; call one of them otherwise",
            ]
        );
        // `kindwright env` says of which suite they are.
        let (first, second) =
            (good("shop"), suite("shop-shop", [Endpoint::http("a"), Endpoint::http("b")]));
        assert_eq!(problems(&[first, second]), [""; 0]);
    }

    #[test]
    fn a_variable_is_called_so_that_a_shell_takes_it() {
        assert!(["SHOP_URL", "_2", "shop"].into_iter().all(is_variable));
        assert!(!["", "2", "SHOP-URL", "A B", "größe"].into_iter().any(is_variable));
    }
}
