//! Waits for what the API server shows, also when a request fails that may not fail again.

use std::fmt;

use super::error::is_refusal;
use crate::{
    text::chain,
    wait::{self, Limit, Poll, WaitError},
};

/// Looks at `check` until it is ready, the server refuses, or `limit` is up. Any other failure, as
/// of a server that is overloaded or a connection that broke, is something that was seen.
pub(super) async fn until<T>(
    what: impl fmt::Display,
    limit: Limit,
    mut check: impl AsyncFnMut() -> Result<Poll<T>, kube::Error>,
) -> Result<T, WaitError<kube::Error>> {
    let check = async || match check().await {
        Err(error) if !is_refusal(&error) => Ok(Poll::NotYet(chain(&error))),
        looked => looked,
    };
    wait::until(what, limit, check).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kube::core::Status;

    use super::*;

    const LIMIT: Limit = Limit { total: Duration::from_mins(1), every: Duration::ZERO };

    fn answered(code: u16) -> kube::Error {
        kube::Error::Api(Box::new(Status { code, ..Status::default() }))
    }

    #[tokio::test]
    async fn a_request_that_failed_is_tried_again_until_it_is_refused() {
        let mut answers = [answered(503), kube::Error::TlsRequired, answered(409)].into_iter();
        let check = async || answers.next().map_or(Ok(Poll::Ready(7)), Err);
        assert_eq!(until("seven", LIMIT, check).await.unwrap(), 7);
        let mut answers = [answered(500), answered(403)].into_iter();
        let check = async || answers.next().map_or(Ok(Poll::Ready(7)), Err);
        let error = until("seven", LIMIT, check).await.unwrap_err();
        let WaitError::Broken { source: kube::Error::Api(status), .. } = error else { panic!() };
        assert_eq!(status.code, 403);
    }
}
