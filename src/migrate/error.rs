//! Why migrations cannot be read or applied, with file, line and next step.

use std::{io, path::PathBuf, time::Duration};

use thiserror::Error;

use crate::postgres::Words;

/// Why migrations cannot be read or applied.
#[derive(Debug, Error)]
pub(crate) enum MigrateError {
    /// The directory cannot be listed.
    #[error("read the migrations in {} (is it there? paths are from the project's root)", directory.display())]
    Directory {
        /// Where they should be.
        directory: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The directory holds none.
    #[error("{} holds no migration; one is a file like `001_initial_schema.sql`", directory.display())]
    Empty {
        /// Where they should be.
        directory: PathBuf,
    },
    /// A file cannot be read.
    #[error("read the migration {} (is it text, and may this user read it?)", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A number that the server's bigint does not hold.
    #[error("the number of {} is too large; use at most 18 digits", path.display())]
    Number {
        /// The file.
        path: PathBuf,
    },
    /// Two files of one number.
    #[error("`{first}` and `{second}` have the same number, {number}; give one of them another")]
    Twice {
        /// The number.
        number: u64,
        /// A file.
        first: String,
        /// Another one.
        second: String,
    },
    /// A file that cannot be understood.
    #[error("{}:{line}: {words}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line in it.
        line: usize,
        /// What is wrong, and what to do.
        words: String,
    },
    /// No connection.
    #[error("connect to PostgreSQL at {address} to migrate `{database}` (is it ready?)")]
    Connect {
        /// Host and port.
        address: String,
        /// The database.
        database: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// Another run migrates this database.
    #[error(
        "another run has been migrating this database for {waited:.0?}; wait until it has ended, and run again"
    )]
    Busy {
        /// How long was waited for it.
        waited: Duration,
    },
    /// The notes of what is applied cannot be kept.
    #[error("{what} in `kindwright.migrations` (may the user create the schema `kindwright`?)")]
    Books {
        /// What was to be done.
        what: &'static str,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// A file is not what was applied.
    #[error(
        "{} was changed after it had been applied to this database; restore it and put the change into a new \
         migration, or start from an empty database",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The server refused a statement.
    #[error("{}:{line}: {words}\n  statement: {statement}\n  {left}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The line, as exact as the server says.
        line: usize,
        /// The statement, shortened.
        statement: String,
        /// What the server said.
        words: Words,
        /// What is left of the file, and the next step.
        left: String,
    },
    /// A statement waited for a lock in vain.
    #[error(
        "{}:{line}: waited {waited:.0?} for a lock that another session holds\n  statement: {statement}\n  \
         open transactions: {holders}\n  {left}",
        path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
        /// The line where the statement begins.
        line: usize,
        /// The statement, shortened.
        statement: String,
        /// How long it may wait.
        waited: Duration,
        /// Who may hold it.
        holders: String,
        /// What is left of the file, and the next step.
        left: String,
    },
    /// The schema cannot be looked at.
    #[error("look for the tables that the migrations should have made")]
    Tables {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
}
