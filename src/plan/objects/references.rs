//! Lets references follow what was renamed, and what was put into the suite's namespace.

use serde_json::{Map, Value};

use super::names::{Names, RBAC};
use crate::manifest::{GroupKind, text_at};

/// Fields whose text is the name of an object without a namespace.
const NAMED: [(&str, &str, &str); 8] = [
    ("deviceClassName", "resource.k8s.io", "DeviceClass"),
    ("ingressClassName", "networking.k8s.io", "IngressClass"),
    ("persistentVolumeName", "", "PersistentVolume"),
    ("priorityClassName", "scheduling.k8s.io", "PriorityClass"),
    ("runtimeClassName", "node.k8s.io", "RuntimeClass"),
    ("storageClassName", "storage.k8s.io", "StorageClass"),
    ("volumeAttributesClassName", "storage.k8s.io", "VolumeAttributesClass"),
    ("volumeName", "", "PersistentVolume"),
];

/// Fields that have a `name` of an object without a namespace.
const HOLDING: [(&str, &str, &str); 2] = [
    ("clusterTrustBundle", "certificates.k8s.io", "ClusterTrustBundle"),
    ("priorityLevelConfiguration", "flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
];

const ADMISSION: &str = "admissionregistration.k8s.io";

/// Lets all references in an object follow.
pub(super) fn follow(object: &mut Value, names: &Names<'_>) {
    for part in ["spec", "roleRef"] {
        if let Some(part) = object.get_mut(part) {
            walk(part, names);
        }
    }
    for subject in list(object, "/subjects") {
        if subject["kind"] == "ServiceAccount" {
            names.bring_home("ServiceAccount", subject);
        }
    }
    for rule in list(object, "/rules") {
        follow_rule(rule, names);
    }
    for webhook in list(object, "/webhooks") {
        bring_home(webhook, "/clientConfig/service", "Service", names);
    }
    match text_at(object, "/kind") {
        "APIService" => bring_home(object, "/spec/service", "Service", names),
        "CustomResourceDefinition" => {
            // As v1 has it, and as v1beta1 had it.
            for path in ["webhook/clientConfig", "webhookClientConfig"] {
                let path = format!("/spec/conversion/{path}/service");
                bring_home(object, &path, "Service", names);
            }
        }
        "FlowSchema" => {
            for subject in list(object, "/spec/rules").flat_map(|rule| list(rule, "/subjects")) {
                bring_home(subject, "/serviceAccount", "ServiceAccount", names);
            }
        }
        "IngressClass" if object.pointer("/spec/parameters/namespace").is_some() => {
            bring_home(object, "/spec/parameters", "", names);
        }
        "PersistentVolume" => {
            if let Some(spec) = object.pointer_mut("/spec") {
                all_home(spec, names);
            }
        }
        "MutatingAdmissionPolicyBinding" => follow_policy(object, "MutatingAdmissionPolicy", names),
        "ValidatingAdmissionPolicyBinding" => {
            follow_policy(object, "ValidatingAdmissionPolicy", names);
        }
        _ => {}
    }
}

/// References that look the same wherever they are.
fn walk(value: &mut Value, names: &Names<'_>) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| walk(value, names)),
        Value::Object(fields) => {
            follow_typed(fields, names);
            for (field, value) in fields {
                let table = |table: &[(&str, &str, &str)]| {
                    let found = table.iter().find(|(known, _, _)| known == field);
                    found.map(|(_, group, kind)| GroupKind::new(group, kind))
                };
                if let Some(kind) = table(&NAMED) {
                    names.follow(&kind, value);
                } else if let (Some(kind), Some(name)) = (table(&HOLDING), value.get_mut("name")) {
                    names.follow(&kind, name);
                }
                walk(value, names);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A reference that says of what kind it is, as `roleRef` does.
fn follow_typed(fields: &mut Map<String, Value>, names: &Names<'_>) {
    let text = |field: &str| fields.get(field).and_then(Value::as_str);
    // A `roleRef` may name no group; Gateway API and cert-manager call it `group`.
    let group = ["apiGroup", "apiVersion", "group"].into_iter().find_map(text).unwrap_or(RBAC);
    let Some(kind) = text("kind").map(|kind| GroupKind::new(group, kind)) else {
        return;
    };
    if let Some(name) = fields.get_mut("name") {
        names.follow(&kind, name);
    }
}

/// The names in a rule of a role.
fn follow_rule(rule: &mut Value, names: &Names<'_>) {
    let texts = |field: &str| -> Vec<String> {
        let list = rule[field].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (groups, resources) = (texts("apiGroups"), texts("resources"));
    let meant = |group: &str, plural: &str| {
        groups.iter().any(|known| known == group || known == "*")
            && resources.iter().any(|known| {
                // `ingressclasses/status` is about the same object.
                known == "*" || known.split('/').next() == Some(plural)
            })
    };
    list(rule, "/resourceNames").for_each(|name| names.follow_rule(name, meant));
}

/// The policy of a binding, and its parameters.
fn follow_policy(binding: &mut Value, kind: &str, names: &Names<'_>) {
    let parameters = names.parameters(text_at(binding, "/spec/policyName")).cloned();
    if let Some(policy) = binding.pointer_mut("/spec/policyName") {
        names.follow(&GroupKind::new(ADMISSION, kind), policy);
    }
    let (Some(kind), Some(reference)) = (parameters, binding.pointer_mut("/spec/paramRef")) else {
        return;
    };
    if let Some(name) = reference.get_mut("name") {
        names.follow(&kind, name);
    }
    // Without it, parameters are looked for in the namespace of what is asked about.
    if reference.get("namespace").is_some() {
        names.bring_home(&kind.kind, reference);
    }
}

fn bring_home(value: &mut Value, path: &str, kind: &str, names: &Names<'_>) {
    if let Some(reference) = value.pointer_mut(path) {
        names.bring_home(kind, reference);
    }
}

/// Every reference of a volume to something in a namespace: its claim, and the Secrets of its driver.
fn all_home(value: &mut Value, names: &Names<'_>) {
    for value in value.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if value.get("name").is_some() && value.get("namespace").is_some() {
            names.bring_home("Secret", value);
        }
        all_home(value, names);
    }
}

/// The members of a list at a path; none where there is no list.
fn list<'a>(value: &'a mut Value, path: &str) -> impl Iterator<Item = &'a mut Value> {
    value.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten()
}
