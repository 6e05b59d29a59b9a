//! Opens the sessions in which migrations work, with limits to every wait.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use super::MigrateError;
use crate::wait::{self, Limit, Poll, WaitError};

/// The session lock of a run: the letters of "kindwrig".
pub(super) const RUN_LOCK: i64 = 0x6b69_6e64_7772_6967;

/// How long a run may take its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For another run that migrates the same database.
    pub(super) run: Limit,
    /// For a lock that a statement needs.
    pub(super) lock: Duration,
    /// For a statement.
    pub(super) statement: Duration,
}

/// What suits a database of tests, in which nobody else should work yet.
pub(super) const LIMITS: Limits = Limits {
    run: Limit::seconds(60),
    lock: Duration::from_secs(10),
    statement: Duration::from_mins(2),
};

/// Opens a session that waits no longer than `limits` allow.
pub(super) async fn connect(
    options: &PgConnectOptions,
    limits: Limits,
) -> Result<PgConnection, MigrateError> {
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
    let session = options
        .clone()
        .application_name("kindwright migrations")
        .options([
            ("lock_timeout", milliseconds(limits.lock)),
            ("statement_timeout", milliseconds(limits.statement)),
            ("client_min_messages", "warning".to_owned()),
        ])
        .disable_statement_logging();
    PgConnection::connect_with(&session).await.map_err(|source| MigrateError::Connect {
        address: format!("{}:{}", options.get_host(), options.get_port()),
        database: options.get_database().unwrap_or(options.get_username()).to_owned(),
        source,
    })
}

/// Waits until no other run migrates this database.
///
/// It asks again and again, because a session that waits inside the server would
/// hold up a `CREATE INDEX CONCURRENTLY` of the other run for ever.
pub(super) async fn wait_for_turn(
    connection: &mut PgConnection,
    limit: Limit,
) -> Result<(), MigrateError> {
    let turn = wait::until("the end of another migration", limit, async || {
        let query = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(RUN_LOCK);
        Ok(if query.fetch_one(&mut *connection).await? {
            Poll::Ready(())
        } else {
            Poll::NotYet("it goes on".to_owned())
        })
    });
    turn.await.map_err(|error| match error {
        WaitError::TimedOut { waited, .. } => MigrateError::Busy { waited },
        WaitError::Broken { source, .. } => {
            MigrateError::Books { what: "take the lock of a run", source }
        }
    })
}
