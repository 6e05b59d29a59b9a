//! Why a ledger cannot be kept or read.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

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
    #[error("{}: line {line} is not a line of a ledger; remove by hand what `kind get clusters` shows of its run, then its folder", path.display())]
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
    /// No run has this name.
    #[error("there is no run {run}; `kindwright ps` lists them")]
    Unknown {
        /// The run.
        run: String,
    },
}

/// Says what was to be done with a file.
pub(super) fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::File { what, path: path.clone(), source }
}
