//! NodePorts of what no endpoint reaches.

use std::collections::BTreeSet;

use super::*;

fn service(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})
}

/// The NodePorts of a plan, by Service and port.
fn numbers(plan: &Plan) -> Vec<(String, u64, Option<u64>)> {
    let services = plan.suites.iter().flat_map(SuitePlan::objects);
    let services = services.filter(|object| object["kind"] == "Service");
    let ports = services.flat_map(|service| {
        let name = format!("{}/{}", service["metadata"]["namespace"], service["metadata"]["name"]);
        let ports = service["spec"]["ports"].as_array().into_iter().flatten();
        ports.map(move |port| {
            let number = port["port"].as_u64().unwrap_or_default();
            (name.replace('"', ""), number, port["nodePort"].as_u64())
        })
    });
    ports.collect()
}

#[test]
fn a_port_that_no_endpoint_reaches_has_a_number_that_is_no_other_ones_and_stays() {
    let many: Vec<_> =
        (0..200).map(|port| json!({"port": port + 1, "name": format!("p{port}")})).collect();
    let more = vec![
        service("many", &json!({"type": "NodePort", "ports": many})),
        service("lb", &json!({"type": "LoadBalancer", "ports": [{"port": 1}]})),
        service("inner", &json!({"ports": [{"port": 1}]})),
        service(
            "none",
            &json!({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": [{"port": 1}]}),
        ),
    ];
    let inventory = inventory().and("more.yaml", more);
    let suites = ["shop", "stall"].map(|name| shop(name, 30090).resources("more.yaml"));
    let of = |suites: &[Suite]| numbers(&plan(suites, &inventory, &[]).unwrap());
    let both = of(&suites);
    let inner = |name: &str| name.ends_with("/inner") || name.ends_with("/none");
    assert!(both.iter().all(|(name, _, number)| number.is_none() == inner(name)), "{both:?}");
    let given: Vec<_> = both.iter().filter_map(|(_, _, number)| *number).collect();
    let different: BTreeSet<_> = given.iter().collect();
    assert_eq!(different.len(), given.len());
    assert!(given.iter().all(|number| (30000..=32767).contains(number)), "{given:?}");
    // Most of them stay what they are when a suite goes.
    let one = of(&suites[..1]);
    let same = one.iter().filter(|port| both.contains(port)).count();
    assert!(same > one.len() / 2, "{same} of {}", one.len());
    assert_eq!(of(&suites), both);
}
