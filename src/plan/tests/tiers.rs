//! Whether each tier has what it needs.

use super::*;

fn database(name: &str) -> Workload {
    let database = Database::new("u", "n", "p");
    Workload::new(name, "db.yaml").endpoint(Endpoint::postgres("postgresql", database))
}

/// The problems of a suite whose shop reads these sources into variables.
fn problems(sources: &Value, change: impl FnOnce(Suite) -> Suite) -> Vec<String> {
    let mut objects = manifest("localhost/shop");
    objects[1]["spec"]["template"]["spec"]["containers"][0]["envFrom"] = sources.clone();
    let inventory = Inventory::of("shop.yaml", objects)
        .and("later.yaml", vec![config_map("later")])
        .and("orders.yaml", vec![orders()])
        .and("first.yaml", vec![config_map("first")])
        .and(
            "job.yaml",
            vec![json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "maker"}})],
        );
    let suite = change(shop("shop", 30090).resources("first.yaml"));
    plan(&[suite], &inventory, &[]).err().unwrap_or_default()
}

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

#[test]
fn migrations_before_their_database_are_a_problem() {
    let suite = Suite::new("shop", "shop")
        .image(Image::reference("shop", "shop:1"))
        .secret(Secret::new("s").entry("k", [password("p")]))
        .migrations(Migrations::new("migrations", "db"))
        .tier([database("db")])
        .case(Case::declared("it_sells", ()));
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"},
        "spec": {"ports": [{"name": "postgresql", "port": 5432}]}});
    let problems = plan(&[suite], &Inventory::of("db.yaml", vec![service]), &[]).unwrap_err();
    assert_eq!(
        problems,
        [
            "suite `shop`: the migrations of tier 1 need the database of `db`, which is in tier 2; move them below it"
        ]
    );
}

#[test]
fn the_databases_of_one_server_have_one_port_and_migrations_of_their_own() {
    let login = |name: &str| Database::new("u", name, "p");
    let server = Workload::new("db", "db.yaml")
        .endpoint(Endpoint::postgres("postgresql", login("orders")).node_port(30432))
        .endpoint(Endpoint::postgres("postgresql", login("bills")).named("bills").node_port(30432));
    let suite = |server: Workload, migrated: &str| {
        Suite::new("shop", "shop")
            .secret(Secret::new("s").entry("k", [password("p")]))
            .tier([server])
            .migrations(Migrations::new("migrations", migrated))
            .case(Case::declared("it_sells", ()))
    };
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"},
        "spec": {"ports": [{"name": "postgresql", "port": 5432}]}});
    let inventory = Inventory::of("db.yaml", vec![service]);
    let planned = plan(&[suite(server.clone(), "db:bills")], &inventory, &[]).unwrap();
    let numbers: Vec<_> = planned.suites[0].endpoints().map(|it| it.node_port).collect();
    assert_eq!(numbers, [30432, 30432]);
    assert_eq!(planned.to_string().matches("NodePort 30432 at a free port").count(), 1);
    let misspelt = plan(&[suite(server, "db:bils")], &inventory, &[]).unwrap_err();
    assert!(misspelt[0].contains("(it has db:postgresql, db:bills)"), "{misspelt:?}");
}

#[test]
fn a_workload_that_waits_for_a_later_tier_is_a_problem() {
    let later = |suite: Suite| suite.tier([Workload::new("later", "later.yaml")]);
    assert_eq!(
        problems(&json!([{"configMapRef": {"name": "later"}}]), later),
        [
            "suite `shop`: `shop` of tier 1 needs ConfigMap `later`, which only tier 2 makes, and that waits for tier 1; move it up"
        ]
    );
}

#[test]
fn a_secret_that_nothing_of_the_suite_makes_is_a_problem() {
    let sources = json!([{"secretRef": {"name": "keys"}}, {"configMapRef": {"name": "first"}}]);
    assert_eq!(
        problems(&sources, |suite| suite),
        [
            "suite `shop`: `shop` needs Secret `keys`, which nothing of the suite makes; add it to a manifest, or declare it with `.secret(..)`, or mark it `optional: true`"
        ]
    );
    assert!(problems(&sources, |suite| suite.secret(Secret::new("keys"))).is_empty());
}

#[test]
fn what_may_be_made_while_a_suite_runs_is_no_problem() {
    let missing = json!([{"secretRef": {"name": "keys"}}]);
    assert!(
        problems(&missing, |suite| suite.resources("orders.yaml").controls("Order")).is_empty()
    );
    assert!(problems(&missing, |suite| suite.resources("job.yaml")).is_empty());
    let optional = json!([{"secretRef": {"name": "keys", "optional": true}}]);
    assert!(problems(&optional, |suite| suite).is_empty());
    let given = json!([{"configMapRef": {"name": "kube-root-ca.crt"}}]);
    assert!(problems(&given, |suite| suite).is_empty());
}
