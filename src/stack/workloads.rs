//! Makes what is deployed of what was planned.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::generation::Configuration;
use crate::{
    cluster::Delivered,
    image::Reference,
    manifest::{containers_mut, image_of, image_values, pod_spec_mut, text_at},
    plan::WorkloadPlan,
};

/// The images of a suite that were really delivered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Images<'a> {
    /// The reference of each, by the name that manifests use.
    pub(super) wanted: &'a BTreeMap<String, Reference>,
    pub(super) delivered: &'a BTreeMap<Reference, Delivered>,
}

/// Workloads of the images that were really delivered, and of the configuration of today.
pub(super) fn made_of(
    images: Images<'_>,
    workloads: &[WorkloadPlan],
    configuration: &Configuration,
) -> Vec<WorkloadPlan> {
    let mut made = workloads.to_vec();
    for object in made.iter_mut().flat_map(|workload| &mut workload.objects) {
        images.pin(object);
        configuration.mark(object);
    }
    made
}

impl<'a> Images<'a> {
    /// Makes an object name the delivered images, in containers and in values.
    pub(super) fn pin(self, object: &mut Value) {
        for container in pod_spec_mut(object).into_iter().flat_map(containers_mut) {
            let image = self.named(image_of(text_at(container, "/image")));
            if let Some(image) = image {
                image.pin(container);
            }
        }
        let values = image_values(object).into_iter().filter_map(|value| {
            let image = self.named(value.image)?;
            Some((value.pointer, format!("{}{}", value.flag, image.reference()), image))
        });
        for (pointer, text, image) in values.collect::<Vec<_>>() {
            set(object, &pointer, &text);
            // What a custom resource has of a container says how its image is pulled.
            if let Some((holder, _)) = pointer.rsplit_once('/') {
                set(object, &format!("{holder}/imagePullPolicy"), image.pull_policy());
            }
        }
    }

    fn named(self, name: &str) -> Option<&'a Delivered> {
        self.delivered.get(self.wanted.get(name)?)
    }
}

/// Sets the text at a pointer, if there is something.
fn set(object: &mut Value, pointer: &str, text: &str) {
    if let Some(value) = object.pointer_mut(pointer) {
        *value = json!(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_an_image_in_a_container_or_a_value_names_the_delivered_one() {
        let reference = Reference::new("worker", "tests", "0a1b2c3d");
        let wanted = BTreeMap::from([("worker".to_owned(), reference.clone())]);
        let delivered = BTreeMap::from([(reference.clone(), Delivered::as_wanted(&reference))]);
        let images = Images { wanted: &wanted, delivered: &delivered };
        let pin = |mut object: Value| {
            images.pin(&mut object);
            object
        };
        let worker = "localhost/worker:tests-0a1b2c3d";
        let pod = |image: &str, value: &str, policy: Option<&str>| {
            let mut container = json!({"name": "a", "image": image, "args": [format!("--image={value}")],
                "env": [{"name": "IMAGE", "value": value}, {"name": "NOTE", "value": "worker"}]});
            if let Some(policy) = policy {
                container["imagePullPolicy"] = json!(policy);
            }
            json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}})
        };
        assert_eq!(
            pin(pod("worker:1", "localhost/worker:any", None)),
            pod(worker, worker, Some("Never"))
        );
        let custom = |image: &str, policy: &str| {
            json!({"apiVersion": "example.io/v1", "kind": "Run", "spec": {
                "job": {"image": image, "imagePullPolicy": policy},
                "other": {"image": image},
                "title": "localhost/worker is fine",
            }})
        };
        assert_eq!(pin(custom("localhost/worker", "Always")), custom(worker, "Never"));
    }
}
