//! A table of which cases assert rows, as a suite declares it.

use std::time::Duration;

use serde::Serialize;

use super::Suite;

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
    ///
    /// ```
    /// # use kindwright::Table;
    /// let table = Table::new("billing.invoices");
    /// ```
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
    ///
    /// ```
    /// # use kindwright::Table;
    /// let shops = Table::new("orders").database("postgresql:shop");
    /// let tills = Table::new("orders").database("postgresql:till").alias("till orders");
    /// ```
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// Names its database: that of a workload, or with `workload:port` the one behind a port.
    ///
    /// The default is the first database that the suite declares.
    ///
    /// ```
    /// # use kindwright::Table;
    /// let table = Table::new("invoices").database("postgresql:billing");
    /// ```
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// Names the column that says to which case a row belongs, by its
    /// [correlation id](crate::Ctx::correlation_id).
    ///
    /// ```
    /// # use kindwright::Table;
    /// let table = Table::new("orders").id("correlation_id");
    /// ```
    #[must_use]
    pub fn id(mut self, column: impl Into<String>) -> Self {
        self.id = Some(column.into());
        self
    }

    /// Names the column by which rows are ordered.
    ///
    /// ```
    /// # use kindwright::Table;
    /// let table = Table::new("orders").time("placed_at");
    /// ```
    #[must_use]
    pub fn time(mut self, column: impl Into<String>) -> Self {
        self.time = Some(column.into());
        self
    }

    /// Names the column that orders rows of one moment where they are returned and shown.
    ///
    /// ```
    /// # use kindwright::Table;
    /// let table = Table::new("orders").time("placed_at").key("number");
    /// ```
    #[must_use]
    pub fn key(mut self, column: impl Into<String>) -> Self {
        self.key = Some(column.into());
        self
    }

    /// Names the column of a row's kind: a type of event, or a state.
    ///
    /// ```
    /// # use kindwright::Table;
    /// let table = Table::new("orders").time("changed_at").kind("state");
    /// ```
    #[must_use]
    pub fn kind(mut self, column: impl Into<String>) -> Self {
        self.kind = Some(column.into());
        self
    }

    /// Names the column that says who wrote a row.
    ///
    /// ```
    /// # use kindwright::Table;
    /// let table = Table::new("audit_events").kind("event").emitter("service");
    /// ```
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

impl Suite {
    /// Declares a table, so that cases can assert its rows with [`Ctx::rows`](crate::Ctx::rows), and a case that
    /// failed leaves those under its correlation id in its evidence.
    ///
    /// ```
    /// # use kindwright::{Suite, Table};
    /// let orders = Table::new("orders").id("correlation_id").time("placed_at");
    /// let suite = Suite::new("shop", "shop-tests").table(orders); // `ctx.rows("orders")?`
    /// ```
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    /// Declares the table of audit events, which [`Ctx::audit`](crate::Ctx::audit) reads.
    ///
    /// ```
    /// # use kindwright::{Suite, Table};
    /// let events = Table::new("audit_events").id("trace").time("at").kind("event").emitter("service");
    /// let suite = Suite::new("shop", "shop-tests").audit(events);
    /// ```
    #[must_use]
    pub fn audit(self, table: Table) -> Self {
        self.table(Table { audit: true, ..table })
    }

    /// Says how long after an answer the rows that it causes may still arrive, because services collect
    /// them before they write; a second without it.
    ///
    /// An assertion that one row more would break has held when it has held for so long.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use kindwright::Suite;
    /// let suite = Suite::new("shop", "shop-tests").settle(Duration::from_secs(5));
    /// ```
    #[doc(alias = "flush")]
    #[must_use]
    pub fn settle(mut self, interval: Duration) -> Self {
        self.settle = interval;
        self
    }
}
