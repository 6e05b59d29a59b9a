//! Steps, conditions and patience in a plan.

use super::*;
use crate::suite::{Condition, Step};

fn step(name: &str) -> Step {
    Step::declared(name, None, ())
}

fn workload() -> Workload {
    Workload::new("shop", "shop.yaml")
        .endpoint(Endpoint::http("http").node_port(30090).health("/health"))
}

fn suite(workload: Workload) -> Suite {
    Suite::new("shop", "shop-tests")
        .image(Image::reference("shop", "shop:1"))
        .tier([workload])
        .case(Case::declared("it_sells", ()))
}

#[test]
fn a_plan_tells_steps_in_their_place_and_how_workloads_are_waited_for() {
    let bound = Condition::of(["v1", "ConfigMap", "prices"]).matches(json!({"data": {"tea": "2"}}));
    let workload = workload()
        .ready_within(Duration::from_mins(10))
        .starts(5)
        .until(Condition::of(["apps/v1", "Deployment", "shop"]).is_true("Available"))
        .until(bound);
    let suite = suite(workload)
        .step(step("fill the shelves").limit(Duration::from_secs(90)))
        .after_cases(step("sweep"));
    let plan = plan(&[suite], &inventory(), &[]).unwrap();
    let words = plan.to_string();
    let words = &words[words.find("suite shop").unwrap()..];
    assert_eq!(
        words,
        "\
suite shop: namespace shop in kw-0a1b2c3d
  tier 1: shop from shop.yaml, ready within 600 s, in at most 5 starts, \
until Deployment `shop` is Available, until ConfigMap `prices` matches {\"data\":{\"tea\":\"2\"}}
    http: HTTP at shop:http, NodePort 30090, healthy by /health
  tier 2: step fill the shelves, at most 90 s
  requests 0m of cpu, 0 MiB of memory, 1 pod
  after its cases: step sweep, at most 60 s
  1 case
    shop::it_sells
"
    );
    let plan = serde_json::to_value(&plan.suites[0]).unwrap();
    assert_eq!(plan["tiers"][0]["workloads"][0]["ready_within"], 600.0);
    assert_eq!(plan["tiers"][0]["workloads"][0]["until"][0]["is_true"], "Available");
    assert_eq!(plan["tiers"][1]["step"]["name"], "fill the shelves");
    assert_eq!(plan["after_cases"][0]["limit"], 60.0);
}

#[test]
fn a_condition_of_an_object_of_the_whole_cluster_is_of_what_the_suite_has_made_of_its_name() {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "reader"}});
    let of = |name: &str| Condition::of(["rbac.authorization.k8s.io/v1", "ClusterRole", name]);
    let suite = suite(workload().until(of("reader")).until(of("view"))).resources("role.yaml");
    let plan = plan(&[suite], &inventory().and("role.yaml", vec![role]), &[]).unwrap();
    let words = plan.to_string();
    let until = "until ClusterRole `reader-shop` is there, until ClusterRole `view` is there";
    assert!(words.contains(until), "{words}");
}

#[test]
fn a_suite_that_controls_a_kind_that_nobody_defines_is_a_problem() {
    let controls = |kind: &str| shop("shop", 30090).controls(kind);
    let problem = |suite: Suite| plan(&[suite], &inventory(), &[]).err();
    let words = "suite `shop` controls `Order`, and nobody brings the CustomResourceDefinition of that kind into its cluster (there are definitions of: none); add its manifest with `.resources(..)`";
    assert_eq!(problem(controls("Order")), Some(vec![words.to_owned()]));
    assert_eq!(problem(controls("Order").resources("orders.yaml")), None);
    assert_eq!(problem(controls("Ingress")), None);
    let brings = shop("stall", 30091).resources("orders.yaml");
    assert_eq!(plan(&[controls("Order"), brings], &inventory(), &[]).err(), None);
}

#[test]
fn steps_and_conditions_that_cannot_be_are_told_together() {
    let workload = workload()
        .starts(0)
        .until(Condition::of(["example/v1/x", "Queue", "orders"]))
        .until(Condition::of(["v1", "ConfigMap", ""]))
        .until(Condition::of(["v1", "ConfigMap", "prices"]).namespace("store"));
    let gives = |name: &str| Step::declared(name, Some("Catalog"), ());
    let suite = suite(workload)
        .step(gives("one"))
        .step(gives("two"))
        .after_cases(step("one"))
        .step(step("a/b"));
    assert_eq!(
        plan(&[suite], &inventory(), &[]).unwrap_err(),
        [
            "suite `shop`: the steps `one` and `two` both return a `Catalog`, and cases find it by its type; let one of them return a type of its own",
            "suite `shop`: \"a/b\" is not a name for a step: use letters, digits, spaces and any of _-.(),=' with at least one letter or digit, no `..`, and no space at an end",
            "step `one` is declared twice in suite `shop`; leave one out, or call it otherwise",
            "suite `shop`: `shop` is to be ready when Queue `orders` is there, but `example/v1/x` is no apiVersion; write it as `v1` or `example.io/v1`",
            "suite `shop`: `shop` is to be ready when ConfigMap `` is there, but it has no apiVersion, kind or name; give all three",
            "suite `shop`: `shop` is to be ready when ConfigMap `prices` is there, but the suite declares no namespace `store` (it declares none); add `.namespace(..)`",
            "suite `shop`: `shop` is to be ready in no time or without a start; give `.ready_within(..)` and `.starts(..)` more than 0",
        ]
    );
}
