//! Images that values name, and namespaces beside a suite's own.

use super::*;

fn operator(container: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "operator"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": [container]}}}})
}

fn suite() -> Suite {
    Suite::new("operator", "tests")
        .image(Image::reference("operator", "operator:1"))
        .image(Image::reference("worker", "worker:1"))
        .image(Image::reference("sidecar", "sidecar:1"))
        .tier([Workload::new("operator", "operator.yaml")])
        .case(Case::declared("it_works", ()))
}

#[test]
fn an_image_that_only_a_value_names_is_needed_by_its_tier() {
    let container = json!({"name": "a", "image": "operator",
        "env": [{"name": "IMAGE", "value": "localhost/worker:any"}]});
    let custom = json!({"apiVersion": "example.io/v1", "kind": "Run", "metadata": {"name": "run"},
        "spec": {"image": "localhost/sidecar"}});
    let inventory = Inventory::of("operator.yaml", vec![operator(&container)]);
    let inventory = inventory.and("runs.yaml", vec![custom]);
    let plan = plan(&[suite().resources("runs.yaml")], &inventory, &[]).unwrap();
    let suite = &plan.suites[0];
    let workloads: Vec<_> = suite.workloads().cloned().collect();
    let references = |found: Vec<&crate::image::Reference>| -> Vec<String> {
        found.into_iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        references(suite.images_of(&workloads).collect()),
        ["localhost/operator:tests-0a1b2c3d", "localhost/worker:tests-0a1b2c3d"]
    );
    assert_eq!(
        references(suite.images_in(&suite.resources).collect()),
        ["localhost/sidecar:tests-0a1b2c3d"]
    );
}

#[test]
fn a_value_that_names_an_unknown_image_is_a_problem_with_its_place() {
    let container =
        json!({"name": "a", "image": "operator", "args": ["--image=localhost/wroker:1"]});
    let inventory = Inventory::of("operator.yaml", vec![operator(&container)]);
    assert_eq!(
        plan(&[suite()], &inventory, &[]).unwrap_err(),
        [
            "suite `operator`: operator.yaml: \"--image=localhost/wroker:1\" in Deployment `operator` names an image that the suite does not provide (it provides `operator`, `worker`, `sidecar`); add `.image(..)`, or write what is no image otherwise, as with a port or a scheme"
        ]
    );
}

#[test]
fn an_object_is_put_into_the_namespace_that_it_names_if_the_suite_declares_that() {
    let config = |namespace: &str, data: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": data},
            "metadata": {"name": "config", "namespace": namespace}})
    };
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
    "metadata": {"name": "binding", "namespace": "workflows"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
    "subjects": [
        {"kind": "ServiceAccount", "name": "operator", "namespace": "system"},
        {"kind": "ServiceAccount", "name": "worker", "namespace": "workflows"},
    ]});
    let objects = vec![
        operator(&json!({"name": "a", "image": "operator"})),
        config("system", "1"),
        config("workflows", "2"),
        config("operator-archive", "3"),
        binding,
    ];
    let suite = suite().namespace("workflows").namespace("archive");
    let plan = plan(&[suite], &Inventory::of("operator.yaml", objects), &[]).unwrap();
    let suite = &plan.suites[0];
    let namespaces: Vec<_> = suite.namespaces().collect();
    assert_eq!(namespaces, ["operator", "operator-workflows", "operator-archive"]);
    let of = |value: &Value| crate::manifest::text_at(value, "/metadata/namespace").to_owned();
    let places: Vec<_> = suite.objects().map(of).collect();
    assert_eq!(
        places,
        ["operator", "operator", "operator-workflows", "operator-archive", "operator-workflows"]
    );
    let subjects = &suite.objects().last().unwrap()["subjects"];
    assert_eq!(subjects[0]["namespace"], "operator");
    assert_eq!(subjects[1]["namespace"], "operator-workflows");
    assert_eq!(suite.cluster_wide().count(), 0);
    assert!(
        plan.to_string().contains("namespace operator, operator-workflows, operator-archive in")
    );
}

#[test]
fn a_namespace_that_is_nearly_a_declared_one_is_a_problem_and_a_foreign_one_is_the_suites_own() {
    let config = |namespace: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": format!("of-{namespace}"), "namespace": namespace}})
    };
    let objects = vec![
        operator(&json!({"name": "a", "image": "operator"})),
        config("workflow"),
        config("operator-system"),
    ];
    let suite = suite().namespace("workflows");
    assert_eq!(
        plan(&[suite], &Inventory::of("operator.yaml", objects), &[]).unwrap_err(),
        [
            "suite `operator`: ConfigMap `of-workflow` of operator.yaml is in the namespace `workflow`, which is nearly `workflows` of the suite's; write `workflows`, or leave the namespace out if it is to be in the suite's own"
        ]
    );
}

#[test]
fn a_pod_needs_the_secrets_of_its_own_namespace() {
    let mut other = operator(&json!({"name": "a", "image": "operator",
        "envFrom": [{"secretRef": {"name": "login"}}]}));
    let suite = suite().namespace("workflows").secret(Secret::new("login"));
    let given = |object: &Value| {
        plan(
            std::slice::from_ref(&suite),
            &Inventory::of("operator.yaml", vec![object.clone()]),
            &[],
        )
    };
    assert!(given(&other).is_ok());
    other["metadata"]["namespace"] = json!("workflows");
    let problems = given(&other).unwrap_err();
    assert!(problems[0].contains("needs Secret `login`, which nothing"), "{problems:?}");
}

#[test]
fn namespaces_that_cannot_be_are_problems_of_the_plan() {
    let long = "s".repeat(60);
    let named = |name: &str, suffixes: &[&str]| {
        let suite = Suite::new(name, "tests").case(Case::declared("it_works", ()));
        suffixes.iter().fold(suite, |suite, suffix| suite.namespace(*suffix))
    };
    let suites = [
        named(&long, &["jobs"]),
        named("shop", &["Bad", "shop", "twice", "twice", "till"]),
        named("shop-till", &[]),
    ];
    let problems = plan(&suites, &inventory(), &[]).unwrap_err();
    let end = |suffix: &str, suite: &str, most: usize| {
        format!(
            "suite `{suite}`: `{suffix}` is not the end of a namespace's name: use 1 to {most} of a-z, 0-9 and `-`, not `-` first or last, and not the suite's own name"
        )
    };
    assert_eq!(
        problems,
        [
            "the namespace `shop-till` would be of the suites `shop` and `shop-till`; call one of them, or what is given to `.namespace(..)`, otherwise".to_owned(),
            end("jobs", &long, 2),
            end("Bad", "shop", 58),
            end("shop", "shop", 58),
            "namespace `twice` is declared twice in suite `shop`; leave one out, or call it otherwise".to_owned(),
        ]
    );
}
