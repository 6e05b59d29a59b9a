//! Creates a cluster through the `kind` command, with a network and a kubeconfig of its own.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use bollard::{Docker, models::NetworkCreateRequest};
use serde_json::Value;

use super::{Cluster, ClusterError, with_shared_folder};
use crate::{
    docker,
    exec::{Command, ExecError},
    janitor,
    ledger::{Ledger, Undo},
    plan::ClusterName,
    report::Progress,
    seed::RunId,
};

/// The oldest kind whose nodes take `hostPort: -1` and today's containerd configuration.
const OLDEST: (u32, u32) = (0, 20);

/// Checks that kind is there and recent enough.
pub(crate) async fn check_kind() -> Result<(), ClusterError> {
    let words = Command::new("kind").arg("version").output().await.map_err(ClusterError::Kind)?;
    // "kind v0.27.0 go1.24.4 linux/amd64"
    let found = words.split_whitespace().nth(1).unwrap_or_default().trim_start_matches('v');
    let mut numbers = found.split('.').map_while(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) < OLDEST => Err(ClusterError::Old {
            found: found.to_owned(),
            needed: format!("{}.{}", OLDEST.0, OLDEST.1),
        }),
        _ => Ok(()),
    }
}

/// The containers that will be the nodes of a cluster, as kind names them.
pub(crate) fn node_names(name: &ClusterName, config: &Value) -> Vec<String> {
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

/// What `create` needs beside the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means<'a> {
    pub(crate) docker: &'a Docker,
    pub(crate) endpoint: &'a docker::Endpoint,
    pub(crate) ledger: &'a Ledger,
    pub(crate) run: &'a RunId,
    pub(crate) progress: &'a Progress,
}

/// Creates the cluster `name`, noting first what must be undone.
pub(crate) async fn create(
    means: Means<'_>,
    name: &ClusterName,
    node_image: Option<&str>,
    config: &Value,
) -> Result<Cluster, ClusterError> {
    let Means { docker, endpoint, ledger, run, progress } = means;
    let directory = ledger.directory();
    let shared = directory.join(format!("{name}.shared"));
    let config_path = directory.join(format!("{name}.yaml"));
    let kubeconfig = kubeconfig_path(directory, name);
    shared_folder(&shared)?;
    // JSON is YAML, and kind reads it.
    let text = with_shared_folder(config, &shared).to_string();
    fs::write(&config_path, text)
        .map_err(|source| ClusterError::File { path: config_path.clone(), source })?;
    let promise = |undo| ledger.promise(undo).map_err(ClusterError::Ledger);
    promise(Undo::Network { name: name.to_string() })?;
    promise(Undo::Cluster { name: name.to_string() })?;
    create_network(docker, name, run).await?;
    let mut command = Command::new("kind")
        .args(["create", "cluster", "--name"])
        .arg(name)
        .arg("--config")
        .path(&config_path)
        .arg("--kubeconfig")
        .path(&kubeconfig);
    if let Some(image) = node_image {
        command = command.arg("--image").arg(image);
    }
    command
        // Otherwise kind leaves a network behind that all its clusters share.
        .env("KIND_EXPERIMENTAL_DOCKER_NETWORK", name.as_str())
        .env("KIND_EXPERIMENTAL_PROVIDER", "docker")
        .env("DOCKER_HOST", endpoint.as_str())
        .env(janitor::MARK, run.as_str())
        .watched(|line| step(line).into_iter().for_each(|step| progress.seen(name.as_str(), step)))
        .await
        .map_err(|source| ClusterError::Create {
            name: name.to_string(),
            hint: hint(&source),
            source,
        })?;
    Cluster::connect(docker, name, node_names(name, config), kubeconfig).await
}

/// Where the kubeconfig of a cluster is.
pub(crate) fn kubeconfig_path(directory: &Path, name: &ClusterName) -> PathBuf {
    directory.join(format!("{name}.kubeconfig"))
}

// Services in the cluster write here under users of their own; only this user reaches it from outside.
fn shared_folder(path: &Path) -> Result<(), ClusterError> {
    let fail = |source| ClusterError::File { path: path.to_owned(), source };
    DirBuilder::new().mode(0o777).create(path).map_err(fail)?;
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(path, open).map_err(fail)
}

async fn create_network(
    docker: &Docker,
    name: &ClusterName,
    run: &RunId,
) -> Result<(), ClusterError> {
    let request = NetworkCreateRequest {
        name: name.to_string(),
        driver: Some("bridge".to_owned()),
        labels: Some(HashMap::from([("kindwright/run".to_owned(), run.to_string())])),
        ..NetworkCreateRequest::default()
    };
    docker.create_network(request).await.map(drop).map_err(|source| ClusterError::Docker {
        what: "create the network",
        name: name.to_string(),
        source: Box::new(source),
    })
}

/// The step that kind begins, from a line as ` • Starting control-plane 🕹️  ...`.
fn step(line: &str) -> Option<&str> {
    let step = line.trim().strip_prefix('•')?;
    Some(step.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != ')'))
}

fn hint(error: &ExecError) -> &'static str {
    let ExecError::Failed { tail, .. } = error else {
        return "";
    };
    if tail.contains("failed to pull image") {
        " (is KIND_NODE_IMAGE right, and its registry reachable? `make setup` makes a node image without one)"
    } else if tail.contains("unable to apply caps") || tail.contains("operation not permitted") {
        " (this machine refuses privileged containers; `make setup` tells whether that can be helped)"
    } else if tail.contains("no space left") {
        " (the disk is full; `docker system df` shows what takes it)"
    } else if tail.contains("port is already allocated") || tail.contains("address already in use")
    {
        " (a fixed host port is taken; stop its owner, or leave KINDWRIGHT_HOST_PORTS unset)"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_of_kind_is_shown_without_its_ornaments() {
        assert_eq!(step(" • Starting control-plane 🕹️  ..."), Some("Starting control-plane"));
        assert_eq!(step(" ✓ Starting control-plane 🕹️"), None);
        assert_eq!(step("You can now use your cluster with:"), None);
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
