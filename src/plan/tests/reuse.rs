//! Plans that go into the clusters of a kept run.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::suite::EndpointName;

/// A run that keeps a cluster for each of these groups of suites.
fn kept(clusters: &[&[&str]]) -> Reused {
    let mut node_ports = BTreeMap::new();
    let clusters = (1..).zip(clusters).map(|(number, suites)| {
        let numbers = (30090..).zip(*suites);
        node_ports.extend(numbers.map(|(node_port, suite)| {
            let name = EndpointName { workload: "shop".into(), endpoint: "http".into() };
            (((*suite).to_owned(), name), node_port)
        }));
        ReusedCluster {
            name: ClusterName::noted(format!("kw-ffffffff-{number}")),
            suites: suites.iter().map(|suite| (*suite).to_owned()).collect(),
            node_image: None,
            config: config_digest(inventory().project_cluster()),
            node_ports: (30090..30090 + u16::try_from(suites.len()).unwrap()).collect(),
        }
    });
    let clusters = clusters.collect();
    Reused { run: "ffffffff".parse().unwrap(), clusters, node_ports }
}

fn into(reused: Reused) -> Given {
    Given { reused: Some(reused), ..Given::files(inventory()) }
}

fn clusters(plan: &Plan) -> Vec<(&str, &str)> {
    let suites = plan.suites.iter();
    suites.map(|suite| (suite.name.as_str(), suite.cluster.as_str())).collect()
}

#[test]
fn each_suite_gets_the_cluster_that_held_it() {
    let given = into(kept(&[&["shop"], &["stall"]]));
    let plan = given.plan(&[shop("stall", 30090), shop("shop", 30090)], &[]).unwrap();
    assert_eq!(clusters(&plan), [("stall", "kw-ffffffff-2"), ("shop", "kw-ffffffff-1")]);
    let names: Vec<_> = plan.clusters.iter().map(|cluster| cluster.name().as_str()).collect();
    assert_eq!(names, ["kw-ffffffff-2", "kw-ffffffff-1"]);
}

#[test]
fn a_suite_that_none_of_several_clusters_held_is_told_which_holds_what() {
    let given = into(kept(&[&["shop", "booth"], &["stall"]]));
    assert_eq!(
        given.plan(&[shop("kiosk", 30090)], &[]).unwrap_err(),
        [
            "run ffffffff has no cluster for suite `kiosk`: kw-ffffffff-1 held `booth`, `shop`; kw-ffffffff-2 held `stall`; select one of those, or run without `--reuse`"
        ]
    );
}

#[test]
fn a_new_suite_gets_a_node_port_that_is_mapped_and_free() {
    let mut reused = kept(&[&["shop"]]);
    reused.clusters[0].node_ports.extend([30095, 30096]);
    let given = into(reused);
    let node_ports = |suites: &[Suite]| {
        let plan = given.plan(suites, &[])?;
        let endpoints = plan.suites.iter().flat_map(SuitePlan::endpoints);
        Ok::<Vec<_>, Vec<String>>(endpoints.map(|endpoint| endpoint.node_port).collect())
    };
    assert_eq!(node_ports(&[shop("shop", 30090), shop("new", 30096)]), Ok(vec![30090, 30096]));
    // The number that it wishes belongs to a suite that may still be there.
    assert_eq!(node_ports(&[shop("new", 30090)]), Ok(vec![30095]));
    let third = [shop("new", 30095), shop("newer", 30096), shop("newest", 30097)];
    assert_eq!(
        node_ports(&third).unwrap_err(),
        [
            "no NodePort is left in the cluster of run ffffffff for `shop:http` of suite `newest`, and none can be added; run without `--reuse`"
        ]
    );
}

#[test]
fn a_cluster_that_may_be_kept_has_node_ports_for_what_is_declared_later() {
    let mapped = |typed: &[&str]| {
        let plan = plan(&[shop("shop", 30090)], &inventory(), typed).unwrap();
        let ports = match &plan.clusters[0] {
            ClusterPlan::Create { ports, .. } => ports.clone(),
            ClusterPlan::Adopt { .. } => Vec::new(),
        };
        ports.iter().map(|port| port.node_port).collect::<BTreeSet<_>>()
    };
    assert_eq!(mapped(&[]), BTreeSet::from([30090]));
    let spare = BTreeSet::from([30000, 30001, 30002, 30003, 30090]);
    assert_eq!(mapped(&["--keep", "always"]), spare);
}

#[test]
fn a_changed_node_image_or_cluster_file_is_a_problem() {
    let mut given = into(kept(&[&["shop"]]));
    given.settings.node_image = Some("node:2".to_owned());
    given.inventory.project_cluster()["networking"] = json!({"ipFamily": "dual"});
    assert_eq!(
        given.plan(&[shop("shop", 30090)], &[]).unwrap_err(),
        [
            "cluster kw-ffffffff-1 of run ffffffff was made from kind's own node image, and the node image `node:2` is asked for now; set KIND_NODE_IMAGE as it was, or run without `--reuse`",
            "the configuration of the cluster of suite `shop` (kind/cluster.yaml) is not that with which run ffffffff made kw-ffffffff-1; undo the change, or run without `--reuse`",
        ]
    );
}

#[test]
fn suites_that_cannot_share_a_cluster_do_not_share_a_kept_one() {
    let given = into(kept(&[&["shop", "stall"]]));
    let suites = ["shop", "stall"]
        .map(|name| shop(name, 30090).resources("orders.yaml").controls("Order").real());
    let problems = given.plan(&suites, &[]).unwrap_err();
    assert!(problems[0].contains("both have controllers of `Order`, of which"), "{problems:?}");
}

#[test]
fn a_suite_with_a_cluster_of_its_own_does_not_use_one_that_held_another() {
    let given = into(kept(&[&["shop", "stall"]]));
    let problems = given.plan(&[shop("shop", 30090).own_cluster()], &[]).unwrap_err();
    assert!(problems[0].contains("`shop` has a cluster of its own; select"), "{problems:?}");
}
