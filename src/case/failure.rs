//! Why a case failed, with every cause in one text.

use std::{error::Error, fmt};

use crate::text::chain;

/// The outcome of one case.
pub type CaseResult = Result<(), Failure>;

/// Why a case failed.
///
/// It is made from any error with `?`, or by [`ensure!`](crate::ensure).
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure that no other error explains.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

// `libtest_mimic::Failed` keeps the top line only; walk the causes while we still have them.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(chain(&error))
    }
}
