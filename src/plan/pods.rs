//! Finds the pods in manifests, and the images in pods.

use serde_json::{Map, Value};

use super::objects::word;

/// The name of an image of ours in a manifest: no registry, no tag, no digest.
pub(crate) fn image_of(reference: &str) -> &str {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split(['@', ':']).next().unwrap_or(last)
}

/// The image of every container of an object.
pub(crate) fn images_mut(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    pod_spec_mut(object)
        .into_iter()
        .flat_map(containers_mut)
        .filter_map(|container| container.get_mut("image"))
}

fn pod_path(object: &Value) -> Option<&'static str> {
    match word(object, "/kind") {
        "Pod" => Some("/spec"),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            Some("/spec/template/spec")
        }
        "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
        _ => None,
    }
}

pub(super) fn pod_spec(object: &Value) -> Option<&Value> {
    object.pointer(pod_path(object)?)
}

pub(super) fn pod_spec_mut(object: &mut Value) -> Option<&mut Value> {
    let path = pod_path(object)?;
    object.pointer_mut(path)
}

pub(super) fn containers_mut(pod: &mut Value) -> impl Iterator<Item = &mut Value> {
    let fields = pod.as_object_mut().into_iter().flat_map(Map::iter_mut);
    fields
        .filter(|(name, _)| matches!(name.as_str(), "containers" | "initContainers"))
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
