//! Why migrations cannot be read or applied, with file, line and next step.

use std::{fmt, io, path::PathBuf, time::Duration};

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
use thiserror::Error;

/// Why migrations cannot be read or applied.
#[derive(Debug, Error)]
pub(crate) enum MigrateError {
    /// The directory cannot be listed.
    #[error("read the migrations in {} (is it the right directory?)", directory.display())]
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
    #[error("read the migration {}", path.display())]
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

/// What the server says about a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(super) code: String,
    message: String,
    notes: Vec<(&'static str, String)>,
    /// Where in the statement, counted in characters from 1.
    position: Option<usize>,
}

impl Words {
    /// What `error` says; the driver's own words if the server was not reached.
    pub(super) fn of(error: &sqlx::Error) -> Self {
        let database =
            error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        let Some(error) = database else {
            return Self { message: error.to_string(), ..Self::default() };
        };
        let notes =
            [("detail", error.detail()), ("hint", error.hint()), ("context", error.r#where())];
        Self {
            code: error.code().to_owned(),
            message: error.message().to_owned(),
            notes: notes
                .into_iter()
                .filter_map(|(name, text)| Some((name, text?.replace('\n', "\n    "))))
                .collect(),
            position: match error.position() {
                Some(PgErrorPosition::Original(position)) => Some(position),
                Some(PgErrorPosition::Internal { .. }) | None => None,
            },
        }
    }

    /// How many lines below the first one of `statement` the fault lies.
    pub(super) fn lines_below(&self, statement: &str) -> usize {
        let before = self.position.map_or(0, |position| position.saturating_sub(1));
        statement.chars().take(before).filter(|c| *c == '\n').count()
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.notes.iter().try_for_each(|(name, text)| write!(f, "\n  {name}: {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_counted_in_characters() {
        let words = Words { position: Some(9), ..Words::default() };
        assert_eq!(words.lines_below("ä\nü\n\nselect"), 3);
        assert_eq!(Words::default().lines_below("a\nb"), 0);
    }
}
