//! Which suites share a cluster.

use super::*;

fn controlling(name: &str, node_port: u16) -> Suite {
    shop(name, node_port).resources("orders.yaml").controls("Order").real()
}

/// Suite, cluster and namespace of a plan, as they are found by name.
fn found<'a>(plan: &'a Plan, names: &[&'a str]) -> Vec<(&'a str, &'a str, &'a str)> {
    let found = names.iter().filter_map(|name| plan.suite(name));
    found
        .map(|suite| (suite.name.as_str(), suite.cluster.as_str(), suite.namespace.as_str()))
        .collect()
}

#[test]
fn suites_keep_their_own_cluster_and_namespace_whoever_is_between_them() {
    let suites = [controlling("first", 30090), shop("between", 30091), controlling("last", 30092)];
    let plan = plan(&suites, &inventory(), &[]).unwrap();
    let names: Vec<_> = plan.suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names, ["first", "between", "last"], "the order of the selection");
    assert_eq!(
        found(&plan, &["last", "first", "between"]),
        [
            ("last", "kw-0a1b2c3d-2", "last"),
            ("first", "kw-0a1b2c3d-1", "first"),
            ("between", "kw-0a1b2c3d-1", "between"),
        ]
    );
    for suite in &plan.suites {
        let cases: Vec<_> = suite.cases.iter().map(|case| case.full_name.as_str()).collect();
        assert_eq!(cases, [format!("{}::it_sells", suite.name)]);
        let objects = suite.workloads().flat_map(|workload| &workload.objects);
        let mut namespaces = objects.map(|object| &object["metadata"]["namespace"]);
        assert!(namespaces.all(|namespace| *namespace == suite.name));
    }
}

#[test]
fn two_controllers_of_one_kind_are_kept_apart_if_either_is_real() {
    let stand_in = |name: &str| shop(name, 30091).resources("orders.yaml").controls("Order");
    let clusters = |suites: [Suite; 2]| plan(&suites, &inventory(), &[]).unwrap().clusters.len();
    assert_eq!(clusters([stand_in("first"), stand_in("second")]), 1);
    assert_eq!(clusters([controlling("real", 30090), stand_in("stand-in")]), 2);
    assert_eq!(clusters([stand_in("stand-in"), controlling("real", 30090)]), 2);

    let made = Suite {
        consumer: "made-tests".to_owned(),
        images: vec![Image::dockerfile("shop", "shop")],
        ..shop("made", 30091).resources("orders.yaml").controls("Order")
    };
    let suites = [stand_in("stand-in"), made];
    let mut given = Given::files(inventory());
    assert_eq!(given.plan(&suites, &[]).unwrap().clusters.len(), 1);
    given.settings.images.insert("SHOP".to_owned(), "shop:real".to_owned());
    let apart = given.plan(&suites, &[]).unwrap();
    assert_eq!(apart.clusters.len(), 2);
    assert!(apart.suite("made").unwrap().real);
}

#[test]
fn what_exists_once_in_a_cluster_and_leads_to_one_suite_keeps_others_out() {
    let service = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1.orders.example"}, "spec": {"service": {"name": "shop", "namespace": "x"}}});
    let crd = |strategy: &str| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "orders.example"}, "spec": {"conversion": {"strategy": strategy}}})
    };
    for (object, clusters) in [(service, 2), (crd("Webhook"), 2), (crd("None"), 1)] {
        let suites = ["shop", "stall"].map(|name| shop(name, 30090).resources("orders.yaml"));
        let inventory = inventory().and("orders.yaml", vec![object]);
        assert_eq!(plan(&suites, &inventory, &[]).unwrap().clusters.len(), clusters);
    }
}

#[test]
fn an_image_is_built_if_a_manifest_names_it_or_cases_use_it() {
    let suite = shop("shop", 30090)
        .image(Image::dockerfile("mock", "no/such/folder"))
        .image(Image::reference("job", "job:1").for_cases());
    let plan = plan(&[suite], &inventory(), &[]).unwrap();
    let built: Vec<_> = plan.images.iter().map(|image| image.name.as_str()).collect();
    assert_eq!(built, ["shop", "job"]);
    let known: Vec<_> = plan.suites[0].images.keys().map(String::as_str).collect();
    assert_eq!(known, ["job", "shop"]);
}

#[test]
fn a_suite_without_a_case_that_runs_has_nothing_built() {
    let mut slow = shop("slow", 30091);
    slow.images = vec![Image::reference("shop", "slow:1")];
    slow.consumer = "slow-tests".to_owned();
    slow.cases = slow.cases.into_iter().map(Case::ignored).collect();
    let suites = [shop("shop", 30090), slow];
    let built = |typed: &[&str]| plan(&suites, &inventory(), typed).unwrap().images.len();
    assert_eq!((built(&[]), built(&["--include-ignored"])), (1, 2));
}

#[test]
fn a_suite_has_a_cluster_of_its_own_or_of_its_own_configuration_by_declaration() {
    let three = "kind/three-nodes.yaml";
    let suites = [
        shop("first", 30090),
        shop("alone", 30091).own_cluster(),
        shop("spread", 30092).kind_config(three),
        shop("last", 30093),
        shop("spread-too", 30094).kind_config(three),
    ];
    let inventory = inventory().configured(three, &["worker", "worker"]);
    let plan = plan(&suites, &inventory, &[]).unwrap();
    let clusters: Vec<_> = plan.suites.iter().map(|suite| suite.cluster.as_str()).collect();
    let [shared, own, spread] = ["kw-0a1b2c3d-1", "kw-0a1b2c3d-2", "kw-0a1b2c3d-3"];
    assert_eq!(clusters, [shared, own, spread, shared, spread]);
    let nodes: Vec<_> = plan.clusters.iter().map(ClusterPlan::nodes).collect();
    assert_eq!(nodes, [1, 1, 3]);
    let words = plan.to_string();
    assert!(words.contains("own node image by kind/three-nodes.yaml, 3 nodes\n"), "{words}");
}
