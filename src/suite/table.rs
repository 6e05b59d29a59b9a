//! A table of which cases assert rows, as a suite declares it.

use serde::Serialize;

/// A table of a database of the suite, and what its columns mean.
///
/// All but its name may be left out: without [`id`](Self::id) a case says itself which rows it means, without
/// [`time`](Self::time) nothing can be said of their order, and without [`kind`](Self::kind) nothing of their kinds.
///
/// ```
/// use kindwright::{Suite, Table};
///
/// let suite = Suite::new("shop", "shop-tests")
///     .table(
///         Table::new("billing.invoices")
///             .database("store")
///             .id("correlation_id")
///             .time("created_at")
///             .kind("state"),
///     )
///     .audit(Table::new("audit_events").id("trace").time("at").kind("event").emitter("service"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) time: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) emitter: Option<String>,
    /// Whether it is the one that `ctx.audit()` reads.
    pub(crate) audit: bool,
}

impl Table {
    /// The table of this name, or `schema.name`; case counts, as in a quoted name of SQL.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            alias: None,
            database: None,
            id: None,
            time: None,
            key: None,
            kind: None,
            emitter: None,
            audit: false,
        }
    }

    /// Says what cases call it, where two databases have a table of one name.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// Names its database: that of a workload, or with `workload:port` the one behind a port.
    ///
    /// The default is the first database that the suite declares.
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// Names the column that says to which case a row belongs, by its
    /// [correlation id](crate::Ctx::correlation_id).
    #[must_use]
    pub fn id(mut self, column: impl Into<String>) -> Self {
        self.id = Some(column.into());
        self
    }

    /// Names the column by which rows are ordered.
    #[must_use]
    pub fn time(mut self, column: impl Into<String>) -> Self {
        self.time = Some(column.into());
        self
    }

    /// Names the column that orders rows of one moment where they are returned and shown.
    #[must_use]
    pub fn key(mut self, column: impl Into<String>) -> Self {
        self.key = Some(column.into());
        self
    }

    /// Names the column of a row's kind: a type of event, or a state.
    #[must_use]
    pub fn kind(mut self, column: impl Into<String>) -> Self {
        self.kind = Some(column.into());
        self
    }

    /// Names the column that says who wrote a row.
    #[must_use]
    pub fn emitter(mut self, column: impl Into<String>) -> Self {
        self.emitter = Some(column.into());
        self
    }

    /// What cases call it.
    pub(crate) fn called(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// Its name without a schema, after that of its schema if it says so.
    pub(crate) fn path(&self) -> (Option<&str>, &str) {
        match self.name.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, &self.name),
        }
    }

    /// The columns that it names.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        let columns = [&self.id, &self.time, &self.key, &self.kind, &self.emitter];
        columns.into_iter().filter_map(|column| column.as_deref())
    }
}
