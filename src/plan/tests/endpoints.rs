//! Endpoints: several of a workload, of any Service, of what they speak, and what can be wrong with them.

use super::*;
use crate::suite::Ca;

/// A Service with these ports, whose names may be missing.
fn service(name: &str, ports: &[(&str, u16)]) -> Value {
    let ports = ports.iter().map(|(name, number)| match *name {
        "" => json!({"port": number}),
        name => json!({"name": name, "port": number}),
    });
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"ports": ports.collect::<Vec<_>>()}})
}

fn gateway() -> Inventory {
    let headless = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "peers"},
        "spec": {"clusterIP": "None", "ports": [{"name": "raft", "port": 7}]}});
    let names = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "names"},
        "spec": {"ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]}});
    let tls = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls"},
        "stringData": {"tls.crt": "", "ca.crt": ""}});
    let objects = vec![
        service("gateway", &[("http", 80), ("https", 443)]),
        service("gateway-metrics", &[("", 9090)]),
        headless,
        names,
        tls,
    ];
    Inventory::of("gateway.yaml", objects)
}

fn suite(endpoints: impl IntoIterator<Item = Endpoint>) -> Suite {
    let gateway = Workload::new("gateway", "gateway.yaml");
    Suite::new("shop", "shop")
        .tier([endpoints.into_iter().fold(gateway, Workload::endpoint)])
        .case(Case::declared("it_sells", ()))
}

fn problems(endpoints: impl IntoIterator<Item = Endpoint>) -> Vec<String> {
    plan(&[suite(endpoints)], &gateway(), &[]).unwrap_err()
}

#[test]
fn a_workload_has_as_many_endpoints_as_it_declares_of_any_service() {
    let suite = suite([
        Endpoint::https("https").ca(Ca::secret("tls", "ca.crt")).health("/ready"),
        Endpoint::http("http").node_port(30090),
        Endpoint::http("9090").named("metrics").service("gateway-metrics"),
    ]);
    let plan = plan(&[suite], &gateway(), &[]).unwrap();
    let words = plan.to_string();
    let words = words.split_once("suite shop").unwrap().1;
    assert_eq!(
        words,
        "\
: namespace shop in kw-0a1b2c3d
  tier 1: gateway from gateway.yaml
    https: HTTPS at gateway:https, NodePort 30000, healthy by /ready, as gateway.shop.svc, trusting `ca.crt` of Secret `tls`
    http: HTTP at gateway:http, NodePort 30090
    metrics: HTTP at gateway-metrics:9090, NodePort 30001
  requests 0m of cpu, 0 MiB of memory, 0 pods
  1 case
    shop::it_sells
"
    );
    let suite = plan.suite("shop").unwrap();
    let node_port =
        |name| suite.endpoints().find(|it| it.name.is(name)).map(|endpoint| endpoint.node_port);
    assert_eq!(
        ["gateway", "gateway:metrics", "gateway:9090"].map(node_port),
        [Some(30000), Some(30001), None]
    );
    let ports =
        suite.objects().flat_map(|object| object["spec"]["ports"].as_array().into_iter().flatten());
    let numbers: Vec<_> = ports.filter_map(|port| port["nodePort"].as_u64()).collect();
    assert_eq!(numbers, [30090, 30000, 30001]);
}

#[test]
fn what_an_endpoint_trusts_unless_it_says_so_is_told() {
    let plan =
        plan(&[suite([Endpoint::https("https").server_name("shop.example.com")])], &gateway(), &[]);
    let words = plan.unwrap().to_string();
    assert!(
        words.contains(", as shop.example.com, trusting what this machine trusts\n"),
        "{words}"
    );
}

#[test]
fn a_wrong_service_or_port_is_told_with_those_that_there_are() {
    let has = "it has `gateway` with [\"http\", \"https\"], `gateway-metrics` with [\"9090\"], \
               `peers` with [\"raft\"], `names` with []; name one of these, or `.service(..)` of another Service";
    assert_eq!(
        problems([
            Endpoint::tcp("htpp"),
            Endpoint::http("http").service("gate"),
            Endpoint::tcp("dns").service("names"),
            Endpoint::tcp("raft").service("peers"),
        ]),
        [
            format!("suite `shop`: gateway.yaml has no Service `gateway` with a TCP port named `htpp`, which the endpoint `gateway:htpp` is to reach; {has}"),
            format!("suite `shop`: gateway.yaml has no Service `gate` with a TCP port named `http`, which the endpoint `gateway:http` is to reach; {has}"),
            format!("suite `shop`: gateway.yaml has no Service `names` with a TCP port named `dns`, which the endpoint `gateway:dns` is to reach; {has}"),
            "suite `shop`: `gateway:raft` is to be reached through Service `peers` of gateway.yaml, which is headless (`clusterIP: None`) and so has no NodePort; name another one with `.service(..)`".to_owned(),
        ]
    );
}

#[test]
fn each_endpoint_has_a_name_and_a_port_of_its_own() {
    assert_eq!(
        problems([
            Endpoint::http("http"),
            Endpoint::tcp("http"),
            Endpoint::http("https"),
            Endpoint::tcp("https").named("raw"),
            Endpoint::tcp("9090").service("gateway-metrics").named("a:b"),
        ]),
        [
            "`a:b` is not a name for an endpoint: use 1 to 63 of a-z, 0-9 and `-`, not `-` first or last",
            "endpoint `http` is declared twice in suite `shop` for workload `gateway`; use `.named(..)`",
            "suite `shop`: `gateway:https` and `gateway:raw` are both the port `https` of Service `gateway`; declare it once",
        ]
    );
}

#[test]
fn what_means_nothing_for_what_an_endpoint_speaks_is_refused() {
    let http = Endpoint::http("http").ca(Ca::file("ca.pem"));
    let https = Endpoint::https("https").server_name("10.0.0.1");
    let tcp = Endpoint::tcp("9090").service("gateway-metrics").health("/health");
    assert_eq!(
        problems([http, https, tcp]),
        [
            "suite `shop`: `gateway:http` speaks HTTP, for which `.ca(..)` means nothing; leave it out, or declare the endpoint with `Endpoint::https`",
            "suite `shop`: \"10.0.0.1\" is not a name of a host, which `.server_name(..)` of `gateway:https` takes; write it as `shop.example.com`",
            "suite `shop`: `gateway:9090` speaks TCP, for which `.health(..)` means nothing; leave it out, or declare the endpoint with `Endpoint::http` or `https`",
        ]
    );
}

#[test]
fn certificates_that_nothing_makes_are_told() {
    let trusting = |ca| problems([Endpoint::https("https").ca(ca)]);
    assert_eq!(
        trusting(Ca::secret("tls", "ca.pem")),
        [
            "suite `shop`: `gateway:https` trusts `ca.pem` of Secret `tls`, and it has `ca.crt`, `tls.crt`; \
          name what the suite has, or what a Job or a controller of it makes"
        ]
    );
    assert_eq!(
        trusting(Ca::config_map("tls", "ca.crt")),
        [
            "suite `shop`: `gateway:https` trusts `ca.crt` of ConfigMap `tls`, and nothing of the suite makes it; \
          name what the suite has, or what a Job or a controller of it makes"
        ]
    );
    // What a Job makes is in no file.
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "make"}});
    let inventory = gateway().and("job.yaml", vec![job]);
    let made = suite([Endpoint::https("https").ca(Ca::secret("made", "ca.crt"))]);
    assert!(plan(&[made.resources("job.yaml")], &inventory, &[]).is_ok());
}
