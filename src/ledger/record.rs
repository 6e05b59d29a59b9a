//! The lines of a ledger, and what they say together.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{
    error::{LedgerError, failed},
    undo::Undo,
};
use crate::docker;

/// The file, in a run's directory.
pub(super) const LEDGER: &str = "ledger.jsonl";

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    /// The run began, with this Docker daemon.
    Begun(docker::Endpoint),
    /// This must be undone.
    Promised(Undo),
    /// Everything was undone.
    Closed,
    /// It is left as it is, because the user asked for that.
    Kept,
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

impl Record {
    /// Nothing was promised yet.
    pub(super) fn empty() -> Self {
        Self { docker: docker::Endpoint::unknown(), undo: Vec::new(), end: None }
    }
}

/// Reads the ledger in a run's directory.
pub(crate) fn read(directory: &Path) -> Result<Record, LedgerError> {
    let path = directory.join(LEDGER);
    let file = File::open(&path).map_err(failed("read", &path))?;
    let mut record = Record::empty();
    // As bytes: a line that was cut off may end within a character.
    let lines = BufReader::new(file).split(b'\n');
    let lines: Vec<_> = lines.collect::<Result<_, _>>().map_err(failed("read", &path))?;
    let last = lines.len();
    for (index, text) in lines.iter().enumerate() {
        match serde_json::from_slice(text) {
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
