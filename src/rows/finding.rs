//! What looks at rows have found.

use std::time::Duration;

use serde_json::Value;

use super::{row::Row, scope::Scope};
use crate::partial;

/// What the rows of one look mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// All is as expected.
    Holds,
    /// More rows could make it so.
    NotYet(Shortfall),
    /// No further row can, only a change of those that are there.
    Never(Shortfall),
}

/// The first thing that is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shortfall {
    pub(super) words: String,
    /// Where a row should have matched: how the nearest one differs from what was expected.
    pub(super) nearest: Option<String>,
}

impl Shortfall {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), nearest: None }
    }

    pub(super) fn with(words: String, expected: &Value, row: &Row) -> Self {
        let differences = partial::differences(expected, row.as_json(), "nearest row");
        Self { words, nearest: Some(differences) }
    }
}

/// What was seen when an expectation did not hold.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) scope: Scope,
    pub(super) shortfall: Shortfall,
    pub(super) rows: Vec<Row>,
    pub(super) waited: Duration,
    pub(super) looks: usize,
}

impl Seen {
    /// What was not as expected, for how long it was waited, and how often was looked.
    pub(super) fn words(&self) -> String {
        let looks = if self.looks == 1 { "look" } else { "looks" };
        let Self { shortfall, waited, .. } = self;
        format!("{} after {waited:.1?} ({} {looks})", shortfall.words, self.looks)
    }
}

/// A finding, as tests say it.
#[cfg(test)]
pub(super) fn words(finding: Finding) -> String {
    match finding {
        Finding::Holds => "holds".to_owned(),
        Finding::NotYet(shortfall) => format!("not yet: {}", shortfall.words),
        Finding::Never(shortfall) => format!("never: {}", shortfall.words),
    }
}
