//! Speaks to PostgreSQL in text: names and values are quoted, and its own words are told when it refuses.

use std::fmt;

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

/// The name of a table or a column, as it is, whatever is in it.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value whose type is that of what it is compared with or assigned to; nothing is NULL.
pub(crate) fn literal(text: Option<&str>) -> String {
    match text {
        // What a backslash means otherwise depends on a setting of the server.
        Some(text) => format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
        None => "NULL".to_owned(),
    }
}

/// What the server says about a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) code: String,
    message: String,
    notes: Vec<(&'static str, String)>,
    /// Where in the statement, counted in characters from 1.
    position: Option<usize>,
}

impl Words {
    /// What `error` says; the driver's own words if the server was not reached.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        let database =
            error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        let Some(error) = database else {
            return Self { message: error.to_string(), ..Self::default() };
        };
        let notes =
            [("detail", error.detail()), ("hint", error.hint()), ("context", error.r#where())];
        Self {
            code: error.code().to_owned(),
            message: error.message().to_owned(),
            notes: notes
                .into_iter()
                .filter_map(|(name, text)| Some((name, text?.replace('\n', "\n    "))))
                .collect(),
            position: match error.position() {
                Some(PgErrorPosition::Original(position)) => Some(position),
                Some(PgErrorPosition::Internal { .. }) | None => None,
            },
        }
    }

    /// How many lines below the first one of `statement` the fault lies.
    pub(crate) fn lines_below(&self, statement: &str) -> usize {
        let before = self.position.map_or(0, |position| position.saturating_sub(1));
        statement.chars().take(before).filter(|c| *c == '\n').count()
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.notes.iter().try_for_each(|(name, text)| write!(f, "\n  {name}: {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_or_a_value_ends_it() {
        assert_eq!(identifier("a\"; DROP TABLE b"), "\"a\"\"; DROP TABLE b\"");
        assert_eq!(literal(Some("it's \\' here")), "E'it''s \\\\'' here'");
        assert_eq!(literal(None), "NULL");
    }

    #[test]
    fn a_position_is_counted_in_characters() {
        let words = Words { position: Some(9), ..Words::default() };
        assert_eq!(words.lines_below("ä\nü\n\nselect"), 3);
        assert_eq!(Words::default().lines_below("a\nb"), 0);
    }
}
