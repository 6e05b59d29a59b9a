//! Notes in the database itself which migrations it has seen.

use std::collections::BTreeMap;

use sqlx::{Executor, PgConnection, Row};

use super::{MigrateError, Migration, steps::Step};
use crate::digest::sha256_of;

/// Creates the table at the first run. Always there afterwards, and never changed.
const CREATE: &str = "\
    CREATE SCHEMA IF NOT EXISTS kindwright;
    CREATE TABLE IF NOT EXISTS kindwright.migrations (
        number     BIGINT PRIMARY KEY,
        name       TEXT NOT NULL,
        checksum   TEXT NOT NULL,
        steps      TEXT[] NOT NULL,
        applied_at TIMESTAMPTZ
    )";

/// What is noted about one migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) checksum: String,
    /// The checksums of the steps that are done.
    pub(super) steps: Vec<String>,
    /// Whether all of them are.
    pub(super) finished: bool,
}

/// How far a migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It was applied.
    Finished,
    /// This many steps are done.
    Done(usize),
    /// What was applied is not what the file says now.
    Changed,
}

impl Entry {
    /// How far `migration` is, given what is noted about it.
    ///
    /// The rest of a half-applied file may be corrected; what is done may not.
    pub(super) fn progress(&self, migration: &Migration) -> Progress {
        if self.finished {
            return if self.checksum == migration.checksum {
                Progress::Finished
            } else {
                Progress::Changed
            };
        }
        let done = self.steps.len();
        let same = migration.steps.len() >= done
            && migration
                .steps
                .iter()
                .zip(&self.steps)
                .all(|(step, noted)| checksum(step) == *noted);
        if same { Progress::Done(done) } else { Progress::Changed }
    }
}

/// Reads the notes, by number.
pub(super) async fn read(
    connection: &mut PgConnection,
) -> Result<BTreeMap<i64, Entry>, MigrateError> {
    let rows: Result<_, sqlx::Error> = async {
        sqlx::raw_sql(CREATE).execute(&mut *connection).await?;
        let query = sqlx::query(
            "SELECT number, name, checksum, steps, applied_at IS NOT NULL AS finished FROM kindwright.migrations",
        );
        let rows = query.fetch_all(connection).await?;
        rows.iter()
            .map(|row| {
                let entry = Entry {
                    name: row.try_get("name")?,
                    checksum: row.try_get("checksum")?,
                    steps: row.try_get("steps")?,
                    finished: row.try_get("finished")?,
                };
                Ok((row.try_get("number")?, entry))
            })
            .collect()
    }
    .await;
    rows.map_err(|source| MigrateError::Books { what: "read what is noted", source })
}

/// Notes that the first `done` steps of a migration are done.
pub(super) async fn note(
    connection: &mut PgConnection,
    migration: &Migration,
    done: usize,
) -> Result<(), MigrateError> {
    let noted = insert(connection, migration, done).await;
    noted.map_err(|source| MigrateError::Books { what: "note a migration", source })
}

/// Writes the note as the user who connected, whatever role the file has taken.
async fn insert(
    connection: &mut PgConnection,
    migration: &Migration,
    done: usize,
) -> Result<(), sqlx::Error> {
    let role = sqlx::query_scalar("SELECT current_setting('role')");
    let role: String = role.fetch_one(&mut *connection).await?;
    sqlx::raw_sql("RESET ROLE").execute(&mut *connection).await?;
    let steps: Vec<_> = migration.steps.iter().take(done).map(checksum).collect();
    let note = sqlx::query(
        "INSERT INTO kindwright.migrations (number, name, checksum, steps, applied_at)
         VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END)
         ON CONFLICT (number) DO UPDATE SET name = excluded.name, checksum = excluded.checksum,
             steps = excluded.steps, applied_at = excluded.applied_at",
    );
    let note = note.bind(number(migration)).bind(&migration.name).bind(&migration.checksum);
    let note = note.bind(steps).bind(done == migration.steps.len());
    connection.execute(note).await?;
    let taken = sqlx::query("SELECT set_config('role', $1, false)").bind(role);
    connection.execute(taken).await?;
    Ok(())
}

/// The number as the server keeps it; `discover` lets none pass that is larger.
pub(super) fn number(migration: &Migration) -> i64 {
    i64::try_from(migration.number).unwrap_or(i64::MAX)
}

fn checksum(step: &Step) -> String {
    let texts: Vec<_> = step.statements.iter().map(|statement| statement.text.as_str()).collect();
    sha256_of(texts.join("\n"))
}
