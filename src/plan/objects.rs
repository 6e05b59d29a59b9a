//! Edits manifests as data: there are no placeholders, so the files stay valid for kubectl.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use super::{Inputs, node_ports::Assigned};
use crate::{
    manifest::{SUITE, containers_mut, image_of, pod_spec_mut, text_at},
    problem::Problem,
    suite::{Suite, Workload},
};

/// Folders of the node in which each namespace gets one of its own.
const NODE_FOLDERS: [&str; 2] = ["/var/lib/kindwright", "/kindwright"];

/// Kinds of the API that have no namespace, and are renamed for each suite.
const CLUSTER_SCOPED: [&str; 12] = [
    "APIService",
    "CSIDriver",
    "ClusterRole",
    "ClusterRoleBinding",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingWebhookConfiguration",
];

/// Sets in the objects of one suite what its plan decides.
pub(super) struct Editor<'a> {
    inputs: &'a Inputs<'a>,
    suite: &'a Suite,
    node_ports: &'a Assigned,
    /// New names of objects without a namespace, by kind and name.
    renamed: BTreeMap<(String, String), String>,
}

impl<'a> Editor<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, suite: &'a Suite, node_ports: &'a Assigned) -> Self {
        let manifests = suite.workloads().map(|workload| &workload.manifest);
        let renamed = manifests
            .chain(&suite.resources)
            .flat_map(|path| inputs.inventory.manifest(path))
            .filter(|object| CLUSTER_SCOPED.contains(&text_at(object, "/kind")))
            .map(|object| {
                let (kind, name) = (text_at(object, "/kind"), text_at(object, "/metadata/name"));
                let key = (kind.to_owned(), name.to_owned());
                (key, format!("{name}-{}", suite.name))
            })
            .collect();
        Self { inputs, suite, node_ports, renamed }
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
                self.set_node_ports(workload, object, problems);
            }
        }
        // A manifest that cannot be read is a problem of its own.
        if !objects.is_empty() {
            self.check_endpoints(workload, &objects, problems);
        }
        objects
    }

    fn edited(&self, path: &Path, problems: &mut Vec<Problem>) -> Vec<Value> {
        let mut objects = self.inputs.inventory.manifest(path).to_vec();
        for object in &mut objects {
            self.place(path, object, problems);
            if object["kind"] == "Service" {
                name_protocols(object.pointer_mut("/spec/ports"));
            }
            if let Some(pod) = pod_spec_mut(object) {
                self.edit_pod(path, pod, problems);
            }
        }
        objects
    }

    fn place(&self, path: &Path, object: &mut Value, problems: &mut Vec<Problem>) {
        let kind = text_at(object, "/kind").to_owned();
        let name = text_at(object, "/metadata/name").to_owned();
        if kind == "Namespace" {
            problems.push(Problem::Namespace {
                suite: self.suite.name.clone(),
                manifest: path.to_owned(),
                name,
            });
            return;
        }
        if kind != "CustomResourceDefinition" {
            if let Some(new) = self.renamed.get(&(kind, name)) {
                object["metadata"]["name"] = json!(new);
            } else {
                object["metadata"]["namespace"] = json!(self.suite.name);
            }
            label(&mut object["metadata"], &self.suite.name);
        }
        self.rewrite_references(object);
        let template = object.pointer_mut("/spec/template/metadata");
        if let Some(metadata) = template {
            label(metadata, &self.suite.name);
        }
    }

    /// Follows renamed objects, and puts subjects into the namespace.
    fn rewrite_references(&self, object: &mut Value) {
        let role = (
            text_at(object, "/roleRef/kind").to_owned(),
            text_at(object, "/roleRef/name").to_owned(),
        );
        if let Some(new) = self.renamed.get(&role) {
            object["roleRef"]["name"] = json!(new);
        }
        if let Some(Value::Array(subjects)) = object.get_mut("subjects") {
            for subject in subjects {
                if subject["kind"] == "ServiceAccount" {
                    subject["namespace"] = json!(self.suite.name);
                }
            }
        }
        for (path, kind) in [
            ("/spec/storageClassName", "StorageClass"),
            ("/spec/ingressClassName", "IngressClass"),
            ("/spec/volumeName", "PersistentVolume"),
        ] {
            if let Some(reference) = object.pointer_mut(path) {
                self.follow(reference, kind);
            }
        }
    }

    fn follow(&self, reference: &mut Value, kind: &str) {
        if let Value::String(name) = reference
            && let Some(new) = self.renamed.get(&(kind.to_owned(), name.clone()))
        {
            name.clone_from(new);
        }
    }

    fn edit_pod(&self, path: &Path, pod: &mut Value, problems: &mut Vec<Problem>) {
        for (field, kind) in
            [("priorityClassName", "PriorityClass"), ("runtimeClassName", "RuntimeClass")]
        {
            if let Some(reference) = pod.get_mut(field) {
                self.follow(reference, kind);
            }
        }
        for folder in pod["volumes"].as_array_mut().into_iter().flatten() {
            if let Some(Value::String(folder)) = folder.pointer_mut("/hostPath/path") {
                *folder = own_folder(folder, &self.suite.name);
            }
        }
        for container in containers_mut(pod) {
            name_protocols(container.get_mut("ports"));
            let image = text_at(container, "/image");
            if !self.suite.images.iter().any(|known| known.name() == image_of(image)) {
                let known: Vec<_> =
                    self.suite.images.iter().map(|image| format!("`{}`", image.name())).collect();
                problems.push(Problem::Image {
                    suite: self.suite.name.clone(),
                    manifest: path.to_owned(),
                    image: image.to_owned(),
                    known: if known.is_empty() { "none".into() } else { known.join(", ") },
                });
            }
        }
    }

    fn set_node_ports(
        &self,
        workload: &Workload,
        service: &mut Value,
        problems: &mut Vec<Problem>,
    ) {
        let name = text_at(service, "/metadata/name").to_owned();
        let mut reached = false;
        for port in
            service.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten()
        {
            let port_name = text_at(port, "/name").to_owned();
            let planned = workload
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.service == name)
                .find(|endpoint| endpoint.port == port_name);
            if let Some(endpoint) = planned {
                port["nodePort"] = json!(self.node_ports.of(self.suite, endpoint));
                reached = true;
            } else if let Some(number) = port["nodePort"].as_u64() {
                problems.push(Problem::NodePortUnplanned {
                    suite: self.suite.name.clone(),
                    manifest: workload.manifest.clone(),
                    service: name.clone(),
                    port: port_name,
                    node_port: number,
                });
            }
        }
        if reached {
            service["spec"]["type"] = json!("NodePort");
        }
    }

    fn check_endpoints(&self, workload: &Workload, objects: &[Value], problems: &mut Vec<Problem>) {
        let services = || objects.iter().filter(|object| object["kind"] == "Service");
        let ports = |service: &Value| -> Vec<String> {
            let ports = service.pointer("/spec/ports").and_then(Value::as_array);
            let ports = ports.into_iter().flatten();
            ports.map(|port| text_at(port, "/name").to_owned()).collect()
        };
        for endpoint in &workload.endpoints {
            let found = services().any(|service| {
                text_at(service, "/metadata/name") == endpoint.service
                    && ports(service).contains(&endpoint.port)
            });
            if !found {
                let found: Vec<_> = services()
                    .map(|service| {
                        format!(
                            "`{}` with {:?}",
                            text_at(service, "/metadata/name"),
                            ports(service)
                        )
                    })
                    .collect();
                problems.push(Problem::Endpoint {
                    suite: self.suite.name.clone(),
                    manifest: workload.manifest.clone(),
                    service: endpoint.service.clone(),
                    port: endpoint.port.clone(),
                    found: if found.is_empty() { "none".into() } else { found.join(", ") },
                });
            }
        }
    }
}

// Servers before 1.21 refuse a server-side apply of ports without it.
fn name_protocols(ports: Option<&mut Value>) {
    for port in ports.and_then(Value::as_array_mut).into_iter().flatten() {
        if port["protocol"].is_null() {
            port["protocol"] = json!("TCP");
        }
    }
}

fn label(metadata: &mut Value, suite: &str) {
    if !metadata["labels"].is_object() {
        metadata["labels"] = json!({});
    }
    metadata["labels"][SUITE] = json!(suite);
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
    fn only_our_folders_of_the_node_are_divided() {
        assert_eq!(own_folder("/var/lib/kindwright/pg", "hapi"), "/var/lib/kindwright/hapi/pg");
        assert_eq!(own_folder("/kindwright", "hapi"), "/kindwright/hapi");
        assert_eq!(own_folder("/kindwrights", "hapi"), "/kindwrights");
        assert_eq!(own_folder("/var/run", "hapi"), "/var/run");
    }
}
