//! Plans of small suites, as people read them.

use std::time::Duration;

use clap::Parser as _;
use serde_json::{Value, json};

mod beyond;
mod cluster_wide;
mod endpoints;
mod followed;
mod operators;
mod reuse;
mod room;
mod sharing;
mod steps;
mod tiers;
mod unreached;

use super::*;
use crate::{
    cli::Cli,
    durations::Took,
    inventory::Inventory,
    seed::Seed,
    selection::Selection,
    settings::Settings,
    suite::{Case, Database, Endpoint, Image, Migrations, Secret, Suite, Workload, password},
};

fn manifest(image: &str) -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"},
            "spec": {"ports": [{"name": "http", "port": 80}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"},
            "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "shop", "image": image}]}}}}),
    ]
}

fn shop(name: &str, node_port: u16) -> Suite {
    Suite::new(name, "shop-tests")
        .image(Image::reference("shop", "shop:1"))
        .tier([Workload::new("shop", "shop.yaml")
            .endpoint(Endpoint::http("http").node_port(node_port).health("/health"))])
        .case(Case::declared("it_sells", ()))
}

/// What a plan is made from, but for suites.
struct Given {
    inventory: Inventory,
    settings: Settings,
    durations: BTreeMap<String, Took>,
    reused: Option<Reused>,
}

impl Given {
    fn files(inventory: Inventory) -> Self {
        let (settings, durations) = (Settings::default(), BTreeMap::new());
        Self { inventory, settings, durations, reused: None }
    }

    /// The plan of a run 0a1b2c3d of these suites, as typed.
    fn plan(&self, suites: &[Suite], typed: &[&str]) -> Result<Plan, Vec<String>> {
        let cli = Cli::parse_from([&["e2e"], typed].concat());
        let selection = Selection::of(&cli, suites);
        let inputs = Inputs {
            cli: &cli,
            settings: &self.settings,
            suites,
            selection: &selection,
            inventory: &self.inventory,
            seed: &Seed::fixed("0a1b2c3d", &selection),
            durations: &self.durations,
            reused: self.reused.as_ref(),
        };
        Plan::of(&inputs).map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }
}

fn plan(suites: &[Suite], inventory: &Inventory, typed: &[&str]) -> Result<Plan, Vec<String>> {
    Given::files(inventory.clone()).plan(suites, typed)
}

fn inventory() -> Inventory {
    Inventory::of("shop.yaml", manifest("localhost/shop")).and("orders.yaml", vec![orders()])
}

/// The definition of the kind that some suites control.
fn orders() -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "orders.example.io"},
        "spec": {"group": "example.io", "scope": "Namespaced", "names": {"kind": "Order", "plural": "orders"}}})
}

#[test]
fn a_plan_says_what_will_be_done() {
    let plan = plan(&[shop("shop", 30090), shop("stall", 30090)], &inventory(), &[]).unwrap();
    assert_eq!(
        plan.to_string(),
        "\
run 0a1b2c3d
cluster kw-0a1b2c3d: create from kind's own node image
  NodePort 30090 at a free port of this machine
  NodePort 30000 at a free port of this machine
image shop: shop:1
  as localhost/shop:shop-tests-0a1b2c3d
suite shop: namespace shop in kw-0a1b2c3d
  tier 1: shop from shop.yaml
    http: HTTP at shop:http, NodePort 30090, healthy by /health
  requests 0m of cpu, 0 MiB of memory, 1 pod
  1 case
    shop::it_sells
suite stall: namespace stall in kw-0a1b2c3d
  tier 1: shop from shop.yaml
    http: HTTP at shop:http, NodePort 30000, healthy by /health
  requests 0m of cpu, 0 MiB of memory, 1 pod
  1 case
    stall::it_sells
"
    );
}

#[test]
fn equal_inputs_give_equal_plans() {
    let suites = [shop("shop", 30090)];
    assert_eq!(plan(&suites, &inventory(), &[]), plan(&suites, &inventory(), &[]));
}

