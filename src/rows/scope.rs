//! Which rows of a table are read, as SQL and in words.

use std::fmt;

use serde_json::Value;

use super::row::plain;
use crate::{
    partial,
    postgres::{identifier, literal},
    suite::Table,
    text::shortened,
};

/// How much of a filter is shown, in characters.
const SHOWN: usize = 100;

/// Which rows of a table are read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scope {
    pub(super) table: Table,
    /// The ids under which they are, each with what it is the id of; those of the table's column of ids.
    pub(super) ids: Vec<(String, String)>,
    /// The values that their columns have.
    pub(super) columns: Vec<(String, Value)>,
    /// What they have to match.
    pub(super) partials: Vec<Value>,
}

impl Scope {
    /// The rows under an id; all of them if the table has no column of ids.
    pub(super) fn under(table: Table, id: impl Into<Value>) -> Self {
        let columns = table.id.clone().map(|column| (column, id.into())).into_iter().collect();
        Self { table, ids: Vec::new(), columns, partials: Vec::new() }
    }

    /// The rows under any of these ids, each with what it is the id of.
    pub(super) fn under_any(table: Table, ids: Vec<(String, String)>) -> Self {
        Self { table, ids, columns: Vec::new(), partials: Vec::new() }
    }

    /// Whether it is the whole table, of which other cases have their part too.
    pub(super) fn is_all(&self) -> bool {
        self.ids.is_empty() && self.columns.is_empty() && self.partials.is_empty()
    }

    /// Whether a row of its columns is one of it.
    pub(super) fn has(&self, row: &Value) -> bool {
        // SQL takes arrays that have more, in any order.
        self.partials.iter().all(|partial| partial::matches(partial, row))
    }

    /// The statement that reads them.
    pub(super) fn statement(&self) -> String {
        let (schema, name) = self.table.path();
        let schema = schema.map_or_else(String::new, |schema| identifier(schema) + ".");
        let id = self.table.id.as_ref().filter(|_| !self.ids.is_empty()).map(|column| {
            let ids: Vec<_> = self.ids.iter().map(|(_, id)| literal(Some(id))).collect();
            format!("kindwright_row.{} IN ({})", identifier(column), ids.join(", "))
        });
        let equal = self.columns.iter().map(|(column, value)| {
            let column = identifier(column);
            if value.is_null() {
                format!("kindwright_row.{column} IS NULL")
            } else {
                format!("kindwright_row.{column} = {}", literal(Some(&plain(value))))
            }
        });
        let matching = self.partials.iter().map(|partial| {
            format!("to_jsonb(kindwright_row) @> {}::jsonb", literal(Some(&partial.to_string())))
        });
        let conditions: Vec<_> = id.into_iter().chain(equal).chain(matching).collect();
        let order = [&self.table.time, &self.table.key].into_iter().flatten();
        let order: Vec<_> =
            order.map(|column| format!("kindwright_row.{}", identifier(column))).collect();
        let listed = |before: &str, parts: &[String], between: &str| {
            if parts.is_empty() {
                String::new()
            } else {
                format!(" {before} {}", parts.join(between))
            }
        };
        format!(
            "SELECT to_jsonb(kindwright_row) FROM {schema}{} AS kindwright_row{}{}",
            identifier(name),
            listed("WHERE", &conditions, " AND "),
            listed("ORDER BY", &order, ", "),
        )
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.table.called())?;
        let ids = (!self.ids.is_empty()).then(|| {
            let ids: Vec<_> = self.ids.iter().map(|(of, id)| format!("`{id}` ({of})")).collect();
            format!("{} is {}", self.table.id.as_deref().unwrap_or_default(), ids.join(" or "))
        });
        let columns = self.columns.iter().map(|(column, value)| {
            let value = if value.is_null() { "NULL".to_owned() } else { plain(value) };
            format!("{column} is `{value}`")
        });
        let matching = self
            .partials
            .iter()
            .map(|it| format!("it matches {}", shortened(&it.to_string(), SHOWN)));
        let conditions: Vec<_> = ids.into_iter().chain(columns).chain(matching).collect();
        if conditions.is_empty() {
            return Ok(());
        }
        write!(f, " where {}", conditions.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_values_are_quoted() {
        let table = Table::new("billing.Bill").id("trace").time("at").key("no");
        let mut scope = Scope::under(table, "it's 7");
        scope.columns.push(("paid".into(), json!(null)));
        scope.partials.push(json!({"sku": "t\\a"}));
        assert_eq!(
            scope.statement(),
            r#"SELECT to_jsonb(kindwright_row) FROM "billing"."Bill" AS kindwright_row WHERE "#
                .to_owned()
                + r#"kindwright_row."trace" = E'it''s 7' AND kindwright_row."paid" IS NULL "#
                + r#"AND to_jsonb(kindwright_row) @> E'{"sku":"t\\\\a"}'::jsonb "#
                + r#"ORDER BY kindwright_row."at", kindwright_row."no""#
        );
        assert_eq!(
            scope.to_string(),
            r#"`billing.Bill` where trace is `it's 7` and paid is `NULL` and it matches {"sku":"t\\a"}"#
        );
    }

    #[test]
    fn rows_are_read_under_any_of_several_ids() {
        let ids = [("request", "rr-7"), ("run", "it's")].map(|(of, id)| (of.into(), id.into()));
        let scope = Scope::under_any(Table::new("events").id("trace"), ids.into());
        assert!(!scope.is_all());
        assert!(
            scope.statement().ends_with(r#" WHERE kindwright_row."trace" IN (E'rr-7', E'it''s')"#),
            "{}",
            scope.statement()
        );
        assert_eq!(scope.to_string(), "`events` where trace is `rr-7` (request) or `it's` (run)");
    }

    #[test]
    fn a_table_without_ids_is_read_as_a_whole() {
        let scope = Scope::under(Table::new("orders"), "shop-7");
        assert!(scope.is_all());
        assert_eq!(
            scope.statement(),
            r#"SELECT to_jsonb(kindwright_row) FROM "orders" AS kindwright_row"#
        );
        assert_eq!(scope.to_string(), "`orders`");
    }

    #[test]
    fn an_array_has_no_more_elements_although_sql_takes_one_that_has() {
        let mut scope = Scope::under(Table::new("orders"), "shop-7");
        scope.partials.push(json!({"tags": ["a"]}));
        assert!(scope.has(&json!({"tags": ["a"], "no": 1})));
        assert!(!scope.has(&json!({"tags": ["a", "b"]})));
    }
}
