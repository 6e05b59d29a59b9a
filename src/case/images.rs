//! What a case is told about the images of its suite.

use thiserror::Error;

/// The cluster has no such image.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, Failure, NoImage};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let worker = match ctx.image("worker") {
///     Err(NoImage { known, .. }) => return Err(Failure::skip(format_args!("only {known}"))),
///     Ok(worker) => worker,
/// };
/// ctx.attach("image.txt", worker)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "no image `{image}` was brought to the cluster for the suite (it has {known}); declare it with `.image(..)`, and with `Image::for_cases` if no manifest names it"
)]
#[non_exhaustive]
pub struct NoImage {
    /// What was asked for.
    pub image: String,
    /// What there is, in words.
    pub known: String,
}
