//! Why a request had no usable answer.

use thiserror::Error;

use super::Exchange;
use crate::case::{EndpointError, permission::GivenUp};

/// Why a request had no usable answer.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, Failure, HttpError, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// match ctx.get("shop", "/open").send().await {
///     Ok(answer) => ensure!(answer.status() == 200, "it says {}", answer.text()),
///     Err(HttpError::Silent { exchange, .. }) => {
///         return Err(Failure::new(format_args!("nobody answers:\n{exchange}")));
///     }
///     Err(other) => return Err(other.into()),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// There is no such service.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The case is over.
    #[error(transparent)]
    GivenUp(#[from] GivenUp),
    /// There was no answer.
    #[error("{exchange}")]
    Silent {
        /// The exchange.
        exchange: Exchange,
        /// What happened instead.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer has another status.
    #[error("expected status {expected}:\n{exchange}")]
    Status {
        /// The expected status.
        expected: u16,
        /// The exchange.
        exchange: Exchange,
    },
    /// The answer's body does not match.
    #[error("the body does not match:\n{exchange}\n{differences}")]
    Mismatch {
        /// The exchange.
        exchange: Exchange,
        /// In which lines the body differs from what was expected.
        differences: String,
    },
    /// The answer's body is not what it should be.
    #[error("the body is not the JSON that was expected:\n{exchange}")]
    Body {
        /// The exchange.
        exchange: Exchange,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}
