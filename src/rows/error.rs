//! Why rows are not as expected, or could not be read.

use std::{error::Error, time::Duration};

use thiserror::Error;

use super::{report::UnmetRows, timeline::report::UnmetTimeline};

/// Why an assertion on rows did not hold.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, RowsError};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let error = ctx.rows("orders")?.exactly(1).holds().await;
/// if let Err(RowsError::Unmet(unmet)) = &error {
///     ctx.attach("rows.txt", unmet.to_string())?;
/// }
/// error?;
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RowsError {
    /// The rows are not as expected.
    #[error("{0}")]
    Unmet(Box<UnmetRows>),
    /// The timeline is not as expected.
    #[error("{0}")]
    UnmetTimeline(Box<UnmetTimeline>),
    /// The suite declares no such table.
    #[error(
        "the suite declares no table `{table}` (it declares {known}); add `.table(Table::new(..))` to it"
    )]
    Unknown {
        /// What was asked for.
        table: String,
        /// What there is.
        known: String,
    },
    /// The suite declares no audit table.
    #[error("the suite declares no audit table; add `.audit(Table::new(..))` to it")]
    NoAudit,
    /// The database of the table is not there.
    #[error(
        "there is no database for the table `{table}`; give a workload an `Endpoint::postgres`, and let a step that reads rows come after its tier"
    )]
    NoDatabase {
        /// The table.
        table: String,
    },
    /// The table has rows of other cases too.
    #[error(
        "the table `{table}` is declared without a column of ids, so a case has to say which rows it means; \
         use `.under(column, value)` or `.where_matching(json)`, or add `.id(..)` to the table"
    )]
    Unscoped {
        /// The table.
        table: String,
    },
    /// What is expected speaks of a column that is not declared.
    #[error(
        "`{needed_by}` needs to know the {column} of a row, and the table `{table}` is declared without a column of it; \
         add `.{column}(..)` to it"
    )]
    Undeclared {
        /// The table.
        table: String,
        /// What the column would say.
        column: &'static str,
        /// The method that needs it.
        needed_by: &'static str,
    },
    /// There is no such table.
    #[error(
        "the table `{table}` does not exist, so its migrations are not applied, or it is of another schema or \
         database; let the suite name them with `.migrations(..)` before its services"
    )]
    NoTable {
        /// The table.
        table: String,
    },
    /// The table has not the columns that it is declared with, or that the case names.
    #[error(
        "the table `{table}` is not as declared: {words}; correct its `Table::new(..)`, or the column in the case"
    )]
    NoColumn {
        /// The table.
        table: String,
        /// What is missing.
        words: String,
    },
    /// A column is compared with what cannot be its value.
    #[error("{rows}: there can be no such row: {words}; name a value of the column's type")]
    NoValue {
        /// Which rows were meant.
        rows: String,
        /// What the server said.
        words: String,
    },
    /// The database was asked in vain, or fell silent before the last look.
    #[error(
        "the rows of {rows} could not be read for {waited:.1?} (does the suite stop its database?); last: {last}"
    )]
    Silent {
        /// Which rows were meant.
        rows: String,
        /// How long was waited.
        waited: Duration,
        /// The latest answer.
        last: String,
    },
    /// The database refuses to answer.
    #[error("read the rows of `{table}` (may the user of the database read it?)")]
    Unreadable {
        /// The table.
        table: String,
        /// What the server said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}
