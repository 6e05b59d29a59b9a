//! The databases of a suite's stack, for queries of a case's own.

use std::{error::Error, fmt};

use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use thiserror::Error;
use url::Url;

use super::{
    Ctx,
    permission::{GivenUp, Permission},
};
use crate::{
    postgres::Words,
    rows,
    stack::Stack,
    suite::EndpointName,
    text::{indented, shortened},
};

/// How much of a statement a message shows, in characters.
const SHOWN: usize = 1200;

/// A PostgreSQL database of the suite's stack; [`Ctx::database`](crate::Ctx::database) makes it.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure_eq};
/// # use serde_json::json;
/// async fn tea_is_in_stock(ctx: Ctx) -> CaseResult {
///     let store = ctx.database("store")?;
///     let rows = store
///         .query("SELECT sku, left_over FROM stock WHERE sku = ANY($1)", &[json!(["tea"])])
///         .await?;
///     ensure_eq!(rows, [json!({"sku": "tea", "left_over": 3})]);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Postgres {
    name: EndpointName,
    /// Its own `Debug` shows the password.
    options: PgConnectOptions,
    url: Url,
    permission: Permission,
}

/// Why a database of the stack cannot be used, or did not do what it was asked.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, DatabaseError, Failure, ensure_eq};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let twice = "INSERT INTO stock (sku) VALUES ('tea'), ('tea')";
/// let Err(DatabaseError::Refused { code, .. }) = ctx.database("store")?.query(twice, &[]).await else {
///     return Err(Failure::new("one sku was taken twice"));
/// };
/// ensure_eq!(code, "23505");
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The stack has no such database.
    #[error(
        "the stack has no database `{database}` (it has {known}); declare it with `Endpoint::postgres`"
    )]
    Unknown {
        /// What was asked for.
        database: String,
        /// What there is.
        known: String,
    },
    /// It has not answered yet.
    #[error("`{database}` has not answered yet, so a step that uses it comes after its tier")]
    NotYet {
        /// The database.
        database: String,
    },
    /// The stack has no database at all.
    #[error("the stack has no database; give a workload an `Endpoint::postgres`")]
    NoDatabase,
    /// The case is over.
    #[error(transparent)]
    GivenUp(#[from] GivenUp),
    /// PostgreSQL refused a statement.
    #[error("PostgreSQL refuses a statement ({code}): {words}{statement}")]
    Refused {
        /// Its SQLSTATE code, such as `23505`.
        code: String,
        /// What it said.
        words: String,
        /// The beginning of the statement, a line each.
        statement: String,
    },
    /// There was no answer, or none that can be read.
    #[error("ask the database `{database}` (does the suite stop it?)")]
    Silent {
        /// The database.
        database: String,
        /// What happened instead.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Ctx {
    /// A database of the stack, for queries: the first one of a workload, or with `workload:endpoint` this one.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure_eq};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let orders = ctx.database("postgresql")?.query("SELECT sku FROM orders", &[]).await?;
    /// let bills = ctx.database("postgresql:bills")?.query("SELECT sku FROM bills", &[]).await?;
    /// ensure_eq!(orders, bills);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The stack has no such database.
    pub fn database(&self, name: &str) -> Result<Postgres, DatabaseError> {
        self.postgres(Some(name))
    }

    /// The first database that the suite declares.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let count = ctx.default_database()?.query("SELECT count(*) AS orders FROM orders", &[]).await?;
    /// ensure!(count[0]["orders"] != 0, "nothing was ordered");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The suite declares none.
    pub fn default_database(&self) -> Result<Postgres, DatabaseError> {
        self.postgres(None)
    }

    fn postgres(&self, name: Option<&str>) -> Result<Postgres, DatabaseError> {
        Postgres::new(self.stack(), name, self.permission().clone())
    }
}

impl Postgres {
    pub(super) fn new(
        stack: &Stack,
        name: Option<&str>,
        permission: Permission,
    ) -> Result<Self, DatabaseError> {
        let found = stack.database(name).and_then(|endpoint| {
            Some(Self {
                name: endpoint.name.clone(),
                options: stack.login(endpoint)?,
                url: stack.database_url(endpoint)?,
                permission,
            })
        });
        found.ok_or_else(|| {
            let mut declared = stack.plan().endpoints().filter(|it| it.database().is_some());
            if let Some(later) = declared.find(|it| name.is_none_or(|name| it.name.is(name))) {
                return DatabaseError::NotYet { database: later.name.to_string() };
            }
            let known: Vec<_> = stack.databases().map(|it| it.name.to_string()).collect();
            match name {
                Some(name) if !known.is_empty() => {
                    DatabaseError::Unknown { database: name.to_owned(), known: known.join(", ") }
                }
                Some(_) | None => DatabaseError::NoDatabase,
            }
        })
    }

    /// Sends one statement, and returns the rows that it returns, each an object with a key for each column.
    ///
    /// `$1` and so on stand for the parameters. Each is taken as of the type that the statement gives it: a text
    /// may be a `uuid`, a `timestamptz` or of an enum, an array may be a `text[]`, anything may be `jsonb`, and null
    /// is NULL. Each statement has a session of its own, so no transaction outlives it. Of columns of one name
    /// the last is returned.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure_eq};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let sql = "UPDATE stock SET left_over = $2 WHERE sku = $1 RETURNING sku, changed_at";
    /// let changed = ctx.database("store")?.query(sql, &[json!("tea"), json!(3)]).await?;
    /// ensure_eq!(changed[0]["sku"], "tea");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// PostgreSQL refuses the statement, which is told in its own words; the database does not answer; or the case
    /// is over.
    pub async fn query(
        &self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Vec<Value>, DatabaseError> {
        let asking = async {
            let asked = Box::pin(rows::query(&self.options, sql, parameters)).await;
            asked.map_err(|error| self.failed(sql, error))
        };
        self.permission.act(asking).await
    }

    /// Where it is, for a client of the case's own: `postgres://user:password@host:port/name`.
    ///
    /// User, password and name are percent-encoded. The server speaks no TLS, so clients that insist on it by
    /// themselves need `sslmode=disable` added. The password is a secret of this run: it is hidden in
    /// evidence and in messages of failures, and whoever prints it elsewhere shows it. What is done with it is
    /// not ended with the case.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let mut url = ctx.database("store")?.url().clone();
    /// url.query_pairs_mut().append_pair("sslmode", "disable");
    /// let pool = sqlx::PgPool::connect(url.as_str()).await?;
    /// # Ok(()) }
    /// ```
    pub fn url(&self) -> &Url {
        &self.url
    }

    fn failed(&self, sql: &str, error: sqlx::Error) -> DatabaseError {
        if error.as_database_error().is_none() {
            let database = self.name.to_string();
            return DatabaseError::Silent { database, source: error.into() };
        }
        let words = Words::of(&error);
        DatabaseError::Refused {
            code: words.code.clone(),
            words: words.to_string(),
            statement: indented(shortened(sql.trim(), SHOWN).lines()),
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("name", &self.name.to_string()).finish_non_exhaustive()
    }
}
