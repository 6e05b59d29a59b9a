//! Gives Services their NodePorts, and checks that they have what endpoints name.

use serde_json::{Value, json};

use crate::{
    manifest::text_at,
    plan::node_ports::Assigned,
    problem::Problem,
    suite::{Endpoint, EndpointName, Suite, Workload},
    text::listed,
};

/// Names the protocol of ports: servers before 1.21 refuse a server-side apply of ports without it.
pub(super) fn name_protocols(ports: Option<&mut Value>) {
    let ports = ports.and_then(Value::as_array_mut).into_iter().flatten();
    for port in ports.filter_map(Value::as_object_mut) {
        port.entry("protocol").or_insert(json!("TCP"));
    }
}

/// Sets the NodePorts in a Service of a workload.
pub(super) fn set_node_ports(
    suite: &Suite,
    workload: &Workload,
    node_ports: &Assigned,
    service: &mut Value,
    problems: &mut Vec<Problem>,
) {
    let service_name = text_at(service, "/metadata/name").to_owned();
    let endpoints: Vec<_> = workload
        .endpoints()
        .filter(|(_, endpoint)| endpoint.service_of(&workload.name) == service_name)
        .collect();
    let mut reached = false;
    let ports = service.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        let mut planned = endpoints.iter().filter(|(_, endpoint)| is_port(port, &endpoint.port));
        if let Some((name, _)) = planned.next() {
            port["nodePort"] = json!(node_ports.of(suite, name.clone()));
            reached = true;
        } else if let Some(number) = port["nodePort"].as_u64() {
            problems.push(Problem::NodePortUnplanned {
                suite: suite.name.clone(),
                manifest: workload.manifest.clone(),
                service: service_name.clone(),
                port: text_at(port, "/name").to_owned(),
                node_port: number,
            });
        }
    }
    if reached {
        service["spec"]["type"] = json!("NodePort");
    }
}

/// Says which endpoints of a workload no Service among its objects has, or can have.
pub(super) fn check(
    suite: &Suite,
    workload: &Workload,
    objects: &[Value],
    problems: &mut Vec<Problem>,
) {
    let services = || objects.iter().filter(|object| object["kind"] == "Service");
    let mut known: Vec<(EndpointName, &Endpoint)> = Vec::new();
    for (name, endpoint) in workload.endpoints() {
        let service = endpoint.service_of(&workload.name);
        let found = services().find(|it| {
            text_at(it, "/metadata/name") == service
                && ports(it).any(|port| is_port(port, &endpoint.port))
        });
        let same = known.iter().find(|(first, other)| {
            let other = (other.service_of(&workload.name), &other.port);
            // Those of one name are a problem of their own.
            *first != name && other == (service, &endpoint.port)
        });
        // A server may have several databases.
        let same = same.filter(|(_, other)| !both_databases(other, endpoint));
        let (suite, manifest) = (suite.name.clone(), workload.manifest.clone());
        let port = endpoint.port.clone();
        problems.extend(match (found, same) {
            (None, _) => Some(Problem::Endpoint {
                suite,
                manifest,
                endpoint: name.to_string(),
                wanted: format!("Service `{service}` with a TCP port named `{port}`"),
                found: listed(services().map(words)),
            }),
            (Some(found), _) if found.pointer("/spec/clusterIP") == Some(&json!("None")) => {
                let (endpoint, service) = (name.clone(), service.to_owned());
                Some(Problem::Headless { suite, manifest, endpoint, service })
            }
            (Some(_), Some((first, _))) => {
                let (first, second) = (first.to_string(), name.to_string());
                Some(Problem::SamePort { suite, first, second, service: service.to_owned(), port })
            }
            (Some(_), None) => None,
        });
        known.push((name, endpoint));
    }
}

/// Whether they are two databases of one server.
fn both_databases(one: &Endpoint, other: &Endpoint) -> bool {
    match (one.database(), other.database()) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    }
}

fn ports(service: &Value) -> impl Iterator<Item = &Value> {
    service.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten()
}

/// Whether a port of a Service is meant by this name, or by this number because it has no name.
fn is_port(port: &Value, meant: &str) -> bool {
    text_at(port, "/protocol") == "TCP"
        && match text_at(port, "/name") {
            "" => port["port"].as_u64().is_some_and(|number| number.to_string() == meant),
            name => name == meant,
        }
}

/// A Service and the ports that an endpoint may name.
fn words(service: &Value) -> String {
    let tcp = ports(service).filter(|port| text_at(port, "/protocol") == "TCP");
    let ports: Vec<_> = tcp
        .map(|port| match text_at(port, "/name") {
            "" => port["port"].to_string(),
            name => name.to_owned(),
        })
        .collect();
    format!("`{}` with {ports:?}", text_at(service, "/metadata/name"))
}
