//! What is expected of the rows that are read.

use std::fmt;

use serde_json::Value;

use super::row::Row;
use crate::{suite::Table, text::shortened};

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

/// What is expected of the rows that are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Expectation {
    pub(super) emitter: Option<String>,
    /// All of them if empty.
    pub(super) kinds: Vec<String>,
    pub(super) count: Count,
    pub(super) order: Vec<String>,
    /// Of which kind a row is expected, if that is said, and what it matches.
    pub(super) matching: Vec<(Option<String>, Value)>,
    pub(super) all_matching: Vec<Value>,
}

impl Expectation {
    /// What a column would say that it needs and a table is declared without, and the method that needs it.
    pub(super) fn undeclared(&self, table: &Table) -> Option<(&'static str, &'static str)> {
        let of_kind = self.matching.iter().any(|(kind, _)| kind.is_some());
        let needs = [
            ("emitter", "emitter", self.emitter.is_some() && table.emitter.is_none()),
            ("kind", "kinds", !self.kinds.is_empty() && table.kind.is_none()),
            ("kind", "in_order", !self.order.is_empty() && table.kind.is_none()),
            ("time", "in_order", !self.order.is_empty() && table.time.is_none()),
            ("kind", "matching", of_kind && table.kind.is_none()),
        ];
        let missing = needs.into_iter().find(|(_, _, missing)| *missing);
        missing.map(|(column, needed_by, _)| (column, needed_by))
    }

    /// Whether a row counts.
    pub(super) fn counts(&self, row: &Row) -> bool {
        let emitted = self.emitter.as_ref().is_none_or(|emitter| row.emitter() == emitter);
        let wanted = self.kinds.is_empty() || self.kinds.iter().any(|kind| row.kind() == kind);
        emitted && wanted
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
        if !self.kinds.is_empty() {
            write!(f, " of {}", self.kinds.join(", "))?;
        }
        if !self.order.is_empty() {
            write!(f, "\nin the order {}", self.order.join(", "))?;
        }
        for partial in &self.all_matching {
            write!(f, "\neach matching {}", short(partial))?;
        }
        for (kind, partial) in &self.matching {
            write!(f, "\none{} matching {}", of(kind.as_deref()), short(partial))?;
        }
        Ok(())
    }
}

/// The kind of a row, if it is to have one.
pub(super) fn of(kind: Option<&str>) -> String {
    kind.map_or_else(String::new, |kind| format!(" of {kind}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_column_that_is_not_declared_is_named() {
        let table = Table::new("orders").kind("state");
        let order = Expectation { order: vec!["new".into()], ..Expectation::default() };
        assert_eq!(order.undeclared(&table), Some(("time", "in_order")));
        let emitter = Expectation { emitter: Some("till".into()), ..Expectation::default() };
        assert_eq!(emitter.undeclared(&table), Some(("emitter", "emitter")));
        let kinds = Expectation { kinds: vec!["new".into()], ..Expectation::default() };
        assert_eq!(kinds.undeclared(&table), None);
        assert_eq!(kinds.undeclared(&Table::new("orders")), Some(("kind", "kinds")));
    }
}
