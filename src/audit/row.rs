//! One row of `audit_events`, as JSON.

use serde_json::Value;

/// A row of `audit_events`, with a key for each column.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow(Value);

impl AuditRow {
    pub(super) fn new(row: Value) -> Self {
        Self(row)
    }

    /// The type of the event.
    pub fn event_type(&self) -> &str {
        self.text("event_type")
    }

    /// The value at a path of keys and indexes, like `event_data.errors.0`.
    pub fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.0, |value, key| match value.as_array() {
            Some(items) => items.get(key.parse::<usize>().ok()?),
            None => value.get(key),
        })
    }

    /// The whole row.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// A column of text; empty if it is not there.
    pub(super) fn text(&self, column: &str) -> &str {
        self.0.get(column).and_then(Value::as_str).unwrap_or_default()
    }

    /// The time of day, which is enough under one id.
    pub(super) fn time(&self) -> &str {
        let timestamp = self.text("event_timestamp");
        let time = timestamp.split_once('T').map_or(timestamp, |(_, time)| time);
        time.split_once('+').map_or(time, |(time, _)| time)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_arrays() {
        let row = AuditRow::new(json!({
            "event_type": "a", "event_timestamp": "2026-01-02T03:04:05.6+00:00",
            "event_data": {"errors": ["x", "y"]},
        }));
        assert_eq!(row.get("event_data.errors.1"), Some(&json!("y")));
        assert_eq!(row.get("event_data.errors.first"), None);
        assert_eq!(row.get("event_type.nothing"), None);
        assert_eq!((row.event_type(), row.time()), ("a", "03:04:05.6"));
    }
}
