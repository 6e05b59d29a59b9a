//! Asserts what the services have written into tables of their databases, and sends queries of a case's own.
//!
//! Rows arrive late, because emitters collect them, so an assertion looks again and again. It ends at once where the
//! rows can never become what is expected, as those of a trail of audit events, which are only added; and where a
//! row too many would break it, it must hold for as long as rows may still arrive.
//!
//! ```text
//! scope (which rows) ─► session ─► compare (holds, not yet, never; pure) ─► watch (when to stop) ─► report
//! ```

use std::{fmt, time::Duration};

use serde_json::Value;
use sqlx::postgres::PgConnectOptions;

mod compare;
mod error;
mod expectation;
mod finding;
mod query;
mod report;
mod row;
mod scope;
mod session;
#[cfg(test)]
mod tests;
mod timeline;
mod watch;

use expectation::{Count, Expectation};
use scope::Scope;
use watch::Assertion;

use crate::suite::Table;

pub use error::RowsError;
pub(crate) use query::query;
pub use report::UnmetRows;
pub use row::Row;
pub(crate) use session::rows;
pub use timeline::{Entry, Timeline, UnmetTimeline};

/// How long an assertion waits unless it says otherwise.
const WITHIN: Duration = Duration::from_secs(30);

/// An expectation of the rows of a table.
///
/// It reads the rows under the case's correlation id, unless it says [otherwise](Self::under). It counts those that
/// [`emitter`](Self::emitter) and [`kinds`](Self::kinds) leave, and unless told how many, wants at least one.
/// Nothing is read before [`holds`](Self::holds).
///
/// Audit events are only added, so an expectation of them that no further event can meet fails at once. Rows of
/// other tables are changed and deleted, too: what they are not yet, they may become, as `new` orders become paid by
/// `.exactly(1).all_matching(json!({"state": "paid"}))`.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx};
/// # use serde_json::json;
/// async fn an_order_is_paid_once(ctx: Ctx) -> CaseResult {
///     ctx.rows("orders")?
///         .exactly(2)
///         .in_order(["placed", "paid"])
///         .matching("paid", json!({"payment": {"currency": "EUR"}}))
///         .holds()
///         .await?;
///     ctx.rows("stock")?.under("sku", "tea").all_matching(json!({"left": 3})).holds().await?;
///     Ok(())
/// }
/// ```
#[must_use = "nothing is read before `.holds()`"]
pub struct Rows {
    database: Option<PgConnectOptions>,
    /// Why there is no such table, if there is none.
    unknown: Option<RowsError>,
    assertion: Assertion<Expectation>,
    /// Whether the scope is the case's own.
    is_own: bool,
}

impl Rows {
    /// Looks at the rows of a table under an id, which may arrive `settle` after what caused them was answered.
    pub(crate) fn new(
        database: Option<PgConnectOptions>,
        table: Table,
        id: &str,
        settle: Duration,
    ) -> Self {
        let scope = Scope::under(table, id);
        let expectation = Expectation::default();
        let assertion = Assertion { scope, expectation, within: WITHIN, settle };
        Self { database, unknown: None, assertion, is_own: true }
    }

    /// Rows of no table, for the reason that is told as soon as they are to be read.
    pub(crate) fn unknown(reason: RowsError) -> Self {
        let nowhere = Self::new(None, Table::new(""), "", Duration::ZERO);
        Self { unknown: Some(reason), ..nowhere }
    }

    /// Reads the rows of which a column has this value, instead of those under the case's correlation id.
    ///
    /// Called again, it reads those of which all these columns have their values; null is NULL. The value is
    /// compared as one of the column's type. For parts of JSON use [`where_matching`](Self::where_matching).
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::Value;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.rows("orders")?.under("sku", "tea").under("voucher", Value::Null).exactly(1).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn under(mut self, column: impl Into<String>, value: impl Into<Value>) -> Self {
        let columns = &mut self.assertion.scope.columns;
        if self.is_own {
            columns.clear();
            self.is_own = false;
        }
        columns.push((column.into(), value.into()));
        self
    }