#[test]
fn a_cluster_for_each_suite_leaves_each_its_wish() {
    let suites = [shop("shop", 30090), shop("stall", 30090)];
    let plan = plan(&suites, &inventory(), &["--clusters", "per-suite"]).unwrap();
    let names: Vec<_> = plan.clusters.iter().map(|cluster| cluster.name().as_str()).collect();
    assert_eq!(names, ["kw-0a1b2c3d-1", "kw-0a1b2c3d-2"]);
    assert!(
        plan.suites
            .iter()
            .flat_map(SuitePlan::endpoints)
            .all(|endpoint| endpoint.node_port == 30090)
    );
}

#[test]
fn objects_are_edited_as_data() {
    let plan = plan(&[shop("shop", 30091)], &inventory(), &[]).unwrap();
    let objects = &plan.suites[0].workloads().next().unwrap().objects;
    assert_eq!(
        objects[0]["metadata"],
        json!({"name": "shop", "namespace": "shop", "labels": {"kindwright/suite": "shop"}})
    );
    assert_eq!(
        objects[0]["spec"],
        json!({"type": "NodePort", "ports": [{"name": "http", "port": 80, "nodePort": 30091, "protocol": "TCP"}]})
    );
}

#[test]
fn all_problems_of_a_plan_are_told_together() {
    let suite = shop("shop", 29999)
        .secret(Secret::new("s").entry("k", [password("other")]))
        .tier([Workload::new("db", "shop.yaml")
            .endpoint(Endpoint::postgres("postgresql", Database::new("u", "n", "database")))])
        .migrations(Migrations::new("migrations", "shop"));
    let problems =
        plan(&[suite], &Inventory::of("shop.yaml", manifest("localhost/shops")), &[]).unwrap_err();
    assert_eq!(
        problems,
        [
            "suite `shop`: the database of `db:postgresql` names the password `database`, which no Secret of the suite has (they have `other`); add it with `password(\"database\")` to an entry of a Secret",
            "suite `shop`: migrations go to `shop`, and the suite has no such database (it has db:postgresql); name the workload of an `Endpoint::postgres`, or `workload:endpoint`",
            "suite `shop`: `shop:http` wants NodePort 29999, outside 30000-32767; name one of these, or leave `.node_port(..)` out for one that is free",
            "suite `shop`: shop.yaml names the image `localhost/shops`, which the suite does not provide (it provides `shop`); add `.image(..)`",
            "suite `shop`: shop.yaml has no Service `db` with a TCP port named `postgresql`, which the endpoint `db:postgresql` is to reach; it has `shop` with [\"http\"]; name one of these, or `.service(..)` of another Service",
            "suite `shop`: Service `shop` is there twice, and not the same; leave one out",
        ]
    );
}

#[test]
fn one_consumer_cannot_have_two_images_of_one_name() {
    let other = Suite { images: vec![Image::reference("shop", "shop:2")], ..shop("stall", 30091) };
    let problems = plan(&[shop("shop", 30090), other], &inventory(), &[]).unwrap_err();
    assert_eq!(
        problems,
        [
            "the suites `shop` and `stall` make different images `shop` for one consumer, `shop-tests`; \
             give one of them another consumer or the image another name"
        ]
    );
}

#[test]
fn a_case_is_planned_with_all_that_a_run_knows_of_it_before_it_begins() {
    let limit = Duration::from_secs(5);
    let suite = shop("shop", 30090).settle(Duration::from_secs(2)).cases([
        Case::declared("it_takes_a_while", ()).limit(limit).alone(),
        Case::declared("it_is_fixed", ()).beyond("contract 5.6"),
        Case::declared("it_is_slow", ()).ignored(),
    ]);
    let planned = |suite: &Suite| {
        let plan = plan(std::slice::from_ref(suite), &inventory(), &[]).unwrap();
        plan.suites.into_iter().next().unwrap()
    };
    let shop = planned(&suite);
    assert_eq!((shop.settle, shop.real), (Duration::from_secs(2), false));
    let [sells, takes, fixed, slow] = shop.cases.as_slice() else { panic!("{:?}", shop.cases) };
    assert_eq!((sells.full_name.as_str(), sells.name.as_str()), ("shop::it_sells", "it_sells"));
    assert!(sells.place.file.ends_with("tests/mod.rs") && sells.place.line > 0);
    assert_eq!((takes.limit, takes.alone, takes.runs), (limit, true, true));
    assert!(fixed.runs && fixed.set_aside.is_none());
    assert!(slow.ignored && !slow.runs);

    let real = planned(&suite.clone().real());
    let reason = "beyond contract 5.6, and the suite is real";
    assert_eq!(real.cases[2].set_aside.as_deref(), Some(reason));
    assert!(real.real && !real.cases[2].runs && real.cases[1].runs);

    let all = plan(&[suite.real()], &inventory(), &["--include-ignored"]);
    assert!(all.unwrap().suites[0].cases.iter().all(|case| case.runs && case.set_aside.is_none()));
}

