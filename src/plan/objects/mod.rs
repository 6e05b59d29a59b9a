//! Edits manifests as data: there are no placeholders, so the files stay valid for kubectl.

use std::path::Path;

use serde_json::{Value, json};

mod admission;
mod names;
mod references;
mod services;

use names::{Names, is_of_system};

use super::{Inputs, node_ports::Assigned};
use crate::{
    manifest::{GroupKind, SUITE, containers_mut, image_of, image_values, pod_spec_mut, text_at},
    problem::Problem,
    suite::{Condition, Suite, Workload},
    text::listed,
};

/// Folders of the node in which each namespace gets one of its own.
const NODE_FOLDERS: [&str; 2] = ["/var/lib/kindwright", "/kindwright"];

/// What brings kinds of objects, which all suites of a cluster share.
pub(super) const CUSTOM: &str = "CustomResourceDefinition";

/// Sets in the objects of one suite what its plan decides.
pub(super) struct Editor<'a> {
    inputs: &'a Inputs<'a>,
    suite: &'a Suite,
    node_ports: &'a Assigned,
    names: Names<'a>,
}

impl<'a> Editor<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, suite: &'a Suite, node_ports: &'a Assigned) -> Self {
        let objects = inputs.inventory.objects(suite);
        let suites = inputs.selection.suites.iter();
        let all = suites.flat_map(|suite| inputs.inventory.objects(suite));
        let names = Names::of(suite, objects, all);
        Self { inputs, suite, node_ports, names }
    }

    /// The objects of the manifests without pods.
    pub(super) fn resources(&self, problems: &mut Vec<Problem>) -> Vec<Value> {
        let paths = self.suite.resources.iter();
        paths.flat_map(|path| self.edited(path, problems)).collect()
    }

    /// The objects of a workload.
    pub(super) fn workload(&self, workload: &Workload, problems: &mut Vec<Problem>) -> Vec<Value> {
        let mut objects = self.edited(&workload.manifest, problems);
        for object in &mut objects {
            if object["kind"] == "Service" {
                services::set_node_ports(self.suite, workload, self.node_ports, object, problems);
            }
        }
        // A manifest that cannot be read is a problem of its own.
        if !objects.is_empty() {
            services::check(self.suite, workload, &objects, problems);
        }
        objects
    }

    /// What must hold of a workload, of objects as they are called in the cluster.
    pub(super) fn conditions(&self, workload: &Workload) -> Vec<Condition> {
        let conditions = workload.patience.until.iter().cloned();
        let placed = conditions.map(|condition| {
            let kind = GroupKind::new(&condition.version, &condition.kind);
            let name = self.names.of_object(&kind, &condition.name).to_owned();
            let meant = condition.namespace.as_deref().unwrap_or_default();
            let namespace = self.suite.namespace_of(meant);
            Condition { name, ..condition }.namespace(namespace)
        });
        placed.collect()
    }

    fn edited(&self, path: &Path, problems: &mut Vec<Problem>) -> Vec<Value> {
        let mut objects = self.inputs.inventory.manifest(path).to_vec();
        for object in &mut objects {
            self.place(path, object, problems);
            if object["kind"] == "Service" {
                services::name_protocols(object.pointer_mut("/spec/ports"));
            }
            if object["kind"] == "Deployment" {
                replace_all_at_once(object);
            }
            if let Some(pod) = pod_spec_mut(object) {
                self.edit_pod(path, pod, problems);
            }
            self.check_values(path, object, problems);
        }
        objects
    }

    fn place(&self, path: &Path, object: &mut Value, problems: &mut Vec<Problem>) {
        let kind = GroupKind::of(object);
        if kind == GroupKind::new("v1", "Namespace") {
            problems.push(Problem::Namespace {
                suite: self.suite.name.clone(),
                manifest: path.to_owned(),
                name: text_at(object, "/metadata/name").to_owned(),
            });
            return;
        }
        let of_system = is_of_system(object);
        if of_system {
            self.names.rename_in_system(object);
        }
        let metadata = &mut object["metadata"];
        if self.names.is_cluster_scoped(&kind) {
            // This is how one of them is known from now on.
            metadata.as_object_mut().and_then(|metadata| metadata.remove("namespace"));
            self.names.follow(&kind, &mut metadata["name"]);
        } else if !of_system {
            let meant = text_at(metadata, "/namespace");
            if let Some(near) = self.suite.nearly_namespace(meant) {
                problems.push(Problem::NearNamespace {
                    suite: self.suite.name.clone(),
                    manifest: path.to_owned(),
                    object: format!("{} `{}`", kind.kind, text_at(metadata, "/name")),
                    namespace: meant.to_owned(),
                    near: near.to_owned(),
                });
            }
            metadata["namespace"] = json!(self.suite.namespace_of(meant));
        }
        if kind.kind != CUSTOM {
            label(metadata, &self.suite.name);
        }
        let template = object.pointer_mut("/spec/template/metadata");
        if let Some(metadata) = template.filter(|metadata| metadata.is_object()) {
            label(metadata, &self.suite.name);
        }
        references::follow(object, &self.names);
        admission::narrow(object, &self.suite.name);
    }

    fn edit_pod(&self, path: &Path, pod: &mut Value, problems: &mut Vec<Problem>) {
        let volumes = pod.get_mut("volumes").and_then(Value::as_array_mut);
        for folder in volumes.into_iter().flatten() {
            if let Some(Value::String(folder)) = folder.pointer_mut("/hostPath/path") {
                *folder = own_folder(folder, &self.suite.name);
            }
        }
        for container in containers_mut(pod) {
            services::name_protocols(container.get_mut("ports"));
            let image = text_at(container, "/image");
            if self.provides(image_of(image)) {
                continue;
            }
            let (suite, manifest) = (self.suite.name.clone(), path.to_owned());
            let (name, image) = (image_of(image), image.to_owned());
            problems.push(if self.leaves_out(name) {
                Problem::BeyondImage { suite, manifest, image }
            } else {
                Problem::Image { suite, manifest, image, known: self.provided() }
            });
        }
    }

    /// Says which values name images that the suite does not have.
    fn check_values(&self, path: &Path, object: &Value, problems: &mut Vec<Problem>) {
        for value in image_values(object) {
            let left_out = self.leaves_out(value.image);
            if self.provides(value.image) || !(value.is_meant || left_out) {
                continue;
            }
            let (suite, manifest) = (self.suite.name.clone(), path.to_owned());
            let text = text_at(object, &value.pointer).to_owned();
            problems.push(if left_out {
                Problem::BeyondImage { suite, manifest, image: text }
            } else {
                let (kind, name) = (text_at(object, "/kind"), text_at(object, "/metadata/name"));
                let (object, known) = (format!("{kind} `{name}`"), self.provided());
                Problem::ImageValue { suite, manifest, object, value: text, known }
            });
        }
    }

    /// Whether an image is declared, and set aside.
    fn leaves_out(&self, image: &str) -> bool {
        self.suite.left_out_images.iter().any(|left_out| left_out == image)
    }

    fn provides(&self, image: &str) -> bool {
        self.suite.images.iter().any(|known| known.name() == image)
    }

    /// The images of the suite, in words.
    fn provided(&self) -> String {
        listed(self.suite.images.iter().map(|image| format!("`{}`", image.name())))
    }
}

