//! Reads rows in a session that is opened when it is needed, and again after it was lost.

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use super::{error::RowsError, row::Row, scope::Scope};
use crate::{postgres::Words, suite::Table};

/// Why rows could not be read this time.
#[derive(Debug)]
pub(super) enum Unread {
    /// The database does not answer; it may come back.
    Later(String),
    /// Asking again would not help.
    Never(RowsError),
}

/// A session that is opened when it is needed, and again after it was lost.
pub(super) struct Session {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Session {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self {
            options: options.application_name("kindwright rows").disable_statement_logging(),
            connection: None,
        }
    }

    /// The rows of a scope, by time.
    pub(super) async fn rows(&mut self, scope: &Scope) -> Result<Vec<Row>, Unread> {
        let rows = self.ask(scope).await.map_err(|error| {
            if heals(&error) {
                Unread::Later(error.to_string())
            } else {
                Unread::Never(unreadable(scope, error))
            }
        })?;
        let rows = rows.into_iter().filter(|row| scope.has(row));
        let rows: Result<_, _> = rows.map(|row| Row::of(&scope.table, row)).collect();
        rows.map_err(|column| {
            let words = format!("there is no column \"{column}\"");
            Unread::Never(RowsError::NoColumn { table: scope.table.called().to_owned(), words })
        })
    }

    async fn ask(&mut self, scope: &Scope) -> Result<Vec<Value>, sqlx::Error> {
        // Taken out, so that a session that fails or is cut off is not used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.options).await?,
        };
        let query = sqlx::query_scalar(AssertSqlSafe(scope.statement()));
        let rows = query.fetch_all(&mut connection).await?;
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

/// The rows of a table under an id as they are, by time.
pub(crate) async fn rows(
    connection: &PgConnectOptions,
    table: &Table,
    id: &str,
) -> Result<Vec<Value>, RowsError> {
    let scope = Scope::under(table.clone(), id);
    let mut session = Session::new(connection.clone());
    let rows = match session.ask(&scope).await.map_err(|error| unreadable(&scope, error)) {
        // What is no id of this table has no rows in it.
        Err(RowsError::NoValue { .. }) => return Ok(Vec::new()),
        rows => rows?,
    };
    session.close().await;
    Ok(rows)
}

fn unreadable(scope: &Scope, source: sqlx::Error) -> RowsError {
    const UNDEFINED_TABLE: &str = "42P01";
    const UNDEFINED_COLUMN: &str = "42703";
    const DATA: &str = "22";
    let words = Words::of(&source);
    let table = || scope.table.called().to_owned();
    match &*words.code {
        UNDEFINED_TABLE => RowsError::NoTable { table: table() },
        UNDEFINED_COLUMN => RowsError::NoColumn { table: table(), words: words.to_string() },
        code if code.starts_with(DATA) => {
            RowsError::NoValue { rows: scope.to_string(), words: words.to_string() }
        }
        _ => RowsError::Unreadable { table: table(), source: source.into() },
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
