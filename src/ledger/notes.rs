//! What a run notes about itself beside its ledger, for `ps`, `env` and `--reuse`.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::error::{LedgerError, failed};

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
    /// Its clusters and where their kubeconfigs are.
    pub(crate) clusters: Vec<(String, PathBuf)>,
    /// How its services are reached.
    pub(crate) endpoints: Vec<NotedEndpoint>,
}

/// A NodePort of a run's cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotedEndpoint {
    pub(crate) suite: String,
    pub(crate) service: String,
    pub(crate) port: String,
    pub(crate) node_port: u16,
    /// Without a password.
    pub(crate) url: String,
    /// The variables by which foreign clients know it.
    #[serde(default)]
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
