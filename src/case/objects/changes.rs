//! Tells in a few words what has changed between two versions of an object.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::text::shortened;

/// How many changes are told.
const TOLD: usize = 6;
/// How much of a value is told, in characters.
const SHOWN: usize = 80;

/// What the server changes each time.
const NOISE: [&str; 3] =
    ["metadata.managedFields", "metadata.resourceVersion", "metadata.generation"];

/// What has changed; an object that is null does not exist.
pub(super) fn changes(before: &Value, after: &Value) -> String {
    if after.is_null() {
        return "no such object".to_owned();
    }
    if before.is_null() {
        return "it is there".to_owned();
    }
    let (before, after) = (leaves(before), leaves(after));
    let set = after.iter().filter(|(path, value)| before.get(*path) != Some(value));
    let set = set.map(|(path, value)| format!("{path}: {}", shortened(&value.to_string(), SHOWN)));
    let below = |path: &str, other: &str| {
        other.strip_prefix(path).is_some_and(|rest| path.is_empty() || rest.starts_with('.'))
    };
    // What had no parts, and has some now, is not gone.
    let gone = before
        .keys()
        .filter(|path| !after.contains_key(*path) && !after.keys().any(|other| below(path, other)));
    let mut told: Vec<_> = set.chain(gone.map(|path| format!("{path} is gone"))).collect();
    if told.len() > TOLD {
        let more = told.len() - TOLD;
        told.truncate(TOLD);
        told.push(format!("and {more} more"));
    }
    if told.is_empty() { "nothing that is told".to_owned() } else { told.join(", ") }
}

/// The values of an object that have no parts, by their paths.
fn leaves(object: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    walk(object, String::new(), &mut found);
    found
}

fn walk<'a>(value: &'a Value, path: String, found: &mut BTreeMap<String, &'a Value>) {
    if NOISE.contains(&path.as_str()) {
        return;
    }
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                walk(value, below(name), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                walk(value, below(&index.to_string()), found);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            found.insert(path, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_by_its_path() {
        let before = json!({
            "metadata": {"resourceVersion": "1"},
            "spec": {},
            "status": {"phase": "Pending", "reason": "Queued"},
        });
        let after = json!({
            "metadata": {"resourceVersion": "2"},
            "spec": {"kind": "tea"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready"}]},
        });
        assert_eq!(
            changes(&before, &after),
            "spec.kind: \"tea\", status.conditions.0.type: \"Ready\", status.phase: \"Running\", status.reason is gone"
        );
        assert_eq!(changes(&Value::Null, &after), "it is there");
        assert_eq!(changes(&before, &Value::Null), "no such object");
    }

    #[test]
    fn many_changes_are_counted() {
        let after: Value = (0..20).map(|index| (format!("key{index:02}"), json!(index))).collect();
        let words = changes(&json!({}), &after);
        assert!(words.ends_with("key05: 5, and 14 more"), "{words}");
    }
}
