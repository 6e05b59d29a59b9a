//! Creates a cluster through the `kind` command, with a network and a kubeconfig of its own.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use bollard::{Docker, models::NetworkCreateRequest};
use serde_json::Value;

use super::{config, files::Files};
use crate::{
    cluster::error::ClusterError,
    docker::Endpoint,
    events::Events,
    exec::{Command, ExecError},
    ledger,
    plan::{ClusterName, PortMapping},
    seed::RunId,
};

/// The oldest kind whose nodes take `hostPort: -1` and today's containerd configuration.
const OLDEST: (u32, u32) = (0, 20);

/// How long kind may take, with a node image that must be pulled.
const CREATE: Duration = Duration::from_mins(15);

/// What kind says when it has failed for a reason that lies in no machine and no project, and that
/// the next try does not meet: all the texts of one row.
const PASSING: [&[&str]; 1] = [
    // kubeadm taints the only node, and then kind takes the taint away. On a busy machine it is now
    // and then gone by itself: seen once in fifty, and reported as kind's issues 3064 and 4058. The
    // same step fails for lasting reasons too, with other words of kubectl.
    &[
        "failed to remove control plane taint",
        "error: taint \"node-role.kubernetes.io/",
        "\" not found",
    ],
];

/// A cluster to be created: what it is, and where.
pub(super) struct Creation<'a> {
    pub(super) docker: &'a Docker,
    pub(super) endpoint: &'a Endpoint,
    pub(super) run: &'a RunId,
    pub(super) events: &'a Events,
    pub(super) files: &'a Files,
    pub(super) name: &'a ClusterName,
    pub(super) node_image: Option<&'a str>,
    pub(super) ports: &'a [PortMapping],
    pub(super) config: &'a Value,
}

/// Checks that kind is there and recent enough.
pub(super) async fn check_kind() -> Result<(), ClusterError> {
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

impl Creation<'_> {
    /// Creates it. What fails stays, so that its nodes can be asked why.
    pub(super) async fn carry_out(&self) -> Result<(), ClusterError> {
        let slow = |_| ClusterError::Slow { name: self.name.to_string(), limit: CREATE };
        tokio::time::timeout(CREATE, self.create()).await.map_err(slow)?
    }

    async fn create(&self) -> Result<(), ClusterError> {
        let shared = self.files.shared();
        shared_folder(&shared).map_err(unwritten(&shared))?;
        let path = self.files.config();
        // JSON is YAML, and kind reads it.
        let config = config::complete(self.config, self.ports, &shared).to_string();
        fs::write(&path, config).map_err(unwritten(&path))?;
        let path = self.files.words();
        let mut words = private(&path).map_err(unwritten(&path))?;
        create_network(self.docker, self.name, self.run).await?;
        let show = |line: &str| {
            // What cannot be written is told with the error.
            let _ = writeln!(words, "{line}");
            if let Some(step) = step(line) {
                self.events.waits(self.name.as_str(), step);
            }
        };
        self.command().watched(show).await.map(drop).map_err(|source| ClusterError::Create {
            name: self.name.to_string(),
            hint: hint(&source),
            source,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("kind")
            // Without `--retain` kind deletes the nodes that could say why it failed.
            .args(["create", "cluster", "--retain", "--name"])
            .arg(self.name)
            .arg("--config")
            .path(&self.files.config())
            .arg("--kubeconfig")
            .path(&self.files.kubeconfig());
        if let Some(image) = self.node_image {
            command = command.arg("--image").arg(image);
        }
        command
            // Otherwise kind leaves a network behind that all its clusters share.
            .env("KIND_EXPERIMENTAL_DOCKER_NETWORK", self.name.as_str())
            .env("KIND_EXPERIMENTAL_PROVIDER", "docker")
            .env("DOCKER_HOST", self.endpoint.as_str())
            .env(ledger::MARK, self.run.as_str())
    }
}

/// What kind said, if it failed for a reason that is proven to pass.
pub(super) fn passing(error: &ClusterError) -> Option<&str> {
    let ClusterError::Create { source: ExecError::Failed { tail, .. }, .. } = error else {
        return None;
    };
    let said = |row: &&[&str]| row.iter().all(|text| tail.contains(text));
    PASSING.iter().any(said).then(|| tail.lines().last()).flatten()
}

// Services in the cluster write here under users of their own; only this user reaches it from outside.
fn shared_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o777).create(path)?;
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777))
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)
}

fn unwritten(path: &Path) -> impl Fn(io::Error) -> ClusterError {
    move |source| ClusterError::File { path: path.to_owned(), source }
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
        " (is KIND_NODE_IMAGE right, and its registry reachable? it may name a node image that the Docker daemon has)"
    } else if tail.contains("unable to apply caps") || tail.contains("operation not permitted") {
        " (this machine refuses privileged containers, which nodes of kind are; rootless Docker and sandboxes do that)"
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

    fn failed(tail: &str) -> ClusterError {
        let status = std::os::unix::process::ExitStatusExt::from_raw(256);
        let (command, tail) = ("kind create cluster".to_owned(), tail.to_owned());
        let source = ExecError::Failed { command, status, tail };
        ClusterError::Create { name: "kw-1".to_owned(), hint: "", source }
    }

    #[test]
    fn a_taint_that_is_not_there_passes_and_what_else_that_step_says_does_not() {
        let step = "ERROR: failed to create cluster: failed to remove control plane taint: command \
                    \"docker exec --privileged kw-1-control-plane kubectl taint nodes --all \
                    node-role.kubernetes.io/master-\" failed with error: exit status 1\n\
                    Command Output: ";
        for taint in ["master", "control-plane"] {
            let words = format!("{step}error: taint \"node-role.kubernetes.io/{taint}\" not found");
            assert!(passing(&failed(&words)).is_some(), "{words}");
        }
        for lasting in [
            "error: stat /etc/kubernetes/admin.conf: no such file or directory",
            "The connection to the server kw-1-control-plane:6443 was refused",
            "error: timed out waiting for the condition: context deadline exceeded",
        ] {
            assert_eq!(passing(&failed(&format!("{step}{lasting}"))), None, "{lasting}");
        }
        let elsewhere = "error: taint \"node-role.kubernetes.io/master\" not found";
        assert_eq!(passing(&failed(elsewhere)), None);
    }
}
