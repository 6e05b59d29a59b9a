//! Asserts what the services have written into `audit_events`.
//!
//! Rows arrive late, because emitters collect them, so an assertion looks again
//! and again. It ends at once where the rows can never become what is expected;
//! and where a row too many would break it, it must hold for as long as the
//! emitter may still hold one back.
//!
//! ```text
//! read (rows of one id) ─► compare (holds, not yet, never; pure) ─► watch (when to stop) ─► report
//! ```

use std::{fmt, time::Duration};

use serde_json::Value;
use sqlx::postgres::PgConnectOptions;

mod compare;
mod expectation;
mod partial;
mod read;
mod report;
mod row;
#[cfg(test)]
mod tests;
mod watch;

use expectation::{Count, Expectation};

pub(crate) use read::rows;
pub use report::{AuditError, Unmet};
pub use row::AuditRow;

/// How long an assertion waits unless it says otherwise.
const WITHIN: Duration = Duration::from_secs(15);

/// An expectation of the audit rows under one correlation id.
///
/// It counts the rows that [`emitter`](Self::emitter) and [`types`](Self::types) leave,
/// and unless told how many, wants at least one. Nothing is read before
/// [`holds`](Self::holds).
#[must_use = "nothing is read before `.holds()`"]
pub struct Audit {
    connection: Option<PgConnectOptions>,
    correlation_id: String,
    flush: Duration,
    within: Duration,
    expectation: Expectation,
}

impl Audit {
    /// Looks at the rows under an id, which may arrive `flush` after they were emitted.
    pub(crate) fn new(
        connection: Option<PgConnectOptions>,
        correlation_id: String,
        flush: Duration,
    ) -> Self {
        Self {
            connection,
            correlation_id,
            flush,
            within: WITHIN,
            expectation: Expectation::default(),
        }
    }

    /// Counts only the rows whose `actor_id` this is.
    pub fn emitter(mut self, actor_id: impl Into<String>) -> Self {
        self.expectation.emitter = Some(actor_id.into());
        self
    }

    /// Counts only the rows of these types.
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.expectation.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Expects this many rows, and not one more until the emitter's flush interval is over.
    pub fn exactly(mut self, rows: usize) -> Self {
        self.expectation.count = Count::Exactly(rows);
        self
    }

    /// Expects this many rows or more.
    pub fn at_least(mut self, rows: usize) -> Self {
        self.expectation.count = Count::AtLeast(rows);
        self
    }

    /// Expects rows of these types one after the other, by `event_timestamp`.
    ///
    /// Others may lie between them. Rows of one moment have no order.
    pub fn in_order<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.expectation.order = types.into_iter().map(Into::into).collect();
        self
    }

    /// Expects a row of this type in which every given key has the given value.
    ///
    /// Objects may have further keys at every depth; arrays must be equal.
    pub fn matching(mut self, event_type: impl Into<String>, partial: Value) -> Self {
        self.expectation.matching.push((event_type.into(), partial));
        self
    }

    /// Expects every counted row to have the given keys and values.
    pub fn all_matching(mut self, partial: Value) -> Self {
        self.expectation.all_matching.push(partial);
        self
    }

    /// Waits this long for the expectation, instead of 15 seconds.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// Waits until the expectation holds, and returns the counted rows by time.
    pub async fn holds(self) -> Result<Vec<AuditRow>, AuditError> {
        let connection = self.connection.clone().ok_or(AuditError::NoDatabase)?;
        watch::watch(self, &connection).await
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The connection holds a password.
        f.debug_struct("Audit")
            .field("correlation_id", &self.correlation_id)
            .field("flush", &self.flush)
            .field("within", &self.within)
            .field("expectation", &self.expectation)
            .finish_non_exhaustive()
    }
}
