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
    if !config["nodes"].is_array() {
        config["nodes"] = json!([{"role": "control-plane"}]);
    }
    let mappings = ports.iter().map(|port| {
        json!({
            "containerPort": port.node_port,
            "hostPort": port.host_port.map_or(-1, i64::from),
            "listenAddress": LOOPBACK,
            "protocol": "TCP",
        })
    });
    config["nodes"][0]["extraPortMappings"] = mappings.collect();
    for node in config["nodes"].as_array_mut().into_iter().flatten() {
        let mount = json!({"hostPath": shared, "containerPath": "/kindwright"});
        match node["extraMounts"].as_array_mut() {
            Some(mounts) => mounts.push(mount),
            None => node["extraMounts"] = json!([mount]),
        }
    }
    config
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
