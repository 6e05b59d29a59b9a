//! One expected event of a timeline.

use std::fmt;

use crate::rows::row::Row;

/// An event that a [`Timeline`](crate::Timeline) expects: its kind, and who writes it if that is said.
///
/// ```
/// use kindwright::Entry;
///
/// let whoever = Entry::from("order.accepted");
/// let carrier = Entry::from(("carrier", "parcel.sent"));
/// assert_eq!(carrier.to_string(), "parcel.sent by carrier");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    emitter: Option<String>,
    kind: String,
}

impl Entry {
    /// Whether a row is such an event.
    pub(super) fn is(&self, row: &Row) -> bool {
        let emitted = self.emitter.as_ref().is_none_or(|emitter| row.emitter() == emitter);
        row.kind() == self.kind && emitted
    }

    pub(super) fn emitter(&self) -> Option<&str> {
        self.emitter.as_deref()
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }
}

impl From<&str> for Entry {
    fn from(kind: &str) -> Self {
        Self { emitter: None, kind: kind.to_owned() }
    }
}

impl From<String> for Entry {
    fn from(kind: String) -> Self {
        Self { emitter: None, kind }
    }
}

/// An emitter, and a kind.
impl From<(&str, &str)> for Entry {
    fn from((emitter, kind): (&str, &str)) -> Self {
        Self { emitter: Some(emitter.to_owned()), kind: kind.to_owned() }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.emitter.iter().try_for_each(|emitter| write!(f, " by {emitter}"))
    }
}
