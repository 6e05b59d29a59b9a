//! Brings a database's schema up to date, from the files of a directory.
//!
//! The files are goose's, but are read strictly: every error is reported, and
//! nothing is applied twice. What was applied is noted in `kindwright.migrations`
//! of the database itself.
//!
//! ```text
//! discover: file ─► goose (which lines) ─► lexer (statements) ─► steps (what is done together)
//! apply:    lock ─► books (what is done) ─► each step and its note in one transaction
//! ```

use std::path::PathBuf;

use serde::Serialize;

mod apply;
mod books;
mod discover;
mod error;
mod goose;
mod lexer;
mod schema;
mod session;
mod steps;
#[cfg(test)]
mod tests;

pub(crate) use apply::apply;
pub(crate) use discover::discover;
pub(crate) use error::MigrateError;
pub(crate) use schema::missing_tables;

/// A file that changes the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Migration {
    /// Its place among the others, and its identity.
    pub(crate) number: u64,
    /// The name of the file.
    pub(crate) name: String,
    /// Where it is.
    #[serde(skip)]
    pub(crate) path: PathBuf,
    /// The SHA-256 of all of it.
    #[serde(skip)]
    pub(crate) checksum: String,
    #[serde(skip)]
    steps: Vec<steps::Step>,
    #[serde(skip)]
    transaction: goose::Transaction,
    /// What is not sent as it stands in the file.
    #[serde(skip)]
    notices: Vec<String>,
}
