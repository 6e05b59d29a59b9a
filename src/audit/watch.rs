//! Looks at the rows until they are as expected, and for as long as they must stay so.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;

use super::{
    Audit,
    compare::{Finding, Shortfall, compare},
    read::{Session, Unread},
    report::{AuditError, Unmet},
    row::AuditRow,
};
use crate::wait::{self, Limit, Poll, WaitError};

/// What a look may take longer than the flush interval, on a busy machine.
const SLACK: Duration = Duration::from_secs(10);

/// Carries an assertion out.
pub(super) async fn watch(
    audit: Audit,
    connection: &PgConnectOptions,
) -> Result<Vec<AuditRow>, AuditError> {
    let mut watch = Watch {
        session: Session::new(connection.clone()),
        audit,
        rows: Vec::new(),
        looks: 0,
        answered: false,
        started: Instant::now(),
    };
    watch.reach().await?;
    if watch.audit.expectation.may_break() {
        watch.stay().await?;
    }
    watch.session.close().await;
    let Watch { audit, mut rows, .. } = watch;
    rows.retain(|row| audit.expectation.counts(row));
    Ok(rows)
}

/// An assertion that is being watched, and what was seen last.
struct Watch {
    audit: Audit,
    session: Session,
    rows: Vec<AuditRow>,
    looks: usize,
    /// Whether the latest look was answered.
    answered: bool,
    started: Instant,
}

impl Watch {
    /// Waits until the expectation holds for the first time.
    async fn reach(&mut self) -> Result<(), AuditError> {
        let limit = limit(self.audit.within);
        let reaching =
            wait::until("the expected audit rows", limit, async || match self.look().await {
                Ok(Finding::Holds) => Ok(Poll::Ready(())),
                Ok(Finding::NotYet(shortfall)) => Ok(Poll::NotYet(shortfall.words)),
                Ok(Finding::Never(shortfall)) => Err(self.unmet(shortfall)),
                Err(Unread::Later(words)) => Ok(Poll::NotYet(words)),
                Err(Unread::Never(error)) => Err(error),
            });
        reaching.await.map_err(|error| self.ended(error))
    }

    /// Waits until the expectation has held for the emitter's flush interval.
    async fn stay(&mut self) -> Result<(), AuditError> {
        let (flush, since) = (self.audit.flush, Instant::now());
        let limit = limit(flush + SLACK);
        let what = "the audit rows to stay as they are";
        let staying = wait::until(what, limit, async || {
            // Asked before the look, which then covers the whole interval.
            let over = since.elapsed() >= flush;
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
        let rows = self.session.rows(&self.audit.correlation_id).await;
        self.answered = rows.is_ok();
        self.rows = rows?;
        self.looks += 1;
        Ok(compare(&self.audit.expectation, &self.rows))
    }

    /// The error of a wait that has ended.
    fn ended(&self, error: WaitError<AuditError>) -> AuditError {
        match error {
            WaitError::Broken { source, .. } => source,
            WaitError::TimedOut { last, waited, .. } => {
                match compare(&self.audit.expectation, &self.rows) {
                    Finding::NotYet(shortfall) | Finding::Never(shortfall) if self.answered => {
                        self.unmet(shortfall)
                    }
                    Finding::Holds | Finding::NotYet(_) | Finding::Never(_) => AuditError::Silent {
                        correlation_id: self.audit.correlation_id.clone(),
                        waited,
                        last,
                    },
                }
            }
        }
    }

    fn unmet(&self, shortfall: Shortfall) -> AuditError {
        AuditError::Unmet(Box::new(Unmet {
            correlation_id: self.audit.correlation_id.clone(),
            expectation: self.audit.expectation.clone(),
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
