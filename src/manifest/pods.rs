//! Finds the pods in manifests, and the images in pods.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{image_values, text_at};

/// The name of an image of ours in a manifest: no registry, no tag, no digest.
pub(crate) fn image_of(reference: &str) -> &str {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split(['@', ':']).next().unwrap_or(last)
}

/// What an object calls the images that it needs: those of its containers, and those that its values name.
pub(crate) fn images(object: &Value) -> impl Iterator<Item = &str> {
    let pod = pod_spec(object).and_then(Value::as_object);
    let lists = pod.into_iter().flat_map(Map::iter).filter(|(name, _)| holds_containers(name));
    let containers = lists.filter_map(|(_, list)| list.as_array()).flatten();
    let images = containers.map(|container| image_of(text_at(container, "/image")));
    images.chain(image_values(object).into_iter().map(|value| value.image))
}

fn holds_containers(field: &str) -> bool {
    matches!(field, "containers" | "initContainers")
}

/// The label selector of the pods of an object, if it has any.
pub(crate) fn selector(object: &Value) -> Option<String> {
    let labels: BTreeMap<String, String> = match text_at(object, "/kind") {
        "Job" => {
            BTreeMap::from([("job-name".to_owned(), text_at(object, "/metadata/name").to_owned())])
        }
        "Pod" => serde_json::from_value(object.pointer("/metadata/labels")?.clone()).ok()?,
        _ => serde_json::from_value(object.pointer("/spec/selector/matchLabels")?.clone()).ok()?,
    };
    let pairs: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Some(pairs.join(","))
}

pub(super) fn pod_path(object: &Value) -> Option<&'static str> {
    match text_at(object, "/kind") {
        "Pod" => Some("/spec"),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            Some("/spec/template/spec")
        }
        "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
        _ => None,
    }
}

/// Where an object has the metadata and the spec of its pods.
pub(crate) fn template_path(object: &Value) -> Option<&'static str> {
    pod_path(object)?.strip_suffix("/spec")
}

/// The metadata and the spec of the pods of an object.
pub(crate) fn template(object: &Value) -> Option<&Value> {
    object.pointer(template_path(object)?)
}

pub(crate) fn pod_spec(object: &Value) -> Option<&Value> {
    object.pointer(pod_path(object)?)
}

pub(crate) fn pod_spec_mut(object: &mut Value) -> Option<&mut Value> {
    let path = pod_path(object)?;
    object.pointer_mut(path)
}

pub(crate) fn containers_mut(pod: &mut Value) -> impl Iterator<Item = &mut Value> {
    let fields = pod.as_object_mut().into_iter().flat_map(Map::iter_mut);
    fields
        .filter(|(name, _)| holds_containers(name))
        .filter_map(|(_, list)| list.as_array_mut())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_the_last_part_of_its_reference() {
        for reference in
            ["datastorage", "localhost/datastorage:dev", "r.example:5000/a/datastorage@sha256:ab"]
        {
            assert_eq!(image_of(reference), "datastorage");
        }
    }
}
