//! What is expected of the rows under an id.

use std::fmt;

use serde_json::Value;

use super::row::AuditRow;
use crate::text::shortened;

/// How many rows are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// This many.
    Exactly(usize),
    /// This many or more.
    AtLeast(usize),
}

impl Default for Count {
    /// One, so that nothing holds only because nothing was written.
    fn default() -> Self {
        Self::AtLeast(1)
    }
}

/// What is expected of the rows under an id.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Expectation {
    pub(super) emitter: Option<String>,
    /// All of them if empty.
    pub(super) types: Vec<String>,
    pub(super) count: Count,
    pub(super) order: Vec<String>,
    pub(super) matching: Vec<(String, Value)>,
    pub(super) all_matching: Vec<Value>,
}

impl Expectation {
    /// Whether a row counts.
    pub(super) fn counts(&self, row: &AuditRow) -> bool {
        let emitted = self.emitter.as_ref().is_none_or(|emitter| row.text("actor_id") == emitter);
        let typed =
            self.types.is_empty() || self.types.iter().any(|wanted| row.event_type() == wanted);
        emitted && typed
    }

    /// Whether a row that comes later could break what holds now.
    pub(super) fn may_break(&self) -> bool {
        matches!(self.count, Count::Exactly(_)) || !self.all_matching.is_empty()
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(rows) => rows.fmt(f),
            Self::AtLeast(rows) => write!(f, "at least {rows}"),
        }
    }
}

/// One requirement a line.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            Count::Exactly(rows) => write!(f, "exactly {}", counted(rows))?,
            Count::AtLeast(rows) => write!(f, "at least {}", counted(rows))?,
        }
        if let Some(emitter) = &self.emitter {
            write!(f, " by {emitter}")?;
        }
        if !self.types.is_empty() {
            write!(f, " of {}", self.types.join(", "))?;
        }
        if !self.order.is_empty() {
            write!(f, "\nin the order {}", self.order.join(", "))?;
        }
        for partial in &self.all_matching {
            write!(f, "\neach matching {}", short(partial))?;
        }
        for (event_type, partial) in &self.matching {
            write!(f, "\none of {event_type} matching {}", short(partial))?;
        }
        Ok(())
    }
}

/// `rows` with its noun.
pub(super) fn counted(rows: usize) -> String {
    match rows {
        0 => "no row".to_owned(),
        1 => "1 row".to_owned(),
        more => format!("{more} rows"),
    }
}

/// JSON in at most 100 characters.
fn short(json: &Value) -> String {
    const MOST: usize = 100;
    shortened(&json.to_string(), MOST)
}
