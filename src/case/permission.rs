//! The permission of a case to act, which ends with it.

use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// The case is over, and what was given to it does nothing any more.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, GivenUp, HttpError};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// tokio::spawn(async move {
///     // What is left of a case ends with it.
///     while !matches!(ctx.get("shop", "/open").send().await, Err(HttpError::GivenUp(GivenUp { .. }))) {}
/// });
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error(
    "the case is over or was given up: what it was given does nothing any more; let a case await all that it begins"
)]
pub struct GivenUp;

/// Whether a case may still act. Clones are the same permission.
#[derive(Clone, Debug, Default)]
pub(super) struct Permission(CancellationToken);

impl Permission {
    /// Ends it, and whatever is done under it.
    pub(super) fn end(&self) {
        self.0.cancel();
    }

    /// Whether it is still there: for who has noted what he is about to do, so that what is done
    /// after its end is noted before it.
    pub(super) fn check(&self) -> Result<(), GivenUp> {
        if self.0.is_cancelled() { Err(GivenUp) } else { Ok(()) }
    }

    /// Acts, for as long as that is allowed.
    pub(super) fn act<T, E: From<GivenUp>>(
        &self,
        acting: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> {
        // What cases do is made of many such acts, and would be large otherwise.
        let acting = Box::pin(acting);
        async move { self.0.run_until_cancelled(acting).await.unwrap_or_else(|| Err(GivenUp.into())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_done_after_the_end_and_what_is_being_done_ends() {
        let permission = Permission::default();
        assert_eq!(permission.act(async { Ok::<_, GivenUp>(7) }).await, Ok(7));
        let hanging = permission.clone();
        let hanging = tokio::spawn(async move {
            hanging.act(std::future::pending::<Result<(), GivenUp>>()).await
        });
        tokio::task::yield_now().await;
        assert_eq!(permission.check(), Ok(()));
        permission.end();
        assert_eq!(permission.check(), Err(GivenUp));
        assert_eq!(hanging.await.unwrap(), Err(GivenUp));
        let mut done = false;
        let doing = permission.act(async {
            done = true;
            Ok::<_, GivenUp>(())
        });
        assert_eq!(doing.await, Err(GivenUp));
        assert!(!done);
    }
}
