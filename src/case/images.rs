//! What a case is told about the images of its suite.

use thiserror::Error;

/// The cluster has no such image.
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
