//! Gives a NodePort to each port that no endpoint reaches, but that gets one: otherwise the server draws one, which may be
//! that of an endpoint of a suite that comes later.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde_json::{Value, json};

use super::{
    SuitePlan,
    node_ports::{Assigned, RANGE},
};
use crate::manifest::text_at;

/// A port of a Service: its namespace, its name, the number and the protocol.
type Key = (String, String, u64, String);

/// Fills the Services of suites that share a cluster. A port keeps its number as long as no other one is in its way, so
/// that a kept cluster has it already.
pub(super) fn fill(node_ports: &Assigned, suites: &mut [SuitePlan]) {
    let mut taken = node_ports.reserved.clone();
    let services = |suite: &SuitePlan| -> Vec<u16> {
        let ports = suite.objects().filter_map(|object| object.pointer("/spec/ports")?.as_array());
        let numbers = ports.flatten().filter_map(|port| port["nodePort"].as_u64());
        numbers.filter_map(|number| u16::try_from(number).ok()).collect()
    };
    taken.extend(suites.iter().flat_map(services));
    let mut drawn = BTreeMap::new();
    for service in suites.iter_mut().flat_map(SuitePlan::objects_mut).filter(|it| has_some(it)) {
        let of =
            ["/metadata/namespace", "/metadata/name"].map(|at| text_at(service, at).to_owned());
        let ports = service.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter(|port| port["nodePort"].is_null()) {
            let ([namespace, name], number) =
                (of.clone(), port["port"].as_u64().unwrap_or_default());
            let key = (namespace, name, number, text_at(port, "/protocol").to_owned());
            let known = drawn.get(&key).copied();
            if let Some(number) = known.or_else(|| draw(&key, &mut taken)) {
                port["nodePort"] = json!(number);
                drawn.insert(key, number);
            }
        }
    }
}

/// Whether each port of an object gets a NodePort.
fn has_some(object: &Value) -> bool {
    object["kind"] == "Service"
        && match text_at(object, "/spec/type") {
            "NodePort" => true,
            "LoadBalancer" => object["spec"]["allocateLoadBalancerNodePorts"] != false,
            _ => false,
        }
}

fn draw(key: &Key, taken: &mut BTreeSet<u16>) -> Option<u16> {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let all: Vec<_> = RANGE.collect();
    let from = usize::try_from(hasher.finish() % u64::try_from(all.len()).ok()?).ok()?;
    all.iter().cycle().skip(from).take(all.len()).copied().find(|number| taken.insert(*number))
}
