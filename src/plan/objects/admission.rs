//! Lets webhooks and policies see the namespaces of their own suite only.

use serde_json::{Map, Value};

use crate::manifest::{SUITE, text_at};

/// Narrows what an object admits or refuses to the namespaces of a suite.
pub(super) fn narrow(object: &mut Value, suite: &str) {
    match text_at(object, "/kind") {
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            let webhooks = object.get_mut("webhooks").and_then(Value::as_array_mut);
            webhooks.into_iter().flatten().for_each(|webhook| select(webhook, suite));
        }
        "MutatingAdmissionPolicy" | "ValidatingAdmissionPolicy" => {
            part(object, "spec")
                .and_then(|spec| part(spec, "matchConstraints"))
                .into_iter()
                .for_each(|constraints| select(constraints, suite));
        }
        "MutatingAdmissionPolicyBinding" | "ValidatingAdmissionPolicyBinding" => {
            part(object, "spec")
                .and_then(|spec| part(spec, "matchResources"))
                .into_iter()
                .for_each(|resources| select(resources, suite));
        }
        _ => {}
    }
}

/// Adds the suite's label to a `namespaceSelector`.
fn select(value: &mut Value, suite: &str) {
    let selector = part(value, "namespaceSelector");
    let labels = selector.and_then(|selector| part(selector, "matchLabels"));
    if let Some(labels) = labels.and_then(Value::as_object_mut) {
        labels.insert(SUITE.to_owned(), Value::String(suite.to_owned()));
    }
}

/// A mapping in a mapping, made where it is not there.
fn part<'a>(value: &'a mut Value, field: &str) -> Option<&'a mut Value> {
    let part = value.as_object_mut()?.entry(field).or_insert(Value::Null);
    if part.is_null() {
        *part = Value::Object(Map::new());
    }
    Some(part)
}
