//! Finds the Docker daemon once, for the API client and for kind alike.

use std::{net::Ipv4Addr, path::Path};

use bollard::{API_DEFAULT_VERSION, Docker, errors::Error};
use thiserror::Error;
use url::{Host, Url};

use crate::{
    exec::{Command, ExecError},
    text::chain,
};

/// How long one request to the daemon may take, in seconds.
const TIMEOUT: u64 = 300;

/// What a cluster takes on the disk of the daemon beside the images of its suites, in bytes: a bare one
/// has 400 MiB, and services write too. A node whose disk is full does not fail, it waits.
const CLUSTER: u64 = 768 << 20;

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
    /// The daemon is not on this machine.
    #[error(
        "the Docker endpoint `{0}` is not on this machine's loopback, and the ports of a Kind cluster are on the loopback of its daemon's machine only; use a daemon of this machine (DOCKER_HOST=unix:///var/run/docker.sock; `docker context ls` shows others)"
    )]
    Remote(String),
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
        "only {free} MiB are free where Docker keeps its data ({directory}), and this run needs about {needed}, {images} of them for its images; `docker system df` shows what takes the space"
    )]
    Full {
        /// Where its data is.
        directory: String,
        /// What is free, in MiB.
        free: u64,
        /// What the run needs, in MiB.
        needed: u64,
        /// What its images need of it, in MiB.
        images: u64,
    },
}

impl Endpoint {
    /// `DOCKER_HOST`, else the endpoint of Docker's current context; one of this machine.
    pub(crate) async fn resolve(docker_host: Option<&str>) -> Result<Self, DockerError> {
        if let Some(host) = docker_host {
            return Self::of(host);
        }
        let context = Command::new("docker")
            .args(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
            .output()
            .await
            .map_err(DockerError::Context)?;
        Self::of(context.trim())
    }

    fn of(endpoint: &str) -> Result<Self, DockerError> {
        if endpoint.starts_with("tcp://") && !is_loopback(endpoint) {
            return Err(DockerError::Remote(endpoint.to_owned()));
        }
        Ok(Self(endpoint.to_owned()))
    }

    /// No endpoint yet.
    pub(crate) fn unknown() -> Self {
        Self(String::new())
    }

    /// The endpoint as `DOCKER_HOST` takes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A client of the daemon, which has answered once. It never uses a proxy.
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

    /// Fails if the disk of the daemon has no room for so many clusters and so many bytes of images.
    pub(crate) async fn has_room(
        &self,
        docker: &Docker,
        clusters: u64,
        images: u64,
    ) -> Result<(), DockerError> {
        let silent = |source| DockerError::Silent { endpoint: self.0.clone(), source };
        let directory = docker.info().await.map_err(silent)?.docker_root_dir.unwrap_or_default();
        match free(Path::new(&directory)) {
            Some(free) => fits(directory, free, clusters, images),
            None => Ok(()),
        }
    }
}

/// Compares what is free with what is needed, all in bytes.
fn fits(directory: String, free: u64, clusters: u64, images: u64) -> Result<(), DockerError> {
    let needed = clusters.saturating_mul(CLUSTER).saturating_add(images);
    if free >= needed {
        return Ok(());
    }
    let [free, needed, images] = [free, needed, images].map(|bytes| bytes >> 20);
    Err(DockerError::Full { directory, free, needed, images })
}

/// Whether an address is this machine's own, whatever its network.
pub(crate) fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse().is_ok_and(|own: Ipv4Addr| own.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether the daemon says that there is no such thing.
pub(crate) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// What is free where a directory is, in bytes; nothing if it is not on this machine.
fn free(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn silent(endpoint: &str, source: &Error) -> String {
    let next = if chain(source).contains("ermission denied") {
        "may this user open the socket? (`sudo usermod -aG docker $USER`, then log in again)"
    } else if endpoint.starts_with("tcp://") {
        "is it the right one? (`docker context ls` shows others, DOCKER_HOST overrides them)"
    } else {
        "is Docker running? (`sudo systemctl start docker`; DOCKER_HOST names another daemon)"
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
        let port = said("tcp://127.0.0.1:2375", io::ErrorKind::ConnectionRefused);
        assert!(port.contains("docker context ls"), "{port}");
    }

    #[test]
    fn a_daemon_of_another_machine_is_refused_with_the_reason() {
        for remote in ["tcp://10.0.0.1:2375", "tcp://[fe80::1]:2375", "tcp://docker", "tcp://"] {
            let error = Endpoint::of(remote).unwrap_err().to_string();
            assert!(error.contains(remote) && error.contains("DOCKER_HOST=unix://"), "{error}");
        }
        for own in [
            "unix:///var/run/docker.sock",
            "tcp://127.0.0.1:2375",
            "tcp://127.0.0.2",
            "tcp://localhost:2375/",
            "tcp://[::1]",
        ] {
            assert!(Endpoint::of(own).is_ok(), "{own}");
        }
    }

    #[test]
    fn a_run_that_would_fill_the_disk_is_refused_with_both_numbers() {
        let fits = |free: u64| fits("/var/lib/docker".to_owned(), free << 20, 2, 1000 << 20);
        let words = fits(2535).unwrap_err().to_string();
        assert!(words.starts_with("only 2535 MiB are free"), "{words}");
        assert!(words.contains("needs about 2536, 1000 of them for its images"), "{words}");
        assert!(fits(2536).is_ok());
    }

    #[test]
    fn what_is_free_is_known_of_this_machine_only() {
        assert!(free(Path::new("/")).is_some());
        assert_eq!(free(Path::new("/no/such/place")), None);
    }
}
