//! Looks at the rows until they are as expected, and for as long as they must stay so.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;

use super::{
    compare::{Finding, Shortfall, compare},
    error::RowsError,
    expectation::Expectation,
    report::UnmetRows,
    row::Row,
    scope::Scope,
    session::{Session, Unread},
};
use crate::wait::{self, Limit, Poll, WaitError};

/// What a look may take longer than rows may arrive late, on a busy machine.
const SLACK: Duration = Duration::from_secs(10);

/// What is asserted, and how long it is watched.
#[derive(Debug)]
pub(super) struct Assertion {
    pub(super) scope: Scope,
    pub(super) expectation: Expectation,
    /// How long it may take until it holds.
    pub(super) within: Duration,
    /// How long rows may still arrive then.
    pub(super) settle: Duration,
}

/// Carries an assertion out, and returns the rows that count.
pub(super) async fn watch(
    assertion: Assertion,
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
struct Watch {
    assertion: Assertion,
    session: Session,
    rows: Vec<Row>,
    looks: usize,
    /// Whether the latest look was answered.
    answered: bool,
    started: Instant,
}

impl Watch {
    /// Waits until the expectation holds for the first time.
    async fn reach(&mut self) -> Result<(), RowsError> {
        let limit = limit(self.assertion.within);
        let reaching = wait::until("the expected rows", limit, async || match self.look().await {
            Ok(Finding::Holds) => Ok(Poll::Ready(())),
            Ok(Finding::NotYet(shortfall)) => Ok(Poll::NotYet(shortfall.words)),
            Ok(Finding::Never(shortfall)) => Err(self.unmet(shortfall)),
            Err(Unread::Later(words)) => Ok(Poll::NotYet(words)),
            Err(Unread::Never(error)) => Err(error),
        });
        reaching.await.map_err(|error| self.ended(error))
    }

    /// Waits until the expectation has held for as long as rows may arrive.
    async fn stay(&mut self) -> Result<(), RowsError> {
        let (settle, since) = (self.assertion.settle, Instant::now());
        let limit = limit(settle + SLACK);
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
        Ok(compare(&self.assertion.expectation, &self.rows))
    }

    /// The error of a wait that has ended.
    fn ended(&self, error: WaitError<RowsError>) -> RowsError {
        match error {
            WaitError::Broken { source, .. } => source,
            WaitError::TimedOut { last, waited, .. } => {
                match compare(&self.assertion.expectation, &self.rows) {
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
        RowsError::Unmet(Box::new(UnmetRows {
            scope: self.assertion.scope.clone(),
            expectation: self.assertion.expectation.clone(),
            shortfall,
            rows: self.rows.clone(),
            waited: self.started.elapsed(),
            looks: self.looks,
        }))
    }
}

/// Looks as often as every wait does.
fn limit(total: Duration) -> Limit {
    Limit { total, ..Limit::seconds(0) }
}
