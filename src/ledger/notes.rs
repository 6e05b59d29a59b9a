//! What a run notes about itself beside its ledger, for `ps`, `env` and `--reuse`.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{End, LedgerError, Record, failed, lock, read};
use crate::seed::RunId;

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
    pub(crate) endpoints: Vec<KeptEndpoint>,
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
pub(crate) struct KeptEndpoint {
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

/// Whether a run is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs.
    Running,
    /// It ended, and its cluster was left for the user.
    Kept,
    /// It is gone without having undone everything.
    Dead,
}

/// A run that has a directory.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) run: RunId,
    pub(crate) directory: PathBuf,
    pub(crate) state: State,
    pub(crate) record: Record,
    pub(crate) notes: Notes,
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

/// All runs that have a directory below `state`, in the order of their names.
pub(crate) fn found(state: &Path) -> Result<Vec<Found>, LedgerError> {
    let mut runs = Vec::new();
    let entries = match fs::read_dir(state) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(runs),
        Err(error) => return Err(failed("read", state)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed("read", state))?;
        let name = entry.file_name();
        let Some(run) = name.to_str().and_then(|name| name.parse::<RunId>().ok()) else {
            continue;
        };
        let directory = entry.path();
        let alive = match lock(&directory) {
            Ok(lock) => lock.try_lock_shared().is_err(),
            // It ended at this moment.
            Err(_) if !directory.exists() => continue,
            Err(error) => return Err(error),
        };
        // A directory without a ledger belongs to a run that had not begun; one that cannot be read
        // is no reason not to see the others.
        let unknown =
            || Record { docker: crate::docker::Endpoint::unknown(), undo: Vec::new(), end: None };
        let record = read(&directory).unwrap_or_else(|_| unknown());
        let state = match (alive, record.end) {
            (true, _) => State::Running,
            (false, Some(End::Kept)) => State::Kept,
            (false, Some(End::Closed) | None) => State::Dead,
        };
        runs.push(Found { run, notes: Notes::read(&directory), directory, state, record });
    }
    runs.sort_by(|a, b| a.run.cmp(&b.run));
    Ok(runs)
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
