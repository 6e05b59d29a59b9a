//! Remembers what must be undone: an append-only file of promises.
//!
//! A promise is synced to disk *before* its effect begins, so a run that dies
//! half-way through creating a cluster has still said so. Undoing is therefore
//! idempotent: it succeeds where there is nothing to undo. A held file lock is
//! the run's sign of life.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

mod error;
mod lock;
mod notes;
mod record;
mod runs;
mod undo;

pub(crate) use error::LedgerError;
pub(crate) use lock::{inherit, take};
pub(crate) use notes::{NotedCluster, NotedEndpoint, Notes};
pub(crate) use record::{Record, read};
pub(crate) use runs::{Found, Liveness, Runs, found};
pub(crate) use undo::Undo;

use crate::{docker, seed::RunId};
use error::failed;
use record::{LEDGER, Line};

/// The variable that marks every child of a run, so that it can be found when the run is gone.
pub(crate) const MARK: &str = "KINDWRIGHT_RUN";

/// The ledger of a run that is alive, which is this process.
#[derive(Debug)]
pub(crate) struct Ledger {
    directory: PathBuf,
    file: Mutex<File>,
    // Held until the process ends or the ledger is dropped.
    _lock: File,
}

impl Ledger {
    /// Begins the ledger of `run` in a new private directory below `state`.
    pub(crate) fn begin(
        state: &Path,
        run: &RunId,
        docker: &docker::Endpoint,
    ) -> Result<Self, LedgerError> {
        let directory = state.join(run.as_str());
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(state).map_err(failed("create", state))?;
        builder.recursive(false);
        builder.create(&directory).map_err(failed("create", &directory))?;
        let lock = lock::hold(&directory)?;
        let path = directory.join(LEDGER);
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("create", &path))?;
        let ledger = Self { directory, file: Mutex::new(file), _lock: lock };
        ledger.write(&Line::Begun(docker.clone()))?;
        Ok(ledger)
    }

    /// Where the run's own files are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Promises that `undo` will be done. Call it before the effect.
    pub(crate) fn promise(&self, undo: Undo) -> Result<(), LedgerError> {
        self.write(&Line::Promised(undo))
    }

    /// Notes that everything was undone.
    pub(crate) fn close(&self) -> Result<(), LedgerError> {
        self.write(&Line::Closed)
    }

    /// Notes that the rest is the user's from now on; if it cannot be noted, it is not kept.
    pub(crate) fn keep(&self) -> Result<(), LedgerError> {
        self.write(&Line::Kept)
    }

    /// What it says by now.
    pub(crate) fn record(&self) -> Result<Record, LedgerError> {
        read(&self.directory)
    }

    fn write(&self, line: &Line) -> Result<(), LedgerError> {
        let path = self.directory.join(LEDGER);
        let fail = |source| failed("write", &path)(source);
        let mut text = serde_json::to_string(line).map_err(|error| fail(error.into()))?;
        text.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let length = file.metadata().map_err(fail)?.len();
        file.write_all(text.as_bytes()).and_then(|()| file.sync_data()).map_err(|source| {
            // Half a line would make the next one unreadable too.
            let _ = file.set_len(length);
            fail(source)
        })
    }
}

/// Removes a run's directory, and the one above it if it was the last.
pub(crate) fn forget(directory: &Path) -> Result<(), LedgerError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", directory)(error));
        }
        _ => {}
    }
    if let Some(state) = directory.parent() {
        // Other runs may be in there.
        let _ = fs::remove_dir(state);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> (tempfile::TempDir, Ledger) {
        let state = tempfile::tempdir().unwrap();
        let run = "0a1b2c3d".parse().unwrap();
        let ledger = Ledger::begin(state.path(), &run, &docker::Endpoint::unknown()).unwrap();
        (state, ledger)
    }

    fn network(name: &str) -> Undo {
        Undo::Network { name: name.into() }
    }

    #[test]
    fn what_was_promised_last_is_undone_first() {
        let (_state, ledger) = begun();
        ledger.promise(network("a")).unwrap();
        ledger.promise(network("b")).unwrap();
        assert_eq!(ledger.record().unwrap().undo, [network("b"), network("a")]);
    }

    #[test]
    fn a_line_that_was_cut_off_is_not_a_promise() {
        let (_state, ledger) = begun();
        ledger.promise(network("a")).unwrap();
        let path = ledger.directory().join(LEDGER);
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"{\"promised\":{\"net").unwrap();
        assert_eq!(ledger.record().unwrap().undo, [network("a")]);
    }

    #[test]
    fn a_run_that_is_alive_cannot_be_taken_over() {
        let (_state, ledger) = begun();
        let run = "0a1b2c3d".parse().unwrap();
        let error = take(ledger.directory(), &run).unwrap_err();
        assert!(matches!(error, LedgerError::Busy { .. }));
        let directory = ledger.directory().to_owned();
        drop(ledger);
        assert!(take(&directory, &run).is_ok());
    }

    #[test]
    fn the_last_run_that_is_forgotten_leaves_no_directory() {
        let (state, ledger) = begun();
        let directory = ledger.directory().to_owned();
        drop(ledger);
        forget(&directory).unwrap();
        assert!(!state.path().exists());
    }
}
