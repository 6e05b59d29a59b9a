//! One row of a table, as JSON.

use serde_json::{Map, Value};

use crate::suite::Table;

/// A row of a table, with a key for each column.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// for row in ctx.audit().at_least(1).holds().await? {
///     let sku = row.get("event_data.order.sku");
///     ensure!(sku.is_some(), "{} has no sku: {}", row.kind(), row.as_json());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    kind: String,
    emitter: String,
    /// When it was written; null where its table has no such column.
    time: Value,
    json: Value,
}

impl Row {
    /// A row of `table`, or the column that the table is declared with and has not.
    pub(super) fn of(table: &Table, json: Value) -> Result<Self, String> {
        if let Some(missing) = table.columns().find(|column| json.get(column).is_none()) {
            return Err(missing.to_owned());
        }
        let column = |column: &Option<String>| match column {
            Some(column) => json[column].clone(),
            None => Value::Null,
        };
        Ok(Self {
            kind: plain(&column(&table.kind)),
            emitter: plain(&column(&table.emitter)),
            time: column(&table.time),
            json,
        })
    }

    /// What is in its column of kinds; empty if the table is [declared](crate::Table::kind) without one.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let rows = ctx.audit().at_least(1).holds().await?;
    /// let kinds: Vec<_> = rows.iter().map(|row| row.kind()).collect();
    /// ensure!(kinds.first() == Some(&"order.accepted"), "they are {kinds:?}");
    /// # Ok(()) }
    /// ```
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What is in its column of emitters; empty if the table is [declared](crate::Table::emitter) without one.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let rows = ctx.audit().at_least(1).holds().await?;
    /// let strangers = rows.iter().filter(|row| row.emitter() != "shop").count();
    /// # Ok(()) }
    /// ```
    pub fn emitter(&self) -> &str {
        &self.emitter
    }

    /// What is in its column of times; null if the table is [declared](crate::Table::time) without one.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let rows = ctx.audit().exactly(2).holds().await?;
    /// ensure!(rows[0].time() != rows[1].time(), "both are of {}", rows[0].time());
    /// # Ok(()) }
    /// ```
    pub fn time(&self) -> &Value {
        &self.time
    }

    /// The value at a path of keys and indexes, like `event_data.errors.0`.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// for row in ctx.audit().at_least(1).holds().await? {
    ///     let first = row.get("event_data.items.0.sku");
    ///     ensure!(first.is_some(), "{} has no item", row.as_json());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.json, |value, key| match value.as_array() {
            Some(items) => items.get(key.parse::<usize>().ok()?),
            None => value.get(key),
        })
    }

    /// The whole row.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let rows = ctx.rows("orders")?.exactly(1).holds().await?;
    /// ctx.attach("order.json", format!("{:#}", rows[0].as_json()))?;
    /// # Ok(()) }
    /// ```
    pub fn as_json(&self) -> &Value {
        &self.json
    }

    /// The time of day, which is enough among the rows of one case.
    pub(super) fn time_of_day(&self) -> String {
        let timestamp = plain(&self.time);
        let time = timestamp.split_once('T').map_or(&*timestamp, |(_, time)| time);
        time.split_once('+').map_or(time, |(time, _)| time).to_owned()
    }

    /// What its columns say of which the table does not know what they mean.
    pub(super) fn rest(&self, table: &Table) -> Value {
        let entries = self.json.as_object().into_iter().flatten();
        let rest = entries.filter(|(name, value)| {
            !value.is_null() && !table.columns().any(|column| column == *name)
        });
        let rest = rest.map(|(name, value)| (name.clone(), value.clone()));
        Value::Object(rest.collect::<Map<_, _>>())
    }
}

/// A value of a column as people write it; nothing for NULL.
pub(super) fn plain(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_arrays() {
        let table = Table::new("events").kind("event_type").time("at");
        let json = json!({
            "event_type": "a", "at": "2026-01-02T03:04:05.6+00:00", "more": null,
            "event_data": {"errors": ["x", "y"]},
        });
        let row = Row::of(&table, json).unwrap();
        assert_eq!(row.get("event_data.errors.1"), Some(&json!("y")));
        assert_eq!(row.get("event_data.errors.first"), None);
        assert_eq!(row.get("event_type.nothing"), None);
        assert_eq!((row.kind(), &*row.time_of_day()), ("a", "03:04:05.6"));
        assert_eq!(row.rest(&table), json!({"event_data": {"errors": ["x", "y"]}}));
    }

    #[test]
    fn a_column_that_the_table_has_not_is_named() {
        let table = Table::new("events").kind("event_type").emitter("service");
        let found = Row::of(&table, json!({"event_type": 7}));
        assert_eq!(found, Err("service".to_owned()));
        let row = Row::of(&table, json!({"event_type": 7, "service": null})).unwrap();
        assert_eq!((row.kind(), &*row.emitter), ("7", ""));
    }
}
