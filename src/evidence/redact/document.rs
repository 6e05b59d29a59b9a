//! Hides secrets in JSON by its structure, which stays as it is.

use serde_json::{Map, Value};

use super::{
    mark::HIDDEN,
    name::{hides, holds_secrets, is_secret},
};

/// Cleans a document with what cleans a text and what cleans a key.
///
/// Numbers, booleans and nulls are left: they are no secrets.
pub(super) fn hide(
    document: &mut Value,
    text: &impl Fn(&str) -> String,
    key: &impl Fn(&str) -> String,
) {
    match document {
        Value::String(string) => *string = text(string),
        Value::Array(items) => {
            let mut flag: Option<String> = None;
            for item in items {
                // `["--password", "x"]` is how programs are called.
                let next = item
                    .as_str()
                    .filter(|item| item.starts_with('-') && !item.contains('='))
                    .map(str::to_owned);
                match flag {
                    Some(flag) => hide_value(&flag, item, text, key),
                    None => hide(item, text, key),
                }
                flag = next;
            }
        }
        Value::Object(fields) => {
            // `{name: POSTGRES_PASSWORD, value: x}` is how pods write their environment.
            let named = text_of(fields, "name").or_else(|| text_of(fields, "key"));
            let secret = text_of(fields, "kind").is_some_and(|kind| kind == "Secret");
            for (name, mut value) in std::mem::take(fields) {
                let of = match &named {
                    Some(named) if is_called(&name, "value") => named,
                    _ => &name,
                };
                let content = is_called(&name, "data") || is_called(&name, "stringData");
                if holds_secrets(of) || secret && content {
                    hide_all(&mut value);
                } else {
                    hide_value(of, &mut value, text, key);
                }
                insert(fields, key(&name), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Hides the texts of a value if its name says that they are secrets.
fn hide_value(
    name: &str,
    value: &mut Value,
    text: &impl Fn(&str) -> String,
    key: &impl Fn(&str) -> String,
) {
    match value {
        Value::String(string) if hides(name, string) => *value = hidden(),
        Value::Array(items) if is_secret(name) => {
            for item in items {
                hide_value(name, item, text, key);
            }
        }
        // `{secret: {secretName: x}}` has names of its own.
        Value::Object(_)
        | Value::Array(_)
        | Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_) => hide(value, text, key),
    }
}

/// Hides every text of a value.
fn hide_all(value: &mut Value) {
    match value {
        Value::String(text) if text.is_empty() => {}
        Value::String(_) => *value = hidden(),
        Value::Array(items) => items.iter_mut().for_each(hide_all),
        Value::Object(fields) => fields.values_mut().for_each(hide_all),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn hidden() -> Value {
    Value::String(HIDDEN.to_owned())
}

fn is_called(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

fn text_of(fields: &Map<String, Value>, wanted: &str) -> Option<String> {
    let (_, value) = fields.iter().find(|(name, _)| is_called(name, wanted))?;
    value.as_str().map(str::to_owned)
}

/// Inserts a field under a name of its own: two that were different secrets must not become one.
fn insert(fields: &mut Map<String, Value>, mut name: String, value: Value) {
    while fields.contains_key(&name) {
        name.push('\'');
    }
    fields.insert(name, value);
}
