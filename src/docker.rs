//! Finds the Docker daemon once, for the API client and for kind alike.

use std::path::Path;

use bollard::{API_DEFAULT_VERSION, Docker, errors::Error};
use thiserror::Error;

use crate::{
    exec::{Command, ExecError},
    text::chain,
};

/// How long one request to the daemon may take, in seconds.
const TIMEOUT: u64 = 300;

/// What must be free on the disk of the daemon, in MiB: a HAPI run takes 700, and a node whose
/// disk is full does not fail, it waits.
const ROOM: u64 = 1024;

/// Where the daemon listens, as `DOCKER_HOST` writes it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Endpoint(String);

/// Why there is no Docker daemon.
#[derive(Debug, Error)]
pub(crate) enum DockerError {
    /// The command line tool is missing or has no context.
    #[error("ask `docker` for its current context")]
    Context(#[source] ExecError),
    /// The endpoint is of a kind that cannot be used.
    #[error(
        "the Docker endpoint `{0}` is neither unix:// nor tcp://; set DOCKER_HOST to one that is"
    )]
    Unsupported(String),
    /// The daemon does not answer.
    #[error("{}", silent(endpoint, source))]
    Silent {
        /// Where it was looked for.
        endpoint: String,
        /// What happened instead.
        source: Error,
    },
    /// A run would fill its disk.
    #[error(
        "only {free} MiB are free where Docker keeps its data ({directory}), and a run needs {ROOM}; `docker system df` shows what takes the space"
    )]
    Full {
        /// Where its data is.
        directory: String,
        /// What is free, in MiB.
        free: u64,
    },
}

impl Endpoint {
    /// `DOCKER_HOST`, else the endpoint of Docker's current context.
    pub(crate) async fn resolve(docker_host: Option<&str>) -> Result<Self, DockerError> {
        if let Some(host) = docker_host {
            return Ok(Self(host.to_owned()));
        }
        let context = Command::new("docker")
            .args(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
            .output()
            .await
            .map_err(DockerError::Context)?;
        Ok(Self(context.trim().to_owned()))
    }

    /// No endpoint yet.
    pub(crate) fn unknown() -> Self {
        Self(String::new())
    }

    /// The endpoint as `DOCKER_HOST` takes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A client of the daemon, which has answered once.
    pub(crate) async fn connect(&self) -> Result<Docker, DockerError> {
        let client = if let Some(path) = self.0.strip_prefix("unix://") {
            Docker::connect_with_unix(path, TIMEOUT, API_DEFAULT_VERSION)
        } else if self.0.starts_with("tcp://") {
            Docker::connect_with_http(&self.0, TIMEOUT, API_DEFAULT_VERSION)
        } else {
            return Err(DockerError::Unsupported(self.0.clone()));
        };
        let silent = |source| DockerError::Silent { endpoint: self.0.clone(), source };
        client.map_err(silent)?.negotiate_version().await.map_err(silent)
    }

    /// Fails if the disk of the daemon is almost full. Of another machine's nothing is known.
    pub(crate) async fn has_room(&self, docker: &Docker) -> Result<(), DockerError> {
        let silent = |source| DockerError::Silent { endpoint: self.0.clone(), source };
        let directory = docker.info().await.map_err(silent)?.docker_root_dir.unwrap_or_default();
        match free(Path::new(&directory)) {
            Some(free) if self.0.starts_with("unix://") && free < ROOM => {
                Err(DockerError::Full { directory, free })
            }
            _ => Ok(()),
        }
    }
}

/// Whether the daemon says that there is no such thing.
pub(crate) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// What is free where a directory is, in MiB; nothing if it is not on this machine.
fn free(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize) >> 20)
}

fn silent(endpoint: &str, source: &Error) -> String {
    let next = if chain(source).contains("ermission denied") {
        "may this user open the socket? (`sudo usermod -aG docker $USER`, then log in again)"
    } else if endpoint.starts_with("tcp://") {
        "is it the right one? (`docker context ls` shows others, DOCKER_HOST overrides them)"
    } else {
        "is Docker running? (`sudo systemctl start docker`, or `make setup`)"
    };
    format!("the Docker daemon at {endpoint} does not answer; {next}")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn said(endpoint: &str, kind: io::ErrorKind) -> String {
        silent(endpoint, &Error::IOError { err: io::Error::from(kind) })
    }

    #[test]
    fn the_next_step_fits_the_reason() {
        let socket = "unix:///var/run/docker.sock";
        assert!(said(socket, io::ErrorKind::PermissionDenied).contains("usermod"));
        assert!(said(socket, io::ErrorKind::NotFound).contains("systemctl start docker"));
        let remote = said("tcp://10.0.0.1:2375", io::ErrorKind::ConnectionRefused);
        assert!(remote.contains("docker context ls"), "{remote}");
    }

    #[test]
    fn what_is_free_is_known_of_this_machine_only() {
        assert!(free(Path::new("/")).is_some());
        assert_eq!(free(Path::new("/no/such/place")), None);
    }
}
