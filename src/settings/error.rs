//! Why the surroundings of a run cannot be used.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why the surroundings cannot be used.
#[derive(Debug, Error)]
pub(crate) enum SettingsError {
    /// The settings file cannot be read.
    #[error("read the settings in {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// A line of the settings file is not a setting.
    #[error("{}:{line}: expected NAME=VALUE, found `{text}`", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A setting of ours that does not exist.
    #[error(
        "`{name}` is not a setting; known are KINDWRIGHT_IMAGE_<NAME>, KINDWRIGHT_MIGRATIONS_<NAME>, KINDWRIGHT_PASSWORD_<NAME>, KINDWRIGHT_CACHE, KINDWRIGHT_HOST_PORTS and KIND_NODE_IMAGE"
    )]
    Unknown {
        /// The setting.
        name: String,
    },
    /// A setting has a value that it cannot have.
    #[error("`{name}={value}`: expected {expected}")]
    Value {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// No place for the ledger.
    #[error(
        "neither XDG_STATE_HOME nor HOME is set; set one, so that the run can note what it must undo"
    )]
    NoHome,
}
