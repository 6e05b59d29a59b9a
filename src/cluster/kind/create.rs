//! Creates a cluster through the `kind` command, with a network and a kubeconfig of its own.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use bollard::{Docker, models::NetworkCreateRequest};
use serde_json::Value;

use super::{Kind, config, kubeconfig_path};
use crate::{
    cluster::ClusterError,
    exec::{Command, ExecError},
    ledger::{self, Undo},
    plan::{ClusterName, PortMapping},
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

impl Kind {
    /// Creates the cluster `name`, noting first what must be undone.
    pub(super) async fn create(
        &self,
        name: &ClusterName,
        node_image: Option<&str>,
        ports: &[PortMapping],
        config: &Value,
    ) -> Result<(), ClusterError> {
        let directory = self.ledger.directory();
        let shared = directory.join(format!("{name}.shared"));
        let config_path = directory.join(format!("{name}.yaml"));
        shared_folder(&shared)?;
        // JSON is YAML, and kind reads it.
        let text = config::complete(config, ports, &shared).to_string();
        fs::write(&config_path, text)
            .map_err(|source| ClusterError::File { path: config_path.clone(), source })?;
        let promise = |undo| self.ledger.promise(undo).map_err(ClusterError::Ledger);
        promise(Undo::Network { name: name.to_string() })?;
        promise(Undo::Cluster { name: name.to_string() })?;
        create_network(&self.docker, name, &self.run).await?;
        let mut command = Command::new("kind")
            .args(["create", "cluster", "--name"])
            .arg(name)
            .arg("--config")
            .path(&config_path)
            .arg("--kubeconfig")
            .path(&kubeconfig_path(directory, name));
        if let Some(image) = node_image {
            command = command.arg("--image").arg(image);
        }
        let show = |line: &str| {
            step(line).into_iter().for_each(|step| self.events.waits(name.as_str(), step));
        };
        command
            // Otherwise kind leaves a network behind that all its clusters share.
            .env("KIND_EXPERIMENTAL_DOCKER_NETWORK", name.as_str())
            .env("KIND_EXPERIMENTAL_PROVIDER", "docker")
            .env("DOCKER_HOST", self.endpoint.as_str())
            .env(ledger::MARK, self.run.as_str())
            .watched(show)
            .await
            .map(drop)
            .map_err(|source| ClusterError::Create {
                name: name.to_string(),
                hint: hint(&source),
                source,
            })
    }
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
    use super::*;

    #[test]
    fn a_step_of_kind_is_shown_without_its_ornaments() {
        assert_eq!(step(" • Starting control-plane 🕹️  ..."), Some("Starting control-plane"));
        assert_eq!(step(" ✓ Starting control-plane 🕹️"), None);
        assert_eq!(step("You can now use your cluster with:"), None);
    }
}
