//! Finds the images that values name: those by which an operator is told what its pods shall run.
//!
//! A value that is wholly `localhost/<name>`, with or without a version, can be nothing else but by intention. One that
//! is wholly `<registry>/<name>` with a tag or a digest may name an image of the suite by its last part, as
//! containers do, or one that the suite does not have. In an argument the value may follow a flag, as in
//! `--image=localhost/worker`.

use serde_json::Value;

use super::{GroupKind, pod_path};

/// What a reference begins with that is meant.
const REGISTRY: &str = "localhost";

/// What a digest begins with.
const DIGEST: &str = "sha256:";

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
    /// Whether only an image of the suite can be meant.
    pub(crate) is_meant: bool,
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
    let (image, is_meant) = image_in(text)?;
    Some(ImageValue { pointer, flag: "", image, is_meant })
}

fn named_after_flag(text: &str, pointer: String) -> Option<ImageValue<'_>> {
    let (flag, reference) = text.split_at(text.find('=').map_or(0, |equals| equals + 1));
    Some(ImageValue { flag, ..named(reference, pointer)? })
}

/// The name of the image, if a text is a reference to one and nothing else, and whether one of the suite is meant.
fn image_in(text: &str) -> Option<(&str, bool)> {
    let (text, digest) = parted(text, text.find('@'));
    let last = text.rfind('/')?;
    let (path, tag) = parted(text, text[last..].find(':').map(|colon| last + colon));
    let (registry, rest) = path.split_once('/')?;
    let is_meant = registry == REGISTRY && !rest.contains('/');
    let is_registry = is_meant || registry.contains(['.', ':']) && registry.split(':').all(is_name);
    let has_version = tag.is_some() || digest.is_some();
    let is_whole = rest.split('/').all(is_name)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(|digest| digest.strip_prefix(DIGEST).is_some_and(is_tag));
    let image = rest.rsplit('/').next()?;
    (is_registry && (is_meant || has_version) && is_whole).then_some((image, is_meant))
}

/// What is before a sign at some place, and what is after it.
fn parted(text: &str, place: Option<usize>) -> (&str, Option<&str>) {
    place.map_or((text, None), |place| (&text[..place], Some(&text[place + 1..])))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
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
        assert_eq!(image_in("localhost/worker"), Some(("worker", true)));
        assert_eq!(image_in("localhost/worker:v1.2-rc_3"), Some(("worker", true)));
        assert_eq!(image_in("localhost/worker@sha256:0a1b"), Some(("worker", true)));
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
            "example.io/worker",
            "https://example.io/worker:1",
            "example.io/worker:80/jobs",
            "acme/worker:1",
            "worker:1",
            "worker@sha512:12",
            "example.io/@sha256:12",
        ] {
            assert_eq!(image_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_reference_to_a_registry_may_name_an_image_by_its_last_part_if_it_has_a_version() {
        for text in [
            "docker.io/library/worker:1",
            "quay.io/worker:v2",
            "registry:5000/acme/worker:1",
            "registry.example:5000/acme/worker:1",
            "quay.io/acme/worker@sha256:0a1b",
            "quay.io/acme/worker:1@sha256:0a1b",
        ] {
            assert_eq!(image_in(text), Some(("worker", false)), "{text}");
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