fn label(metadata: &mut Value, suite: &str) {
    if !metadata["labels"].is_object() {
        metadata["labels"] = json!({});
    }
    metadata["labels"][SUITE] = json!(suite);
}

/// Lets new pods begin and those of before end at the same time, unless the manifest says otherwise:
/// nobody uses a stack while it is brought up.
fn replace_all_at_once(deployment: &mut Value) {
    if let Some(spec) = deployment.pointer_mut("/spec").and_then(Value::as_object_mut) {
        let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "100%"}});
        spec.entry("strategy").or_insert(strategy);
    }
}

fn own_folder(path: &str, namespace: &str) -> String {
    for folder in NODE_FOLDERS {
        if let Some(rest) = path.strip_prefix(folder)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return format!("{folder}/{namespace}{rest}");
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_of_before_end_while_new_ones_begin_unless_the_manifest_says_otherwise() {
        let mut deployment = json!({"kind": "Deployment", "spec": {}});
        replace_all_at_once(&mut deployment);
        assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], "100%");
        let own = json!({"kind": "Deployment", "spec": {"strategy": {"type": "Recreate"}}});
        let mut kept = own.clone();
        replace_all_at_once(&mut kept);
        assert_eq!(kept, own);
        // Whose spec is none is refused by the server, in its own words.
        replace_all_at_once(&mut json!({"kind": "Deployment", "spec": "none"}));
    }

    #[test]
    fn only_our_folders_of_the_node_are_divided() {
        assert_eq!(own_folder("/var/lib/kindwright/pg", "hapi"), "/var/lib/kindwright/hapi/pg");
        assert_eq!(own_folder("/kindwright", "hapi"), "/kindwright/hapi");
        assert_eq!(own_folder("/kindwrights", "hapi"), "/kindwrights");
        assert_eq!(own_folder("/var/run", "hapi"), "/var/run");
    }
}
