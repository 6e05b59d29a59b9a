//! Asserts what several services wrote one after the other, although they write under ids of their own.
//!
//! ```text
//! entries in stages ─► place (which row is which entry; pure) ─► compare ─► watch (when to stop) ─► report (a table)
//! ```

use std::{fmt, time::Duration};

use sqlx::postgres::PgConnectOptions;

mod compare;
mod entry;
mod place;
pub(super) mod report;

use super::{
    WITHIN,
    error::RowsError,
    row::Row,
    scope::Scope,
    watch::{self, Assertion},
};
use crate::suite::Table;

pub use entry::Entry;
use place::Stages;
pub use report::UnmetTimeline;

/// An expectation of all audit events of one story, across services.
///
/// Services name what they work on by ids of their own: the name of a request, its uid, the name of an object that
/// was made for it. A timeline joins the events under all of these, by time. They come in stages: one event for
/// each entry of a [stage](Self::then), in any order among themselves, and no earlier than those of the stage before.
/// An event that is in no stage, or once more than the stages say, breaks it, unless it may be [beside](Self::beside)
/// them. Nothing is read before [`holds`](Self::holds).
///
/// A failure prints the whole timeline as a table: what came when, in which stage, from whom, under which id; what is
/// missing, and what is not expected.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx};
/// async fn an_order_travels_to_the_customer(ctx: Ctx) -> CaseResult {
///     let answer = ctx.post("shop", "/orders").send().await?.expect(201)?;
///     let order: serde_json::Value = answer.json()?;
///     let parcel = order["parcel"].as_str().unwrap_or_default();
///     ctx.timeline()
///         .under("order", ctx.correlation_id())
///         .under("parcel", parcel)
///         .then(["order.accepted"])
///         .then(["order.paid", "parcel.packed"])
///         .then([("carrier", "parcel.sent")])
///         .beside(["parcel.located"])
///         .holds()
///         .await?;
///     Ok(())
/// }
/// ```
#[must_use = "nothing is read before `.holds()`"]
pub struct Timeline {
    database: Option<PgConnectOptions>,
    /// Unless the suite declares no audit table.
    table: Option<Table>,
    ids: Vec<(String, String)>,
    /// Whether the ids are the case's own.
    is_own: bool,
    stages: Stages,
    within: Duration,
    settle: Duration,
}

impl Timeline {
    /// The events of an audit table under the id of a case, until it names others; they may arrive `settle` after
    /// what caused them.
    pub(crate) fn new(
        database: Option<PgConnectOptions>,
        table: Option<Table>,
        id: &str,
        settle: Duration,
    ) -> Self {
        let ids = vec![("case".to_owned(), id.to_owned())];
        let stages = Stages::default();
        Self { database, table, ids, is_own: true, stages, within: WITHIN, settle }
    }

    /// Reads the events under this id, instead of those under the case's correlation id; called again, those under
    /// the other ids too.
    ///
    /// What it is the id `of` is shown beside its events.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let timeline = ctx.timeline().under("order", ctx.correlation_id()).under("parcel", "parcel-7");
    /// timeline.then(["order.accepted", "parcel.packed"]).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn under(mut self, of: impl Into<String>, id: impl Into<String>) -> Self {
        if self.is_own {
            self.ids.clear();
            self.is_own = false;
        }
        let id = id.into();
        if !self.ids.iter().any(|(_, known)| *known == id) {
            self.ids.push((of.into(), id));
        }
        self
    }

    /// Expects a stage: an event for each of these entries, none of them before the last of the stage before.
    ///
    /// An entry is a kind of event, or an emitter and a kind; it stands twice where two are expected. Events of a
    /// stage have no order among themselves.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let timeline = ctx.timeline().then(["order.accepted"]).then([("till", "paid"), ("shop", "packed")]);
    /// timeline.holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn then<E: Into<Entry>>(mut self, entries: impl IntoIterator<Item = E>) -> Self {
        self.stages.stages.push(entries.into_iter().map(Into::into).collect());
        self
    }

    /// Lets events of these entries come at any time and in any number, also more of them than the stages expect.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.timeline().then(["parcel.sent"]).then(["parcel.received"]).beside(["parcel.located"]).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn beside<E: Into<Entry>>(mut self, entries: impl IntoIterator<Item = E>) -> Self {
        self.stages.beside.extend(entries.into_iter().map(Into::into));
        self
    }

    /// Waits this long until all stages are complete, instead of 30 seconds.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.timeline().then(["report.sent"]).within(Duration::from_mins(2)).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Waits until the timeline is as expected, and stays so for as long as events may
    /// [still arrive](crate::Suite::settle); returns its events by time.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure_eq};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let events = ctx.timeline().then(["order.accepted"]).then(["order.paid"]).holds().await?;
    /// ensure_eq!(events[1].get("event_data.currency"), Some(&json!("EUR")));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The timeline is not as expected, cannot be read, or the audit table is declared without one of the columns of
    /// id, time and kind, or of the emitter where an entry names one.
    pub async fn holds(self) -> Result<Vec<Row>, RowsError> {
        let table = self.table.ok_or(RowsError::NoAudit)?;
        let called = || table.called().to_owned();
        if let Some((column, needed_by)) = self.stages.undeclared(&table) {
            return Err(RowsError::Undeclared { table: called(), column, needed_by });
        }
        let database = self.database.ok_or_else(|| RowsError::NoDatabase { table: called() })?;
        let scope = Scope::under_any(table, self.ids);
        let Self { stages: expectation, within, settle, .. } = self;
        watch::watch(Assertion { scope, expectation, within, settle }, database).await
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // How to log in holds a password.
        let Self { ids, stages, .. } = self;
        f.debug_struct("Timeline").field("ids", ids).field("stages", stages).finish_non_exhaustive()
    }
}
