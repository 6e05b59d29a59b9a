//! Gives Services their NodePorts, and checks that they have what endpoints name.

use serde_json::{Value, json};

use crate::{
    manifest::text_at,
    plan::node_ports::Assigned,
    problem::Problem,
    suite::{Suite, Workload},
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
    let name = text_at(service, "/metadata/name").to_owned();
    let mut reached = false;
    for port in
        service.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten()
    {
        let port_name = text_at(port, "/name").to_owned();
        let planned = workload
            .endpoints
            .iter()
            .find(|endpoint| endpoint.service == name && endpoint.port == port_name);
        if let Some(endpoint) = planned {
            port["nodePort"] = json!(node_ports.of(suite, endpoint));
            reached = true;
        } else if let Some(number) = port["nodePort"].as_u64() {
            problems.push(Problem::NodePortUnplanned {
                suite: suite.name.clone(),
                manifest: workload.manifest.clone(),
                service: name.clone(),
                port: port_name,
                node_port: number,
            });
        }
    }
    if reached {
        service["spec"]["type"] = json!("NodePort");
    }
}

/// Says which endpoints of a workload no Service among its objects has.
pub(super) fn check(
    suite: &Suite,
    workload: &Workload,
    objects: &[Value],
    problems: &mut Vec<Problem>,
) {
    let services = || objects.iter().filter(|object| object["kind"] == "Service");
    let ports = |service: &Value| -> Vec<String> {
        let ports = service.pointer("/spec/ports").and_then(Value::as_array);
        let ports = ports.into_iter().flatten();
        ports.map(|port| text_at(port, "/name").to_owned()).collect()
    };
    for endpoint in &workload.endpoints {
        let found = services().any(|service| {
            text_at(service, "/metadata/name") == endpoint.service
                && ports(service).contains(&endpoint.port)
        });
        if found {
            continue;
        }
        let found: Vec<_> = services()
            .map(|service| {
                format!("`{}` with {:?}", text_at(service, "/metadata/name"), ports(service))
            })
            .collect();
        problems.push(Problem::Endpoint {
            suite: suite.name.clone(),
            manifest: workload.manifest.clone(),
            service: endpoint.service.clone(),
            port: endpoint.port.clone(),
            found: if found.is_empty() { "none".into() } else { found.join(", ") },
        });
    }
}
