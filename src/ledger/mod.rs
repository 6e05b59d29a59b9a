//! Remembers what must be undone: an append-only file of promises.
//!
//! A promise is synced to disk *before* its effect begins, so a run that dies
//! half-way through creating a cluster has still said so. Undoing is therefore
//! idempotent: it succeeds where there is nothing to undo. A held file lock is
//! the run's sign of life.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

mod notes;
mod undo;

pub(crate) use notes::{Found, KeptEndpoint, NotedCluster, Notes, State, found};
pub(crate) use undo::Undo;

use crate::{docker, seed::RunId};

const LEDGER: &str = "ledger.jsonl";
const LOCK: &str = "lock";
/// The variable that marks every child of a run, so that it can be found when the run is gone.
pub(crate) const MARK: &str = "KINDWRIGHT_RUN";

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    /// The run began, with this Docker daemon.
    Begun(docker::Endpoint),
    /// This must be undone.
    Promised(Undo),
    /// Everything was undone.
    Closed,
    /// It is left as it is, because the user asked for that.
    Kept,
}

/// Why the ledger cannot be kept.
#[derive(Debug, Error)]
pub(crate) enum LedgerError {
    /// A file of the run's directory.
    #[error("{what} {}", path.display())]
    File {
        /// What was to be done.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// A line that nobody of ours wrote.
    #[error("{}: line {line} is not a line of a ledger", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The run is alive, or somebody undoes it right now.
    #[error(
        "run {run} is alive, or being undone by another process; try again when `kindwright ps` no longer shows it as running"
    )]
    Busy {
        /// The run.
        run: String,
    },
}

/// The ledger of a run that is alive, which is this process.
#[derive(Debug)]
pub(crate) struct Ledger {
    directory: PathBuf,
    file: Mutex<File>,
    // Held until the process ends or the ledger is dropped.
    _lock: File,
}

/// What a ledger says, read by somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The Docker daemon of the run.
    pub(crate) docker: docker::Endpoint,
    /// What must be undone, newest first.
    pub(crate) undo: Vec<Undo>,
    /// How the run ended, if it did.
    pub(crate) end: Option<End>,
}

/// How a run ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything was undone.
    Closed,
    /// Its cluster was left for the user.
    Kept,
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
        let lock = lock(&directory)?;
        lock.lock().map_err(failed("lock", &directory.join(LOCK)))?;
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

    /// Notes that the rest is the user's from now on.
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

/// Reads the ledger in a run's directory.
pub(crate) fn read(directory: &Path) -> Result<Record, LedgerError> {
    let path = directory.join(LEDGER);
    let file = File::open(&path).map_err(failed("read", &path))?;
    let mut record = Record { docker: docker::Endpoint::unknown(), undo: Vec::new(), end: None };
    let lines: Vec<_> =
        BufReader::new(file).lines().collect::<Result<_, _>>().map_err(failed("read", &path))?;
    let last = lines.len();
    for (index, text) in lines.iter().enumerate() {
        match serde_json::from_str(text) {
            Ok(Line::Begun(docker)) => record.docker = docker,
            Ok(Line::Promised(undo)) => record.undo.insert(0, undo),
            Ok(Line::Closed) => record.end = Some(End::Closed),
            Ok(Line::Kept) => record.end = Some(End::Kept),
            // Cut off while it was written: its effect had not begun.
            Err(_) if index + 1 == last => {}
            Err(source) => {
                return Err(LedgerError::Line { path, line: index + 1, source });
            }
        }
    }
    Ok(record)
}

/// Waits until the run is gone, and keeps others from undoing it meanwhile.
pub(crate) fn inherit(directory: &Path) -> Result<File, LedgerError> {
    let lock = lock(directory)?;
    lock.lock().map_err(failed("lock", &directory.join(LOCK)))?;
    Ok(lock)
}

/// Takes over a run that is not alive.
pub(crate) fn take(directory: &Path, run: &RunId) -> Result<File, LedgerError> {
    let lock = lock(directory)?;
    lock.try_lock().map_err(|_| LedgerError::Busy { run: run.to_string() })?;
    Ok(lock)
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

fn lock(directory: &Path) -> Result<File, LedgerError> {
    let path = directory.join(LOCK);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed("open", &path))
}

fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::File { what, path: path.clone(), source }
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
