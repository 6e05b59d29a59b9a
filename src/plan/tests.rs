//! Plans of small suites, as people read them.

use clap::Parser as _;
use serde_json::json;

use super::*;
use crate::suite::{Case, Database, Image, Migrations, Secret, Workload, password};

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
        .tier([Workload::new("shop", "shop.yaml").http("http", node_port, "/health")])
        .case(Case::declared("it_sells", ()))
}

/// The plan of a run 0a1b2c3d of these suites, as typed.
fn plan(suites: &[Suite], inventory: &Inventory, typed: &[&str]) -> Result<Plan, Vec<String>> {
    let cli = Cli::parse_from([&["e2e"], typed].concat());
    let selection = Selection::of(&cli, suites);
    let seed = Seed::fixed("0a1b2c3d", &selection);
    let settings = Settings::default();
    let inputs = Inputs {
        cli: &cli,
        settings: &settings,
        suites,
        selection: &selection,
        inventory,
        seed: &seed,
        kept: None,
    };
    Plan::of(&inputs).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn inventory() -> Inventory {
    Inventory::of("shop.yaml", manifest("localhost/shop"))
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
  tier 1: shop from shop.yaml, http at NodePort 30090
  1 cases
    shop::it_sells
suite stall: namespace stall in kw-0a1b2c3d
  tier 1: shop from shop.yaml, http at NodePort 30000
  1 cases
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
        .tier([Workload::new("db", "shop.yaml").postgres(
            "postgresql",
            30432,
            Database { user: "u".into(), name: "n".into(), password: "database".into() },
        )])
        .migrations(Migrations::new("migrations", "shop"));
    let problems =
        plan(&[suite], &Inventory::of("shop.yaml", manifest("localhost/shops")), &[]).unwrap_err();
    assert_eq!(
        problems,
        [
            "suite `shop`: the database of `db` names the password `database`, which no Secret of the suite has",
            "suite `shop`: migrations go to `shop`, which has no `.postgres(..)` endpoint",
            "suite `shop`: `shop` wants NodePort 29999, outside 30000-32767",
            "suite `shop`: shop.yaml names the image `localhost/shops`, which the suite does not provide (it provides `shop`); add `.image(..)`",
            "suite `shop`: shop.yaml has no Service `db` with a port named `postgresql`; it has `shop` with [\"http\"]",
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
fn cluster_scoped_objects_are_renamed_for_each_suite_and_references_follow() {
    let mut objects = manifest("localhost/shop");
    objects.push(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "seller"}}));
    objects.push(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "seller"},
        "roleRef": {"kind": "ClusterRole", "name": "seller"}, "subjects": [{"kind": "ServiceAccount", "name": "default"}]}));
    let plan = plan(&[shop("shop", 30090)], &Inventory::of("shop.yaml", objects), &[]).unwrap();
    let objects = &plan.suites[0].workloads().next().unwrap().objects;
    assert_eq!(objects[2]["metadata"]["name"], "seller-shop");
    assert_eq!(objects[3]["roleRef"]["name"], "seller-shop");
    assert_eq!(objects[3]["subjects"][0]["namespace"], "shop");
}
