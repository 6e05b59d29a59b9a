//! What kind is told: the project's configuration, and what only a run knows of it.

use std::{collections::HashMap, path::Path};

use serde_json::{Value, json};

use crate::plan::{ClusterName, PortMapping};

/// Where ports of nodes are bound: nobody but this machine may reach them.
pub(super) const LOOPBACK: &str = "127.0.0.1";

/// The whole configuration of a cluster whose nodes share a folder of this machine.
pub(super) fn complete(config: &Value, ports: &[PortMapping], shared: &Path) -> Value {
    let mut config = config.clone();
    config["networking"]["apiServerAddress"] = json!(LOOPBACK);
    // Docker chooses the port without a race; kind would look for a free one first.
    config["networking"]["apiServerPort"] = json!(-1);
    let ours = ports.iter().map(|port| {
        json!({
            "containerPort": port.node_port,
            "hostPort": port.host_port.map_or(-1, i64::from),
            "listenAddress": LOOPBACK,
            "protocol": "TCP",
        })
    });
    let mut nodes = config["nodes"].as_array_mut().into_iter().flatten();
    if let Some(node) = nodes.find(|node| node["role"] == "control-plane") {
        append(&mut node["extraPortMappings"], ours);
    }
    for node in config["nodes"].as_array_mut().into_iter().flatten() {
        let mount = json!({"hostPath": shared, "containerPath": "/kindwright"});
        append(&mut node["extraMounts"], [mount]);
    }
    config
}

/// Adds to a list that may not be there.
fn append(list: &mut Value, more: impl IntoIterator<Item = Value>) {
    match list.as_array_mut() {
        Some(list) => list.extend(more),
        None => *list = more.into_iter().collect(),
    }
}

/// The containers that will be the nodes of a cluster, as kind names them.
pub(super) fn node_names(name: &ClusterName, config: &Value) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let nodes = config["nodes"].as_array().map_or(&[][..], Vec::as_slice);
    let mut names = Vec::new();
    for node in nodes {
        let role = node["role"].as_str().unwrap_or("control-plane");
        let count = counts.entry(role).or_default();
        *count += 1;
        let number = if *count == 1 { String::new() } else { count.to_string() };
        names.push(format!("{name}-{role}{number}"));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_project_maps_is_kept_beside_our_ports_on_the_first_control_plane() {
        let own = json!({"containerPort": 80, "hostPort": 8080});
        let config = json!({"nodes": [
            {"role": "worker"},
            {"role": "control-plane", "extraPortMappings": [own]},
            {"role": "control-plane"},
        ]});
        let port = PortMapping { node_port: 30090, host_port: None };
        let nodes = &complete(&config, &[port], Path::new("/shared"))["nodes"];
        assert_eq!(nodes[0]["extraPortMappings"], Value::Null);
        let mappings = nodes[1]["extraPortMappings"].as_array().unwrap();
        assert_eq!(mappings[0], own);
        assert_eq!(
            (&mappings[1]["containerPort"], &mappings[1]["hostPort"]),
            (&json!(30090), &json!(-1))
        );
        assert_eq!(nodes[2]["extraPortMappings"], Value::Null);
        assert_eq!(nodes[2]["extraMounts"][0]["containerPath"], "/kindwright");
    }

    #[test]
    fn several_control_planes_are_counted_apart_from_workers() {
        let name = ClusterName::noted("kw-1".into());
        let roles = ["control-plane", "worker", "control-plane", "control-plane"];
        let config = json!({"nodes": roles.map(|role| json!({"role": role}))});
        assert_eq!(
            node_names(&name, &config),
            ["kw-1-control-plane", "kw-1-worker", "kw-1-control-plane2", "kw-1-control-plane3"]
        );
    }

    #[test]
    fn nodes_have_the_names_that_kind_gives_them() {
        let name = ClusterName::noted("kw-1".into());
        let config =
            json!({"nodes": [{"role": "control-plane"}, {"role": "worker"}, {"role": "worker"}]});
        assert_eq!(
            node_names(&name, &config),
            ["kw-1-control-plane", "kw-1-worker", "kw-1-worker2"]
        );
    }
}
