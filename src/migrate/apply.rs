//! Applies migrations: one run at a time, each step together with its note.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, postgres::PgConnectOptions};

use super::{
    MigrateError, Migration,
    books::{self, Progress},
    goose::Transaction,
    session::{self, LIMITS, Limits},
    steps::{Statement, Step, short},
};
use crate::postgres::Words;

/// What a run has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the files that were applied are its point")]
pub(crate) struct Applied {
    /// The files that were applied, in order.
    pub(crate) applied: Vec<String>,
    /// How many had been applied before.
    pub(crate) already: usize,
    /// What the reader should know.
    pub(crate) notices: Vec<String>,
}

/// Applies what the database has not seen yet.
///
/// A file is applied as a whole or not at all. The steps of one that forbids a
/// transaction are noted one by one, so that a run goes on where the last one was
/// killed. Only a statement that the server cannot run in a transaction may be done
/// and not noted, if the run is killed between the two.
pub(crate) async fn apply(
    connection: &PgConnectOptions,
    migrations: &[Migration],
) -> Result<Applied, MigrateError> {
    apply_within(LIMITS, connection, migrations).await
}

/// As [`apply`], with limits of one's own.
pub(super) async fn apply_within(
    limits: Limits,
    options: &PgConnectOptions,
    migrations: &[Migration],
) -> Result<Applied, MigrateError> {
    let mut connection = session::connect(options, limits).await?;
    session::wait_for_turn(&mut connection, limits.run).await?;
    let mut run = Run { connection, limits, applied: Applied::default() };
    let result = run.all(migrations).await;
    // The lock ends with the session, also if it cannot be closed politely.
    let _ = run.connection.close().await;
    result.map(|()| run.applied)
}

/// A run that has the lock.
struct Run {
    connection: PgConnection,
    limits: Limits,
    applied: Applied,
}

impl Run {
    async fn all(&mut self, migrations: &[Migration]) -> Result<(), MigrateError> {
        let mut noted = books::read(&mut self.connection).await?;
        let mut todo = Vec::new();
        for migration in migrations {
            let entry = noted.remove(&books::number(migration));
            match entry.map_or(Progress::Done(0), |entry| entry.progress(migration)) {
                Progress::Finished => self.applied.already += 1,
                Progress::Done(done) => todo.push((migration, done)),
                Progress::Changed => {
                    let path = migration.path.clone();
                    return Err(MigrateError::Changed { path });
                }
            }
        }
        let gone = noted.values().map(|entry| {
            format!("`{}` is applied to this database but no longer among the files", entry.name)
        });
        self.applied.notices.extend(gone);
        for (migration, done) in todo {
            self.one(migration, done).await?;
        }
        Ok(())
    }

    /// Applies a migration of which `done` steps are done.
    async fn one(&mut self, migration: &Migration, done: usize) -> Result<(), MigrateError> {
        // What a file sets for its session must not reach the next one.
        let reset = sqlx::raw_sql("RESET SESSION AUTHORIZATION; RESET ALL");
        let reset = self.connection.execute(reset).await;
        reset.map_err(|source| MigrateError::Books {
            what: "prepare the session to note a migration",
            source,
        })?;
        self.applied.notices.extend(migration.notices.iter().cloned());
        if done > 0 {
            let notice = format!(
                "{}: goes on after step {done} of {}",
                migration.name,
                migration.steps.len()
            );
            self.applied.notices.push(notice);
        }
        for (index, step) in migration.steps.iter().enumerate().skip(done) {
            self.step(migration, step, index + 1).await?;
        }
        if done == migration.steps.len() {
            // Nothing is left, but that is still to be noted.
            books::note(&mut self.connection, migration, done).await?;
        }
        self.applied.applied.push(migration.name.clone());
        Ok(())
    }

    /// Does a step and notes that it is done, both or neither.
    async fn step(
        &mut self,
        migration: &Migration,
        step: &Step,
        done: usize,
    ) -> Result<(), MigrateError> {
        let books = |source| MigrateError::Books {
            what: "begin or end a transaction to note a migration",
            source,
        };
        let mut transaction = self.connection.begin().await.map_err(books)?;
        for statement in &step.statements {
            let Err(error) = execute(&mut transaction, statement).await else {
                continue;
            };
            // If this fails too, the session is lost, and PostgreSQL rolls back by itself.
            let _ = transaction.rollback().await;
            let words = Words::of(&error);
            if migration.transaction == Transaction::None
                && forbids_transaction(&words)
                && step.statements.len() == 1
            {
                return self.bare(migration, statement, done).await;
            }
            return Err(self.failed(migration, statement, words, done).await);
        }
        books::note(&mut transaction, migration, done).await?;
        transaction.commit().await.map_err(books)
    }

    /// Does a statement that cannot be in a transaction, and notes it afterwards.
    async fn bare(
        &mut self,
        migration: &Migration,
        statement: &Statement,
        done: usize,
    ) -> Result<(), MigrateError> {
        match execute(&mut self.connection, statement).await {
            Ok(()) => books::note(&mut self.connection, migration, done).await,
            Err(error) => Err(self.failed(migration, statement, Words::of(&error), done).await),
        }
    }

    /// The error of a statement in the step that would have been number `done`.
    async fn failed(
        &mut self,
        migration: &Migration,
        statement: &Statement,
        words: Words,
        done: usize,
    ) -> MigrateError {
        let left = match migration.transaction {
            Transaction::Whole => {
                "nothing of this file is applied; correct it and run again".to_owned()
            }
            Transaction::None => format!(
                "{} of {} steps of this file are applied; correct the rest and run again, and it goes on here",
                done - 1,
                migration.steps.len()
            ),
        };
        let path = migration.path.clone();
        if words.code == LOCK_NOT_AVAILABLE {
            return MigrateError::Locked {
                path,
                line: statement.line,
                statement: short(&statement.text),
                waited: self.limits.lock,
                holders: self.holders().await,
                left,
            };
        }
        MigrateError::Refused {
            path,
            line: statement.line + words.lines_below(&statement.text),
            statement: short(&statement.text),
            words,
            left,
        }
    }

    /// The sessions that have a transaction open, in words; the oldest first.
    async fn holders(&mut self) -> String {
        let query = sqlx::query(
            "SELECT format('process %s (%s, %s, for %s s): %s', pid, coalesce(nullif(application_name, ''), usename),
                           state, extract(epoch FROM now() - xact_start)::integer, left(query, 60))
             FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
               AND backend_type = 'client backend'
             ORDER BY xact_start LIMIT 3",
        );
        let rows = query.fetch_all(&mut self.connection).await.unwrap_or_default();
        let holders: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
        if holders.is_empty() { "none any more".to_owned() } else { holders.join("; ") }
    }
}

/// The server's code for a lock that was waited for too long.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Whether a statement was refused only because it ran in a transaction.
fn forbids_transaction(words: &Words) -> bool {
    const ACTIVE_TRANSACTION: &str = "25001";
    const INVALID_TERMINATION: &str = "2D000";
    [ACTIVE_TRANSACTION, INVALID_TERMINATION].contains(&words.code.as_str())
}

async fn execute(connection: &mut PgConnection, statement: &Statement) -> Result<(), sqlx::Error> {
    // The text is the user's own file, and meant to be run as it is.
    let sql = sqlx::raw_sql(AssertSqlSafe(statement.text.as_str()));
    connection.execute(sql).await.map(|_| ())
}
