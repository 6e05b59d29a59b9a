//! Finds the images that values name: those by which an operator is told what its pods shall run.
//!
//! A value names one if it is wholly `localhost/<name>` or `localhost/<name>:<tag>`: then it can be
//! nothing else but by intention. In an argument the value may follow a flag, as in
//! `--image=localhost/worker`.

use serde_json::Value;

use super::{GroupKind, pod_path};

/// What a reference begins with that is meant.
const REGISTRY: &str = "localhost/";

/// The longest tag.
const LONGEST: usize = 128;

/// A value that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageValue<'a> {
    /// Where it is in its object, as a JSON pointer.
    pub(crate) pointer: String,
    /// What is before the reference: a flag, or nothing.
    pub(crate) flag: &'a str,
    /// The image's name.
    pub(crate) image: &'a str,
}

/// The images that values of an object name: of custom resources any text, of pods the values of
/// variables and what is in `command` and `args`.
pub(crate) fn image_values(object: &Value) -> Vec<ImageValue<'_>> {
    let mut found = Vec::new();
    if GroupKind::of(object).is_custom() {
        texts(object, "", &mut found);
    } else if let Some(path) = pod_path(object) {
        for field in ["initContainers", "containers"] {
            let field = format!("{path}/{field}");
            for (container, pointer) in entries(object, &field) {
                for (variable, pointer) in entries(container, "/env").map(below(&pointer)) {
                    let value = variable["value"].as_str();
                    found.extend(value.and_then(|text| named(text, format!("{pointer}/value"))));
                }
                for field in ["/command", "/args"] {
                    for (argument, pointer) in entries(container, field).map(below(&pointer)) {
                        let text = argument.as_str();
                        found.extend(text.and_then(|text| named_after_flag(text, pointer)));
                    }
                }
            }
        }
    }
    found
}

/// Puts a pointer below another.
fn below<'a>(above: &str) -> impl Fn((&'a Value, String)) -> (&'a Value, String) {
    move |(value, pointer)| (value, format!("{above}{pointer}"))
}

/// The entries of a list at a pointer, each with its own.
fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a Value, String)> {
    let list = value.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    list.enumerate().map(move |(index, entry)| (entry, format!("{pointer}/{index}")))
}

/// Every text that names an image.
fn texts<'a>(value: &'a Value, pointer: &str, found: &mut Vec<ImageValue<'a>>) {
    match value {
        Value::String(text) => found.extend(named(text, pointer.to_owned())),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                texts(value, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                let field = field.replace('~', "~0").replace('/', "~1");
                texts(value, &format!("{pointer}/{field}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn named(text: &str, pointer: String) -> Option<ImageValue<'_>> {
    Some(ImageValue { pointer, flag: "", image: image_in(text)? })
}

fn named_after_flag(text: &str, pointer: String) -> Option<ImageValue<'_>> {
    let (flag, reference) = text.split_at(text.find('=').map_or(0, |equals| equals + 1));
    Some(ImageValue { pointer, flag, image: image_in(reference)? })
}

/// The name of the image, if a text is a reference to one and nothing else.
fn image_in(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(REGISTRY)?;
    let (name, tag) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
    let is_name = !name.is_empty()
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
    (is_name && tag.is_none_or(is_tag)).then_some(name)
}

fn is_tag(tag: &str) -> bool {
    let mut bytes = tag.bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= LONGEST
        && bytes.next().is_some_and(is_word)
        && bytes.all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(object: &Value) -> Vec<(String, &str, &str)> {
        let values = image_values(object).into_iter();
        values.map(|value| (value.pointer, value.flag, value.image)).collect()
    }

    #[test]
    fn a_text_names_an_image_only_if_it_is_a_reference_and_nothing_else() {
        assert_eq!(image_in("localhost/worker"), Some("worker"));
        assert_eq!(image_in("localhost/worker:v1.2-rc_3"), Some("worker"));
        for text in [
            "worker",
            "localhost",
            "localhost/",
            "localhost:5000/worker",
            "http://localhost/worker",
            "localhost/worker/jobs",
            "localhost/worker?x=1",
            "localhost/worker:",
            "localhost/worker: a job",
            "localhost/Worker",
            "see localhost/worker",
            "localhost/worker localhost/other",
            "docker.io/library/worker:1",
        ] {
            assert_eq!(image_in(text), None, "{text}");
        }
    }

    #[test]
    fn images_are_found_in_variables_and_arguments_of_all_containers() {
        let pod = json!({
            "initContainers": [{"name": "i", "command": ["run", "localhost/first:1"]}],
            "containers": [{
                "name": "c",
                "image": "localhost/operator",
                "env": [
                    {"name": "NOT", "value": "worker"},
                    {"name": "IMAGE", "value": "localhost/worker"},
                    {"name": "FROM", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ],
                "args": ["--image=localhost/other:x", "--health=http://localhost/health"],
            }],
        });
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": pod}}});
        let at = |rest: &str| format!("/spec/template/spec/{rest}");
        assert_eq!(
            found(&object),
            [
                (at("initContainers/0/command/1"), "", "first"),
                (at("containers/0/env/1/value"), "", "worker"),
                (at("containers/0/args/0"), "--image=", "other"),
            ]
        );
    }

    #[test]
    fn any_text_of_a_custom_resource_may_name_an_image_but_none_of_a_config_map() {
        let spec = json!({"a/b": [{"image": "localhost/worker:1"}], "n": 3});
        let object = |version: &str| json!({"apiVersion": version, "kind": "Thing", "spec": spec});
        let custom = object("example.io/v1");
        assert_eq!(found(&custom), [("/spec/a~1b/0/image".to_owned(), "", "worker")]);
        assert_eq!(custom.pointer("/spec/a~1b/0/image"), Some(&json!("localhost/worker:1")));
        for version in ["v1", "apps/v1", "networking.k8s.io/v1"] {
            assert_eq!(found(&object(version)), []);
        }
    }
}
