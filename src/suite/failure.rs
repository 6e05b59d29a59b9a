//! Why a case failed, with every cause in one text.

use std::{error::Error, fmt};

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

/// Joins an error and its causes with colons.
///
/// A cause that the text before it already says (many libraries print their
/// source too) is not said twice.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.ends_with(&words) {
            // What is indented is a block of its own.
            text.push_str(if words.starts_with(' ') { ":\n" } else { ": " });
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("read the order: {0}")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_cause_is_said_once() {
        let error = Outer(std::io::Error::other("no such order"));
        assert_eq!(Failure::from(error).into_text(), "read the order: no such order");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("ask for the order")]
    struct Asked(#[source] std::io::Error);

    #[test]
    fn a_block_begins_on_a_line_of_its_own() {
        let error = Asked(std::io::Error::other("    > GET /orders\n    < no answer"));
        assert_eq!(
            Failure::from(error).into_text(),
            "ask for the order:\n    > GET /orders\n    < no answer"
        );
    }
}
