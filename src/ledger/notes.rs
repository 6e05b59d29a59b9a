//! What a run notes about itself beside its ledger, for `ps`, `env` and `--reuse`.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::error::{LedgerError, failed};
use crate::suite::EndpointName;

const NOTES: &str = "run.json";

/// What people and later runs want to know of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// The project's root.
    pub(crate) project: PathBuf,
    /// The process.
    pub(crate) process: u32,
    /// When it began, in seconds since 1970.
    pub(crate) began: u64,
    /// The selected suites.
    pub(crate) suites: Vec<String>,
    /// Its clusters.
    pub(crate) clusters: Vec<NotedCluster>,
    /// How its services are reached.
    pub(crate) endpoints: Vec<NotedEndpoint>,
}

/// A cluster of a run, and what it was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotedCluster {
    pub(crate) name: String,
    pub(crate) kubeconfig: PathBuf,
    /// The suites that it holds.
    #[serde(default)]
    pub(crate) suites: Vec<String>,
    /// The node image that was asked for.
    #[serde(default)]
    pub(crate) node_image: Option<String>,
    /// A checksum of its configuration.
    #[serde(default)]
    pub(crate) config: String,
    /// The NodePorts that lead out of it.
    #[serde(default)]
    pub(crate) node_ports: Vec<u16>,
}

/// A NodePort of a run's cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotedEndpoint {
    pub(crate) suite: String,
    #[serde(flatten)]
    pub(crate) name: EndpointName,
    pub(crate) node_port: u16,
    /// `host:port`.
    pub(crate) address: String,
    /// Without a password; none if what it speaks has no URLs.
    pub(crate) url: Option<String>,
    /// The variables by which foreign clients know it.
    pub(crate) variables: Vec<String>,
}

impl Notes {
    /// Writes them into a run's directory, whole or not at all.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), LedgerError> {
        let path = directory.join(NOTES);
        let draft = directory.join("run.json.new");
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| failed("write", &path)(error.into()))?;
        fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(failed("write", &path))
    }

    /// Reads them; a run that died early has none.
    pub(crate) fn read(directory: &Path) -> Self {
        fs::read(directory.join(NOTES))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_a_run_of_before_are_read_without_what_it_did_not_note() {
        let noted: NotedCluster =
            serde_json::from_str(r#"["kw-1", "/k/kw-1.kubeconfig"]"#).unwrap();
        let known = NotedCluster {
            name: "kw-1".to_owned(),
            kubeconfig: PathBuf::from("/k/kw-1.kubeconfig"),
            ..NotedCluster::default()
        };
        assert_eq!(noted, known);
    }
}