    /// Reads only the rows in which every given key has the given value, of those that it reads otherwise.
    ///
    /// Objects may have further keys at every depth; arrays have as many elements, which match one by one.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let of_tea = ctx.audit().where_matching(json!({"event_data": {"sku": "tea"}}));
    /// of_tea.kinds(["order.accepted"]).exactly(1).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn where_matching(mut self, partial: Value) -> Self {
        self.assertion.scope.partials.push(partial);
        self
    }

    /// Counts only the rows that this service wrote.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.audit().emitter("till").at_least(1).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn emitter(mut self, emitter: impl Into<String>) -> Self {
        self.assertion.expectation.emitter = Some(emitter.into());
        self
    }

    /// Counts only the rows of these kinds.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.audit().kinds(["order.refused", "order.cancelled"]).exactly(0).holds().await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "types")]
    pub fn kinds<K: Into<String>>(mut self, kinds: impl IntoIterator<Item = K>) -> Self {
        self.assertion.expectation.kinds = kinds.into_iter().map(Into::into).collect();
        self
    }

    /// Expects this many rows, and not one more for as long as rows may
    /// [still arrive](crate::Suite::settle).
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.rows("orders")?.exactly(1).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn exactly(mut self, rows: usize) -> Self {
        self.assertion.expectation.count = Count::Exactly(rows);
        self
    }

    /// Expects this many rows or more.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.audit().kinds(["delivery.tried"]).at_least(3).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn at_least(mut self, rows: usize) -> Self {
        self.assertion.expectation.count = Count::AtLeast(rows);
        self
    }

    /// Expects rows of these kinds one after the other, by the table's column of time.
    ///
    /// Others may lie between them. Rows of one moment have no order.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.audit().in_order(["order.accepted", "order.paid", "order.shipped"]).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn in_order<K: Into<String>>(mut self, kinds: impl IntoIterator<Item = K>) -> Self {
        self.assertion.expectation.order = kinds.into_iter().map(Into::into).collect();
        self
    }

    /// Expects a row of this kind in which every given key has the given value.
    ///
    /// Objects may have further keys at every depth; arrays have as many elements, which match one by one.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.audit().matching("order.paid", json!({"event_data": {"currency": "EUR"}})).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn matching(mut self, kind: impl Into<String>, partial: Value) -> Self {
        self.assertion.expectation.matching.push((Some(kind.into()), partial));
        self
    }

    /// Expects a row, of whatever kind, in which every given key has the given value.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.rows("orders")?.any_matching(json!({"sku": "tea", "count": 1})).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn any_matching(mut self, partial: Value) -> Self {
        self.assertion.expectation.matching.push((None, partial));
        self
    }

    /// Expects every counted row to have the given keys and values.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.audit().exactly(3).all_matching(json!({"event_data": {"shop": "tea"}})).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn all_matching(mut self, partial: Value) -> Self {
        self.assertion.expectation.all_matching.push(partial);
        self
    }

    /// Waits this long for the expectation, instead of 30 seconds.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.audit().kinds(["report.sent"]).within(Duration::from_mins(2)).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn within(mut self, limit: Duration) -> Self {
        self.assertion.within = limit;
        self
    }

    /// Waits until the expectation holds, and returns the counted rows by time.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure_eq};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let rows = ctx.audit().kinds(["order.accepted"]).exactly(1).holds().await?;
    /// ensure_eq!(rows[0].get("event_data.sku"), Some(&json!("tea")));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The rows are not as expected, cannot be read, or the table is declared without a column that the
    /// expectation speaks of.
    pub async fn holds(self) -> Result<Vec<Row>, RowsError> {
        let Self { database, unknown, assertion, .. } = self;
        if let Some(reason) = unknown {
            return Err(reason);
        }
        let table = &assertion.scope.table;
        let database =
            database.ok_or_else(|| RowsError::NoDatabase { table: table.called().to_owned() })?;
        if assertion.scope.is_all() {
            return Err(RowsError::Unscoped { table: table.called().to_owned() });
        }
        if let Some((column, needed_by)) = assertion.expectation.undeclared(table) {
            let table = table.called().to_owned();
            return Err(RowsError::Undeclared { table, column, needed_by });
        }
        watch::watch(assertion, database).await
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // How to log in holds a password.
        f.debug_struct("Rows").field("assertion", &self.assertion).finish_non_exhaustive()
    }
}
