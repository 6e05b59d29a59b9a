//! How long is waited, how often is looked, and what was seen: the only place that lets time pass.
//!
//! Every wait names what it waits for, ends at a limit, and says on failure
//! what it last saw. A wait polls a *level* ("is it so now?"), never an edge
//! ("did it change?"), so that a missed event costs one interval and no more.

use std::{fmt, time::Duration};

use thiserror::Error;

mod history;

pub use history::History;

/// What one look at a condition found.
#[derive(Debug)]
pub(crate) enum Poll<T> {
    /// The condition holds.
    Ready(T),
    /// Not so yet, and this is what was seen instead.
    NotYet(String),
}

/// How long to look, and how often.
///
/// What waits takes a [`Duration`]; what looks again and again, as [`Ctx::until`](crate::Ctx::until) does, takes one of
/// these as well.
///
/// ```no_run
/// # use std::time::Duration;
/// # use kindwright::{CaseResult, Ctx, wait::Limit};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let rarely = Limit::of(Duration::from_mins(2)).every(Duration::from_secs(5));
/// let ready = async || Ok(ctx.get("shop", "/report").send().await?.expect(200)?);
/// let report = ctx.until("the report", rarely, ready).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The longest that the whole wait may take.
    pub(crate) total: Duration,
    /// The pause between two looks.
    pub(crate) every: Duration,
}

impl Limit {
    /// Waits at most for `total`, and looks ten times a second.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use kindwright::wait::Limit;
    /// let limit = Limit::of(Duration::from_mins(2));
    /// ```
    pub const fn of(total: Duration) -> Self {
        Self { total, every: Duration::from_millis(100) }
    }

    /// Pauses for so long between two looks.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use kindwright::wait::Limit;
    /// let rarely = Limit::of(Duration::from_mins(2)).every(Duration::from_secs(5));
    /// ```
    #[must_use]
    pub const fn every(self, pause: Duration) -> Self {
        Self { every: pause, ..self }
    }

    /// Looks ten times a second for `seconds`.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self::of(Duration::from_secs(seconds))
    }
}

/// A limit of so long, within which is looked ten times a second.
impl From<Duration> for Limit {
    fn from(total: Duration) -> Self {
        Self::of(total)
    }
}

/// Why a wait ended without its condition.
#[derive(Debug, Error)]
pub(crate) enum WaitError<E> {
    /// Time ran out.
    #[error("{what} did not happen within {waited:.1?} ({looks} looks); last seen: {last}")]
    TimedOut {
        /// The condition, as the caller names it.
        what: String,
        /// How long was waited.
        waited: Duration,
        /// How often was looked.
        looks: usize,
        /// The latest [`Poll::NotYet`].
        last: String,
    },
    /// Looking failed for good, so waiting on would be pointless.
    #[error("cannot tell whether {what} happened")]
    Broken {
        /// The condition, as the caller names it.
        what: String,
        /// What went wrong.
        #[source]
        source: E,
    },
}

/// Looks at `check` until it is [`Poll::Ready`], it fails, or `limit` is up.
///
/// The limit covers the looks as well as the pauses: a look that hangs is cut
/// off. An `Err` ends the wait at once, so keep it for what cannot heal.
pub(crate) async fn until<T, E>(
    what: impl fmt::Display,
    limit: Limit,
    check: impl AsyncFnMut() -> Result<Poll<T>, E>,
) -> Result<T, WaitError<E>> {
    let mut history = History::begin();
    match look(limit, &mut history, check).await {
        Some(Ok(value)) => Ok(value),
        Some(Err(source)) => Err(WaitError::Broken { what: what.to_string(), source }),
        None => Err(WaitError::TimedOut {
            what: what.to_string(),
            waited: history.elapsed(),
            looks: history.looks(),
            last: history.last().unwrap_or("nothing").to_owned(),
        }),
    }
}

/// Looks as [`until`] does, and notes what is seen; nothing when time ran out.
pub(crate) async fn look<T, E>(
    limit: Limit,
    history: &mut History,
    mut check: impl AsyncFnMut() -> Result<Poll<T>, E>,
) -> Option<Result<T, E>> {
    let looking = async {
        loop {
            history.look();
            match check().await {
                Ok(Poll::Ready(value)) => return Ok(value),
                Ok(Poll::NotYet(seen)) => history.note(seen),
                Err(source) => return Err(source),
            }
            pause(limit.every).await;
        }
    };
    tokio::time::timeout(limit.total, looking).await.ok()
}

/// Looks for as long as `limit` says whether `check` goes on being so, and notes what is seen; once
/// at its beginning, and once when it is over.
///
/// A look that is on its way when time is over is waited for: nobody knows what it will see.
pub(crate) async fn keeps<E>(
    limit: Limit,
    history: &mut History,
    mut check: impl AsyncFnMut() -> Result<String, E>,
) -> Result<(), E> {
    loop {
        let left = limit.total.saturating_sub(history.elapsed());
        history.look();
        history.note(check().await?);
        if left.is_zero() {
            return Ok(());
        }
        pause(limit.every.min(limit.total.saturating_sub(history.elapsed()))).await;
    }
}

/// Lets `duration` pass; for limits and intervals, never instead of a condition.
#[expect(clippy::disallowed_methods, reason = "this module owns time")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const SHORT: Limit =
        Limit { total: Duration::from_millis(30), every: Duration::from_millis(5) };

    #[tokio::test]
    async fn a_timeout_reports_what_was_seen_last_and_how_often_was_looked() {
        let mut looks = 0;
        let error = until("the row", SHORT, async || {
            looks += 1;
            Ok::<Poll<()>, Infallible>(Poll::NotYet(format!("{looks} rows")))
        })
        .await
        .unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("the row did not happen within"), "{text}");
        assert!(text.ends_with("rows"), "{text}");
        assert!(text.contains("looks)"), "{text}");
    }

    #[tokio::test]
    async fn what_goes_on_holding_is_looked_at_also_when_time_is_over() {
        let (mut history, mut looks) = (History::begin(), 0);
        let check = async || {
            looks += 1;
            Ok::<_, Infallible>("open".to_owned())
        };
        assert_eq!(keeps(SHORT, &mut history, check).await, Ok(()));
        assert!(looks >= 2 && history.looks() == looks, "{looks} looks");
        assert!(history.elapsed() >= SHORT.total);
    }

    #[tokio::test]
    async fn what_does_not_go_on_holding_ends_a_wait_at_once() {
        let (mut history, mut looks) = (History::begin(), 0);
        let check = async || {
            looks += 1;
            if looks < 3 { Ok("open".to_owned()) } else { Err("closed") }
        };
        let long = Limit { total: Duration::from_mins(10), every: Duration::ZERO };
        assert_eq!(keeps(long, &mut history, check).await, Err("closed"));
        assert_eq!(history.last(), Some("open"));
    }

    #[tokio::test]
    async fn a_look_that_hangs_is_cut_off() {
        let error = until("an answer", SHORT, async || {
            std::future::pending::<Result<Poll<()>, Infallible>>().await
        })
        .await
        .unwrap_err();
        assert!(matches!(error, WaitError::TimedOut { .. }));
    }
}