#[test]
fn names_that_cannot_be_used_are_problems_of_the_plan() {
    let suites = ["kube-system", "default"].map(|name| shop(name, 30090));
    let [system, default] = suites;
    let suites = [system, default.case(Case::declared("../../etc", ()))];
    assert_eq!(
        plan(&suites, &inventory(), &[]).unwrap_err(),
        [
            "`kube-system` is not a name for a suite: Kubernetes has a namespace of that name, or may get one; call it otherwise",
            "`default` is not a name for a suite: Kubernetes has a namespace of that name, or may get one; call it otherwise",
            "suite `default`: \"../../etc\" is not a name for a case: use letters, digits, spaces and any of _-.(),=' with at least one letter or digit, no `..`, and no space at an end",
        ]
    );
}

#[test]
fn requests_that_are_no_quantities_are_problems_of_the_plan() {
    let mut objects = manifest("localhost/shop");
    let pod = &mut objects[1]["spec"]["template"]["spec"];
    pod["containers"][0]["resources"] = json!({"requests": {"cpu": "much", "memory": "64Mi"}});
    let init = json!({"name": "init", "image": "shop", "resources": {"limits": {"memory": "1GB"}}});
    pod["initContainers"] = json!([init]);
    assert_eq!(
        plan(&[shop("shop", 30090)], &Inventory::of("shop.yaml", objects), &[]).unwrap_err(),
        [
            "suite `shop`: shop.yaml: `resources.limits.memory` of container `init` is \"1GB\", which is no quantity; write it as `250m` or `64Mi`",
            "suite `shop`: shop.yaml: `resources.requests.cpu` of container `shop` is \"much\", which is no quantity; write it as `250m` or `64Mi`",
        ]
    );
}

#[test]
fn a_port_that_the_project_maps_itself_is_given_to_nobody() {
    let mut inventory = inventory();
    let own = json!([{"containerPort": 30000}, {"containerPort": 30090, "hostPort": 80}]);
    inventory.project_cluster()["nodes"][0]["extraPortMappings"] = own;
    let problems = plan(&[shop("shop", 30090)], &inventory, &[]).unwrap_err();
    assert_eq!(
        problems,
        [
            "suite `shop`: `shop:http` wants NodePort 30090, which kind/cluster.yaml maps itself (`extraPortMappings`); give one of them another number"
        ]
    );
    let plan = plan(&[shop("shop", 30091), shop("stall", 30091)], &inventory, &[]).unwrap();
    let numbers: Vec<_> =
        plan.suites.iter().flat_map(SuitePlan::endpoints).map(|it| it.node_port).collect();
    assert_eq!(numbers, [30091, 30001]);
}

#[test]
fn clusters_that_hold_the_same_ports_of_this_machine_are_there_one_at_a_time() {
    let suites = || [shop("shop", 30090), shop("stall", 30091).own_cluster()];
    let of = |plan: &Plan| (plan.clusters.len(), at_once(&plan.clusters, 2));
    let free = inventory();
    assert_eq!(of(&plan(&suites(), &free, &[]).unwrap()), (2, 2));
    let mut mapped = inventory();
    let own = json!([{"containerPort": 30000, "hostPort": 80}]);
    mapped.project_cluster()["nodes"][0]["extraPortMappings"] = own;
    assert_eq!(of(&plan(&suites(), &mapped, &[]).unwrap()), (2, 1));
    let one = [shop("shop", 30090)];
    assert_eq!(of(&plan(&one, &mapped, &[]).unwrap()), (1, 2));
}
