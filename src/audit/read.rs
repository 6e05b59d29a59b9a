//! Reads the rows under an id from the database.

use serde_json::Value;
use sqlx::{
    ConnectOptions, Connection, PgConnection, error::DatabaseError, postgres::PgConnectOptions,
};

use super::{report::AuditError, row::AuditRow};

/// Why rows could not be read this time.
#[derive(Debug)]
pub(super) enum Unread {
    /// The database does not answer; it may come back.
    Later(String),
    /// Asking again would not help.
    Never(AuditError),
}

/// A session that is opened when it is needed, and again after it was lost.
pub(super) struct Session {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Session {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self {
            options: options.application_name("kindwright audit").disable_statement_logging(),
            connection: None,
        }
    }

    /// The rows under an id, by time.
    pub(super) async fn rows(&mut self, correlation_id: &str) -> Result<Vec<AuditRow>, Unread> {
        let rows = self.ask(correlation_id).await.map_err(unread)?;
        Ok(rows.into_iter().map(AuditRow::new).collect())
    }

    async fn ask(&mut self, correlation_id: &str) -> Result<Vec<Value>, sqlx::Error> {
        // Taken out, so that a session that fails or is cut off is not used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.options).await?,
        };
        let query = sqlx::query_scalar(
            "SELECT to_jsonb(e) FROM audit_events e WHERE correlation_id = $1 ORDER BY event_timestamp, event_id",
        );
        let rows = query.bind(correlation_id).fetch_all(&mut connection).await?;
        self.connection = Some(connection);
        Ok(rows)
    }

    /// Says goodbye to the database.
    pub(super) async fn close(self) {
        if let Some(connection) = self.connection {
            // The rows are read; how the session ends changes nothing.
            let _ = connection.close().await;
        }
    }
}

/// The rows under an id as they are, by time.
pub(crate) async fn rows(
    connection: &PgConnectOptions,
    correlation_id: &str,
) -> Result<Vec<Value>, AuditError> {
    let mut session = Session::new(connection.clone());
    let rows = session.ask(correlation_id).await.map_err(unreadable)?;
    session.close().await;
    Ok(rows)
}

fn unread(error: sqlx::Error) -> Unread {
    if heals(&error) { Unread::Later(error.to_string()) } else { Unread::Never(unreadable(error)) }
}

fn unreadable(source: sqlx::Error) -> AuditError {
    const UNDEFINED_TABLE: &str = "42P01";
    match source.as_database_error().and_then(DatabaseError::code) {
        Some(code) if code == UNDEFINED_TABLE => AuditError::NotMigrated,
        _ => AuditError::Unreadable { source },
    }
}

/// Whether the database may answer the same question later: it is away, starts, stops, or is full.
fn heals(error: &sqlx::Error) -> bool {
    const PASSING: [&str; 4] = ["57P01", "57P02", "57P03", "53300"];
    match error.as_database_error() {
        Some(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || PASSING.contains(&code.as_ref())),
        None => matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)),
    }
}
