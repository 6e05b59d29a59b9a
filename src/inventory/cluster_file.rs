//! Reads kind's configuration, the project's own or ours, and says what it must be.

use std::path::Path;

use serde_json::{Value, json};

use crate::problem::Problem;

/// Where a project keeps it, from its root.
pub(super) const PATH: &str = "kind/cluster.yaml";

/// What it is where the project has none of its own.
pub(super) const DEFAULT: &str = include_str!("../../kind/cluster.yaml");

/// A port of a node that the project itself maps to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnMapping {
    pub(crate) container_port: u64,
    /// Unless Docker chooses it.
    pub(crate) host_port: Option<u64>,
}

/// The configuration in a text, with all nodes named that kind would add.
pub(super) fn parse(path: &Path, text: &str) -> Result<Value, Problem> {
    let mut config = serde_saphyr::from_str::<Value>(text)
        .map_err(|error| super::manifests::no_yaml(path, &error))?;
    check(path, &config)?;
    let nodes = &mut config["nodes"];
    if nodes.as_array().is_none_or(Vec::is_empty) {
        *nodes = json!([{}]);
    }
    for node in nodes.as_array_mut().into_iter().flatten() {
        if node["role"].is_null() {
            node["role"] = json!("control-plane");
        }
    }
    Ok(config)
}

/// The ports that a configuration maps on any of its nodes.
pub(super) fn mappings(config: &Value) -> impl Iterator<Item = OwnMapping> {
    let nodes = config["nodes"].as_array().into_iter().flatten();
    let mappings = nodes.filter_map(|node| node["extraPortMappings"].as_array()).flatten();
    mappings.filter_map(|mapping| {
        Some(OwnMapping {
            container_port: mapping["containerPort"].as_u64()?,
            host_port: mapping["hostPort"].as_u64().filter(|port| *port > 0),
        })
    })
}

/// Refuses what the runner could not add its own settings to.
fn check(path: &Path, config: &Value) -> Result<(), Problem> {
    let fail = |what: &str, expected: &'static str, found: &Value| {
        let (path, what, found) = (path.to_owned(), what.to_owned(), described(found));
        Err(Problem::ClusterFile { path, what, expected, found })
    };
    if !config.is_object() {
        return fail("the file", "a mapping with `kind: Cluster`", config);
    }
    if config["kind"] != "Cluster" {
        return fail("`kind`", "`Cluster`", &config["kind"]);
    }
    let version = &config["apiVersion"];
    if version.as_str().is_none_or(|version| !version.starts_with("kind.x-k8s.io/")) {
        return fail("`apiVersion`", "`kind.x-k8s.io/v1alpha4`", version);
    }
    let networking = &config["networking"];
    if !networking.is_null() && !networking.is_object() {
        return fail("`networking`", "a mapping", networking);
    }
    let nodes = &config["nodes"];
    if !nodes.is_null() && !nodes.is_array() {
        return fail("`nodes`", "a list of mappings", nodes);
    }
    let nodes = nodes.as_array().map_or(&[][..], Vec::as_slice);
    for (index, node) in nodes.iter().enumerate() {
        if !node.is_object() {
            return fail(&format!("`nodes[{index}]`"), "a mapping", node);
        }
        let role = &node["role"];
        if !role.is_null() && role != "control-plane" && role != "worker" {
            let what = format!("`nodes[{index}].role`");
            return fail(&what, "`control-plane` or `worker`", role);
        }
        for field in ["extraPortMappings", "extraMounts"] {
            let list = &node[field];
            let what = format!("`nodes[{index}].{field}`");
            if !list.is_null() && !list.is_array() {
                return fail(&what, "a list of mappings", list);
            }
            let entries = list.as_array().into_iter().flatten();
            if let Some(entry) = entries.into_iter().find(|entry| !entry.is_object()) {
                return fail(&format!("an entry of {what}"), "a mapping", entry);
            }
        }
    }
    if !nodes.is_empty() && nodes.iter().all(|node| node["role"] == "worker") {
        return fail("a role in `nodes`", "`control-plane`", &json!("worker"));
    }
    Ok(())
}

fn described(found: &Value) -> String {
    match found {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Bool(_) | Value::Number(_) => format!("`{found}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";

    fn read(text: &str) -> Result<Value, String> {
        parse(Path::new(PATH), text).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_file_that_is_no_configuration_of_a_cluster_is_refused_with_what_it_must_be() {
        let whole = "must be a mapping with `kind: Cluster`, but is";
        for (text, words) in [
            ("- kind: Cluster\n", format!("the file {whole} a list")),
            ("3\n", format!("the file {whole} `3`")),
            ("", format!("the file {whole} nothing")),
            ("kind: Pod\n", "`kind` must be `Cluster`, but is `Pod`".to_owned()),
            ("nodes: []\n", "`kind` must be `Cluster`, but is nothing".to_owned()),
            (
                "kind: Cluster\n",
                "`apiVersion` must be `kind.x-k8s.io/v1alpha4`, but is nothing".to_owned(),
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), format!("kind/cluster.yaml: {words}"), "{text}");
        }
    }

    #[test]
    fn a_part_that_the_runner_adds_to_is_refused_where_it_is_something_else() {
        for (rest, words) in [
            ("nodes: 3\n", "`nodes` must be a list of mappings, but is `3`"),
            ("nodes: [worker]\n", "`nodes[0]` must be a mapping, but is `worker`"),
            (
                "nodes: [{role: worker}]\n",
                "a role in `nodes` must be `control-plane`, but is `worker`",
            ),
            (
                "nodes: [{role: master}]\n",
                "`nodes[0].role` must be `control-plane` or `worker`, but is `master`",
            ),
            (
                "nodes: [{extraMounts: {}}]\n",
                "`nodes[0].extraMounts` must be a list of mappings, but is a mapping",
            ),
            (
                "nodes: [{extraPortMappings: [80]}]\n",
                "an entry of `nodes[0].extraPortMappings` must be a mapping, but is `80`",
            ),
            ("networking: [ipv6]\n", "`networking` must be a mapping, but is a list"),
        ] {
            let problem = read(&format!("{HEAD}{rest}")).unwrap_err();
            assert_eq!(problem, format!("kind/cluster.yaml: {words}"));
        }
    }

    #[test]
    fn a_cluster_has_a_control_plane_unless_it_says_otherwise() {
        for rest in ["", "nodes:\n", "nodes: []\n", "nodes: [{}]\n"] {
            let config = read(&format!("{HEAD}{rest}")).unwrap();
            assert_eq!(config["nodes"], json!([{"role": "control-plane"}]), "{rest}");
        }
    }

    #[test]
    fn the_default_is_a_configuration() {
        assert!(read(DEFAULT).is_ok());
    }

    #[test]
    fn the_projects_own_mappings_are_seen_on_every_node() {
        let config = json!({"nodes": [
            {"extraPortMappings": [{"containerPort": 80, "hostPort": 8080}]},
            {"extraPortMappings": [{"containerPort": 443, "hostPort": -1}]},
        ]});
        let own: Vec<_> = mappings(&config).collect();
        assert_eq!(
            own,
            [
                OwnMapping { container_port: 80, host_port: Some(8080) },
                OwnMapping { container_port: 443, host_port: None },
            ]
        );
    }
}
