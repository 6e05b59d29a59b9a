//! The lock that a run holds for as long as it is alive.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::error::{LedgerError, failed};
use crate::seed::RunId;

const LOCK: &str = "lock";

/// Takes the lock of a run that begins.
pub(super) fn hold(directory: &Path) -> Result<File, LedgerError> {
    let lock = open(directory)?;
    lock.lock().map_err(failed("lock", &directory.join(LOCK)))?;
    Ok(lock)
}

/// Whether somebody holds the lock.
pub(super) fn is_held(directory: &Path) -> Result<bool, LedgerError> {
    Ok(open(directory)?.try_lock_shared().is_err())
}

/// Waits until the run is gone, and keeps others from undoing it meanwhile.
pub(crate) fn inherit(directory: &Path) -> Result<File, LedgerError> {
    hold(directory)
}

/// Takes over a run that is not alive.
pub(crate) fn take(directory: &Path, run: &RunId) -> Result<File, LedgerError> {
    let lock = open(directory)?;
    lock.try_lock().map_err(|_| LedgerError::Busy { run: run.to_string() })?;
    Ok(lock)
}

fn open(directory: &Path) -> Result<File, LedgerError> {
    let path = directory.join(LOCK);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed("open", &path))
}
