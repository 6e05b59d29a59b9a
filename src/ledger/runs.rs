//! The runs that have a directory: which are alive, which were kept, which nobody can read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    error::{LedgerError, failed},
    lock,
    notes::Notes,
    record::{End, Record, read},
};
use crate::seed::RunId;

/// Whether a run is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liveness {
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
    pub(crate) liveness: Liveness,
    pub(crate) record: Record,
    pub(crate) notes: Notes,
}

/// A run of whose directory nothing can be said.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) run: RunId,
    pub(crate) cause: LedgerError,
}

/// All runs that have a directory, in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    pub(crate) found: Vec<Found>,
    /// These say nothing about the others.
    pub(crate) unreadable: Vec<Unreadable>,
}

impl Runs {
    /// Whether no run has a directory.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && self.unreadable.is_empty()
    }

    /// The run of this name.
    pub(crate) fn named(self, run: &RunId) -> Result<Found, LedgerError> {
        if let Some(found) = self.found.into_iter().find(|found| found.run == *run) {
            return Ok(found);
        }
        let unreadable = self.unreadable.into_iter().find(|unreadable| unreadable.run == *run);
        Err(unreadable.map_or_else(
            || LedgerError::Unknown { run: run.to_string() },
            |unreadable| unreadable.cause,
        ))
    }
}

/// All runs that have a directory below `state`.
pub(crate) fn found(state: &Path) -> Result<Runs, LedgerError> {
    let entries = match fs::read_dir(state) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Runs::default()),
        Err(error) => return Err(failed("read", state)(error)),
    };
    let mut runs = Runs::default();
    for entry in entries {
        let entry = entry.map_err(failed("read", state))?;
        let name = entry.file_name();
        let Some(run) = name.to_str().and_then(|name| name.parse::<RunId>().ok()) else {
            continue;
        };
        match look(&run, entry.path()) {
            Ok(found) => runs.found.push(found),
            // It ended at this moment.
            Err(_) if !entry.path().exists() => {}
            Err(cause) => runs.unreadable.push(Unreadable { run, cause }),
        }
    }
    runs.found.sort_by(|a, b| a.run.cmp(&b.run));
    runs.unreadable.sort_by(|a, b| a.run.cmp(&b.run));
    Ok(runs)
}

fn look(run: &RunId, directory: PathBuf) -> Result<Found, LedgerError> {
    let alive = lock::is_held(&directory)?;
    let record = match read(&directory) {
        Ok(record) => record,
        // It had not begun.
        Err(LedgerError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Record::empty()
        }
        Err(error) => return Err(error),
    };
    let liveness = match (alive, record.end) {
        (true, _) => Liveness::Running,
        (false, Some(End::Kept)) => Liveness::Kept,
        (false, Some(End::Closed) | None) => Liveness::Dead,
    };
    Ok(Found { run: run.clone(), notes: Notes::read(&directory), directory, liveness, record })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{docker, ledger::Ledger};

    fn id(name: &str) -> RunId {
        name.parse().unwrap()
    }

    #[test]
    fn a_run_that_cannot_be_read_hides_no_other() {
        let state = tempfile::tempdir().unwrap();
        let begin = |run| Ledger::begin(state.path(), &id(run), &docker::Endpoint::unknown());
        let (broken, alive) = (begin("00000001").unwrap(), begin("00000002").unwrap());
        begin("00000003").unwrap().keep().unwrap();
        let lines = "no ledger\nat all\n";
        fs::write(broken.directory().join(super::super::record::LEDGER), lines).unwrap();
        // Nobody can lock this one: its directory is a file.
        fs::write(state.path().join("00000004"), "").unwrap();

        let runs = found(state.path()).unwrap();
        let states: Vec<_> =
            runs.found.iter().map(|found| (found.run.as_str(), found.liveness)).collect();
        let wanted = [("00000002", Liveness::Running), ("00000003", Liveness::Kept)];
        assert_eq!(states, wanted);
        let unreadable: Vec<_> = runs.unreadable.iter().map(|run| run.run.as_str()).collect();
        assert_eq!(unreadable, ["00000001", "00000004"]);
        drop(alive);

        let cause = runs.named(&id("00000001")).unwrap_err().to_string();
        assert!(cause.contains("line 1 is not a line of a ledger;"), "{cause}");
        let cause = found(state.path()).unwrap().named(&id("00000009")).unwrap_err().to_string();
        assert!(cause.starts_with("there is no run 00000009"), "{cause}");
    }
}
