//! Looks at the rows until they are as expected, and for as long as they must stay so.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;

use super::{
    error::RowsError,
    finding::{Finding, Seen, Shortfall},
    row::Row,
    scope::Scope,
    session::{Session, Unread},
};
use crate::wait::{self, Limit, Poll, WaitError};

/// What a look may take longer than rows may arrive late, on a busy machine.
const SLACK: Duration = Duration::from_secs(10);

/// What can be expected of rows.
pub(super) trait Expected {
    /// Whether it holds of rows, which come in the order of their time: not yet, or never again if rows are only
    /// added.
    fn compare(&self, rows: &[Row]) -> Finding;

    /// Whether a row counts.
    fn counts(&self, row: &Row) -> bool;

    /// Whether a row that comes later could break what holds now.
    fn may_break(&self) -> bool;

    /// Why it does not hold.
    fn unmet(&self, seen: Seen) -> RowsError;
}

/// What is asserted, and how long it is watched.
#[derive(Debug)]
pub(super) struct Assertion<E> {
    pub(super) scope: Scope,
    pub(super) expectation: E,
    /// How long it may take until it holds.
    pub(super) within: Duration,
    /// How long rows may still arrive then.
    pub(super) settle: Duration,
}

/// Carries an assertion out, and returns the rows that count.
pub(super) async fn watch<E: Expected>(
    assertion: Assertion<E>,
    connection: PgConnectOptions,
) -> Result<Vec<Row>, RowsError> {
    let mut watch = Watch {
        session: Session::new(connection),
        assertion,
        rows: Vec::new(),
        looks: 0,
        answered: false,
        started: Instant::now(),
    };
    watch.reach().await?;
    if watch.assertion.expectation.may_break() {
        watch.stay().await?;
    }
    watch.session.close().await;
    let Watch { assertion, mut rows, .. } = watch;
    rows.retain(|row| assertion.expectation.counts(row));
    Ok(rows)
}

/// An assertion that is being watched, and what was seen last.
struct Watch<E> {
    assertion: Assertion<E>,
    session: Session,
    rows: Vec<Row>,
    looks: usize,
    /// Whether the latest look was answered.
    answered: bool,
    started: Instant,
}

impl<E: Expected> Watch<E> {
    /// Waits until the expectation holds for the first time.
    async fn reach(&mut self) -> Result<(), RowsError> {
        let limit = Limit::of(self.assertion.within);
        let appended = self.assertion.scope.table.audit;
        let reaching = wait::until("the expected rows", limit, async || match self.look().await {
            Ok(Finding::Holds) => Ok(Poll::Ready(())),
            // Rows of a table that is no trail are changed and deleted, and so may still become it.
            Ok(Finding::Never(shortfall)) if appended => Err(self.unmet(shortfall)),
            Ok(Finding::NotYet(shortfall) | Finding::Never(shortfall)) => {
                Ok(Poll::NotYet(shortfall.words))
            }
            Err(Unread::Later(words)) => Ok(Poll::NotYet(words)),
            Err(Unread::Never(error)) => Err(error),
        });
        reaching.await.map_err(|error| self.ended(error))
    }

    /// Waits until the expectation has held for as long as rows may arrive.
    async fn stay(&mut self) -> Result<(), RowsError> {
        let (settle, since) = (self.assertion.settle, Instant::now());
        let limit = Limit::of(settle + SLACK);
        let what = "the rows to stay as they are";
        let staying = wait::until(what, limit, async || {
            // Asked before the look, which then covers the whole interval.
            let over = since.elapsed() >= settle;
            match self.look().await {
                Ok(Finding::Holds) if over => Ok(Poll::Ready(())),
                Ok(Finding::Holds) => Ok(Poll::NotYet("they do".to_owned())),
                Ok(Finding::NotYet(shortfall) | Finding::Never(shortfall)) => {
                    Err(self.unmet(shortfall))
                }
                Err(Unread::Later(words)) => Ok(Poll::NotYet(words)),
                Err(Unread::Never(error)) => Err(error),
            }
        });
        staying.await.map_err(|error| self.ended(error))
    }

    async fn look(&mut self) -> Result<Finding, Unread> {
        let rows = self.session.rows(&self.assertion.scope).await;
        self.answered = rows.is_ok();
        self.rows = rows?;
        self.looks += 1;
        Ok(self.assertion.expectation.compare(&self.rows))
    }

    /// The error of a wait that has ended.
    fn ended(&self, error: WaitError<RowsError>) -> RowsError {
        match error {
            WaitError::Broken { source, .. } => source,
            WaitError::TimedOut { last, waited, .. } => {
                match self.assertion.expectation.compare(&self.rows) {
                    Finding::NotYet(shortfall) | Finding::Never(shortfall) if self.answered => {
                        self.unmet(shortfall)
                    }
                    Finding::Holds | Finding::NotYet(_) | Finding::Never(_) => {
                        RowsError::Silent { rows: self.assertion.scope.to_string(), waited, last }
                    }
                }
            }
        }
    }

    fn unmet(&self, shortfall: Shortfall) -> RowsError {
        self.assertion.expectation.unmet(Seen {
            scope: self.assertion.scope.clone(),
            shortfall,
            rows: self.rows.clone(),
            waited: self.started.elapsed(),
            looks: self.looks,
        })
    }
}
