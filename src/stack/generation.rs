//! Marks pods with the generation to which they belong, and tells those of another one apart.
//!
//! The mark is a checksum of what a pod is made from, and of all ConfigMaps and Secrets that it
//! names. So pods are made anew when their configuration changed, and only then.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::readiness::has_pods;
use crate::{
    digest::sha256_of,
    manifest::{pod_spec, pod_spec_mut, template_path, text_at},
    password::Password,
    plan::SuitePlan,
};

/// The annotation of pods that holds the mark.
const GENERATION: &str = "kindwright/generation";

/// What pods of a suite may be configured by: its ConfigMaps and Secrets, by namespace, kind and name.
#[derive(Debug)]
pub(super) struct Configuration(BTreeMap<(String, &'static str, String), Value>);

impl Configuration {
    /// The configuration of a suite whose passwords are these.
    pub(super) fn of(suite: &SuitePlan, passwords: &BTreeMap<String, Password>) -> Self {
        let deployed = suite.workloads().flat_map(|workload| &workload.objects);
        let in_manifests = suite.resources.iter().chain(deployed).filter_map(|object| {
            let kind = ["ConfigMap", "Secret"]
                .into_iter()
                .find(|kind| text_at(object, "/kind") == *kind)?;
            let [namespace, name] = ["/metadata/namespace", "/metadata/name"]
                .map(|path| text_at(object, path).to_owned());
            Some(((namespace, kind, name), object.clone()))
        });
        let declared = suite.secrets.iter().map(|secret| {
            let key = (suite.namespace.clone(), "Secret", secret.name.clone());
            (key, json!({"data": secret.values(passwords)}))
        });
        Self(in_manifests.chain(declared).collect())
    }

    /// Marks the pods of an object, if it makes any.
    pub(super) fn mark(&self, object: &mut Value) {
        let Some(pod) = pod_spec_mut(object) else {
            return;
        };
        // With 0 the server forgets a pod while its containers may still answer.
        if pod["terminationGracePeriodSeconds"] == 0 {
            pod["terminationGracePeriodSeconds"] = json!(1);
        }
        let Some((made_from, owner)) = paths(object) else {
            return;
        };
        let mut named = BTreeSet::new();
        if let Some(pod) = pod_spec(object) {
            references(pod, &mut named);
        }
        let namespace = text_at(object, "/metadata/namespace");
        let contents = named.into_iter().filter_map(|(kind, name)| {
            let content = self.0.get(&(namespace.to_owned(), kind, name.clone()))?;
            Some(((kind, name), content))
        });
        let contents: Vec<_> = contents.collect();
        let whole = json!([object.pointer(made_from), contents]);
        let mark = sha256_of(whole.to_string());
        if let Some(owner) = object.pointer_mut(owner) {
            owner["metadata"]["annotations"][GENERATION] = json!(mark);
        }
    }
}

/// Where an object says what its pods are made from, and where what has their metadata is.
///
/// A Job and a Pod are made once, so that all that they are counts.
fn paths(object: &Value) -> Option<(&'static str, &'static str)> {
    let owner = template_path(object).filter(|_| has_pods(object))?;
    let once = matches!(text_at(object, "/kind"), "Pod" | "Job");
    Some((if once { "/spec" } else { owner }, owner))
}

/// The ConfigMaps and Secrets that a pod names, in whatever way.
fn references(value: &Value, found: &mut BTreeSet<(&'static str, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                let kind = match field.as_str() {
                    "configMap" | "configMapRef" | "configMapKeyRef" => "ConfigMap",
                    "secret"
                    | "secretRef"
                    | "secretKeyRef"
                    | "nodePublishSecretRef"
                    | "imagePullSecrets" => "Secret",
                    _ => {
                        references(inner, found);
                        continue;
                    }
                };
                let several = inner.as_array().map_or(std::slice::from_ref(inner), Vec::as_slice);
                let names = several.iter().flat_map(|one| [&one["name"], &one["secretName"]]);
                found.extend(names.filter_map(Value::as_str).map(|name| (kind, name.to_owned())));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether the pods of an object name this ConfigMap, which is in their namespace then.
pub(super) fn names_config(object: &Value, config: &Value) -> bool {
    let namespace = "/metadata/namespace";
    if text_at(object, namespace) != text_at(config, namespace) {
        return false;
    }
    let name = text_at(config, "/metadata/name");
    let mut named = BTreeSet::new();
    if let Some(pod) = pod_spec(object) {
        references(pod, &mut named);
    }
    named.iter().any(|(kind, its)| *kind == "ConfigMap" && its == name)
}

/// The mark of the pods of an object.
pub(super) fn of_object(object: &Value) -> Option<&str> {
    let (_, owner) = paths(object)?;
    object.pointer(owner)?.get("metadata")?.get("annotations")?.get(GENERATION)?.as_str()
}

/// The mark of a pod.
pub(super) fn of_pod(pod: &Pod) -> Option<&str> {
    pod.metadata.annotations.as_ref()?.get(GENERATION).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(colour: &str, key: &str) -> Configuration {
        Configuration(BTreeMap::from([
            ((String::new(), "ConfigMap", "colours".to_owned()), json!({"data": {"wall": colour}})),
            ((String::new(), "Secret", "keys".to_owned()), json!({"data": {"door": key}})),
        ]))
    }

    fn marked(configuration: &Configuration, pod: &Value) -> Value {
        let mut object = json!({"kind": "Deployment", "spec": {"replicas": 1, "template": {
            "metadata": {"labels": {"app": "shop"}}, "spec": pod,
        }}});
        configuration.mark(&mut object);
        object
    }

    #[test]
    fn pods_get_another_mark_when_something_changed_that_they_name_in_any_way() {
        for pod in [
            json!({"containers": [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "colours", "key": "wall"}}}]}]}),
            json!({"containers": [{"envFrom": [{"configMapRef": {"name": "colours"}}]}]}),
            json!({"volumes": [{"configMap": {"name": "colours"}}]}),
            json!({"volumes": [{"projected": {"sources": [{"configMap": {"name": "colours"}}]}}]}),
            json!({"initContainers": [{"envFrom": [{"configMapRef": {"name": "colours"}}]}]}),
        ] {
            let red = marked(&configuration("red", "1234"), &pod);
            assert_eq!(red, marked(&configuration("red", "other"), &pod), "{pod}");
            let green = marked(&configuration("green", "1234"), &pod);
            assert_ne!(of_object(&red), of_object(&green), "{pod}");
        }
        for pod in [
            json!({"containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "keys", "key": "door"}}}]}]}),
            json!({"containers": [{"envFrom": [{"secretRef": {"name": "keys"}}]}]}),
            json!({"volumes": [{"secret": {"secretName": "keys"}}]}),
            json!({"volumes": [{"projected": {"sources": [{"secret": {"name": "keys"}}]}}]}),
            json!({"imagePullSecrets": [{"name": "other"}, {"name": "keys"}]}),
        ] {
            let first = marked(&configuration("red", "1234"), &pod);
            assert_eq!(first, marked(&configuration("green", "1234"), &pod), "{pod}");
            let second = marked(&configuration("red", "5678"), &pod);
            assert_ne!(of_object(&first), of_object(&second), "{pod}");
        }
    }

    #[test]
    fn a_mark_does_not_show_what_it_was_made_from() {
        let pod = json!({"volumes": [{"secret": {"secretName": "keys"}}]});
        let object = marked(&configuration("red", "hunter2"), &pod);
        assert!(!object.to_string().contains("hunter2"));
        assert_eq!(of_object(&object).map(str::len), Some(64));
    }

    #[test]
    fn other_replicas_are_the_same_generation_but_another_job_is_not() {
        let mark = |mut object: Value| {
            configuration("red", "1234").mark(&mut object);
            of_object(&object).map(str::to_owned)
        };
        let deployment = |replicas: u64| {
            mark(json!({"kind": "Deployment", "spec": {"replicas": replicas,
                "template": {"metadata": {}, "spec": {}}}}))
        };
        assert_eq!(deployment(1), deployment(2));
        let job = |completions: u64| {
            mark(json!({"kind": "Job", "spec": {"completions": completions,
                "template": {"metadata": {}, "spec": {}}}}))
        };
        assert_ne!(job(1), job(2));
        assert_eq!(mark(json!({"kind": "ConfigMap"})), None);
    }

    #[test]
    fn a_pod_is_not_forgotten_before_its_containers_have_ended() {
        let object = marked(&configuration("", ""), &json!({"terminationGracePeriodSeconds": 0}));
        assert_eq!(object["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 1);
        let object = marked(&configuration("", ""), &json!({"terminationGracePeriodSeconds": 7}));
        assert_eq!(object["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 7);
    }
}
