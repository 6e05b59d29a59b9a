//! Waits until something holds, and that it goes on holding, with the history of what was seen.

use std::{fmt, time::Duration};

use thiserror::Error;

use super::{Ctx, Failure, permission::GivenUp};
use crate::wait::{self, History, Limit, Poll};

/// Why something did not hold.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, Failure, ReadError, Unmet};
/// # use std::time::Duration;
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let limit = Duration::from_secs(5);
/// let line = ctx.logs("shop")?.until("its end", limit, |line| line.text() == "done").await;
/// if let Err(ReadError::Unmet(Unmet::Late { waited, .. })) = line {
///     return Err(Failure::skip(format_args!("this shop is not done within {waited:?}")));
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unmet {
    /// Time ran out.
    #[error("{what}: not so within {waited:.1?} ({} looks); seen:{history}", history.looks())]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// What was seen.
        history: Box<History>,
    },
    /// It was so, but did not stay so.
    #[error("{what}: not so after {after:.1?} of {} s ({} looks); seen:{history}", duration.as_secs_f64(), history.looks())]
    Lost {
        /// What was to go on.
        what: String,
        /// How long it should.
        duration: Duration,
        /// How long it did.
        after: Duration,
        /// What was seen.
        history: Box<History>,
    },
    /// The case is over.
    #[error(transparent)]
    GivenUp(#[from] GivenUp),
}

impl Ctx {
    /// Looks at `check` until it succeeds, ten times a second for at most `limit`, and returns what
    /// it returned then.
    ///
    /// A look that fails is not yet a failure: its words are what was seen, and the error tells the
    /// history of them. So everything that a case does with `?` and [`ensure!`](crate::ensure) can
    /// be waited for as it is. A look that hangs is cut off at the limit; one that
    /// [skips](Failure::skip) skips the case.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn an_order_is_shipped(ctx: Ctx) -> CaseResult {
    ///     let shipped = ctx.until("the order to be shipped", Duration::from_secs(10), async || {
    ///         let order: serde_json::Value =
    ///             ctx.get("shop", "/orders/7").send().await?.expect(200)?.json()?;
    ///         ensure!(order["state"] == "shipped", "it is {}", order["state"]);
    ///         Ok(order)
    ///     });
    ///     ensure!(shipped.await?["by"] == "ship", "it went by air");
    ///     Ok(())
    /// }
    /// ```
    pub async fn until<T>(
        &self,
        what: impl fmt::Display,
        limit: impl Into<Limit>,
        mut check: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut history = History::begin();
        let looking = async {
            let check = async || match check().await {
                Ok(value) => Ok(Poll::Ready(value)),
                Err(failure) if failure.skips() => Err(failure),
                Err(failure) => Ok(Poll::NotYet(failure.into_text())),
            };
            wait::look(limit.into(), &mut history, check).await.transpose()
        };
        let looked = self.permission().act(looking).await?;
        looked.ok_or_else(|| {
            let (what, waited) = (what.to_string(), history.elapsed());
            Unmet::Late { what, waited, history: Box::new(history) }.into()
        })
    }

    /// Looks at `check` for as long as `duration` says, ten times a second and once at its end, and
    /// fails as soon as a look does.
    ///
    /// What a look returns is told in the history of the error: return what is worth knowing there,
    /// or `()`. To be sure that something is so at all, wait for it with [`until`](Self::until) first.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn nothing_is_ordered_twice(ctx: Ctx) -> CaseResult {
    ///     ctx.stays("one order", Duration::from_secs(2), async || {
    ///         let orders: Vec<serde_json::Value> =
    ///             ctx.get("shop", "/orders").send().await?.expect(200)?.json()?;
    ///         ensure!(orders.len() == 1, "{} orders", orders.len());
    ///         Ok(orders.len())
    ///     })
    ///     .await?;
    ///     Ok(())
    /// }
    /// ```
    pub async fn stays<T: fmt::Debug>(
        &self,
        what: impl fmt::Display,
        duration: impl Into<Limit>,
        mut check: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<(), Failure> {
        let (limit, mut history) = (duration.into(), History::begin());
        let looking = async {
            let check = async || check().await.map(|value| words(&value));
            Ok::<_, GivenUp>(wait::keeps(limit, &mut history, check).await)
        };
        let Err(failure) = self.permission().act(looking).await? else { return Ok(()) };
        if failure.skips() {
            return Err(failure);
        }
        history.note(failure.into_text());
        let (what, duration, after) = (what.to_string(), limit.total, history.elapsed());
        Err(Unmet::Lost { what, duration, after, history: Box::new(history) }.into())
    }
}

/// What a look returned, for the history.
fn words(value: &impl fmt::Debug) -> String {
    let words = format!("{value:?}");
    if words == "()" { "it is so".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_stay_so_tells_how_long_it_did() {
        let mut history = History::begin();
        history.look();
        history.note(words(&1));
        history.look();
        history.note("2 orders");
        let (duration, after) = (Duration::from_secs(2), Duration::from_millis(300));
        let history = Box::new(history);
        let error = Unmet::Lost { what: "one order".into(), duration, after, history };
        assert_eq!(
            error.to_string(),
            "one order: not so after 300.0ms of 2 s (2 looks); seen:\n       0.0 s  1\n       0.0 s  2 orders"
        );
        assert_eq!(words(&()), "it is so");
    }
}
