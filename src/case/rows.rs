//! The tables of a suite, for assertions of its cases.

use super::Ctx;
use crate::{
    rows::{Rows, RowsError, Timeline},
    suite::Table,
    text::listed,
};

impl Ctx {
    /// Assertions on the rows of a table that the suite [declares](crate::Suite::table), by its name or alias.
    ///
    /// They are those under the [correlation id](Self::correlation_id) of this case, unless it says
    /// [otherwise](Rows::under).
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.rows("orders")?.exactly(1).any_matching(json!({"sku": "tea"})).holds().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The suite declares no such table.
    pub fn rows(&self, table: &str) -> Result<Rows, RowsError> {
        let tables = &self.stack().plan().tables;
        let found = tables.iter().find(|declared| declared.called() == table);
        let declared = found.ok_or_else(|| RowsError::Unknown {
            table: table.to_owned(),
            known: listed(tables.iter().map(Table::called)),
        })?;
        Ok(self.rows_of(declared, self.correlation_id()))
    }

    /// Assertions on the audit events of this case, in the table that the suite declares by
    /// [`Suite::audit`](crate::Suite::audit).
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.audit().emitter("shop").kinds(["order.accepted"]).exactly(1).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn audit(&self) -> Rows {
        self.audit_of(self.correlation_id())
    }

    /// Assertions on the audit events under another id, which a service chose.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let answer = ctx.post("shop", "/orders").send().await?.expect(201)?;
    /// let trace = answer.header("x-trace").unwrap_or_default();
    /// ctx.audit_of(trace).in_order(["order.accepted", "order.paid"]).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn audit_of(&self, correlation_id: &str) -> Rows {
        match self.audit_table() {
            Some(table) => self.rows_of(table, correlation_id),
            None => Rows::unknown(RowsError::NoAudit),
        }
    }

    /// An assertion on all audit events of one story, of services that write under different ids.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let timeline = ctx.timeline().under("order", ctx.correlation_id()).under("parcel", "parcel-7");
    /// timeline.then(["order.accepted"]).then(["parcel.packed", "parcel.sent"]).holds().await?;
    /// # Ok(()) }
    /// ```
    pub fn timeline(&self) -> Timeline {
        let table = self.audit_table();
        let database = table.and_then(|table| self.stack().login_of(table));
        Timeline::new(database, table.cloned(), self.correlation_id(), self.settle())
    }

    fn audit_table(&self) -> Option<&Table> {
        self.stack().plan().tables.iter().find(|table| table.audit)
    }

    fn rows_of(&self, table: &Table, id: &str) -> Rows {
        let database = self.stack().login_of(table);
        Rows::new(database, table.clone(), id, self.settle())
    }
}
