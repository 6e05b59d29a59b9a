//! Which Secrets and `ConfigMaps` a pod reads.

use serde_json::Value;

use super::text_at;

/// A Secret or `ConfigMap` that a pod reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// Whether the pod starts without it.
    pub(crate) optional: bool,
}

/// What a pod reads into variables and volumes. Not what its images are pulled with: without that it starts too.
pub(crate) fn needs(pod: &Value) -> Vec<Need> {
    let mut needs = Vec::new();
    for field in ["initContainers", "containers"] {
        for container in list(pod, field) {
            for variable in list(container, "env") {
                add(&mut needs, "Secret", &variable["valueFrom"]["secretKeyRef"], "/name");
                add(&mut needs, "ConfigMap", &variable["valueFrom"]["configMapKeyRef"], "/name");
            }
            for variables in list(container, "envFrom") {
                add(&mut needs, "Secret", &variables["secretRef"], "/name");
                add(&mut needs, "ConfigMap", &variables["configMapRef"], "/name");
            }
        }
    }
    for volume in list(pod, "volumes") {
        add(&mut needs, "Secret", &volume["secret"], "/secretName");
        add(&mut needs, "ConfigMap", &volume["configMap"], "/name");
        for source in list(&volume["projected"], "sources") {
            add(&mut needs, "Secret", &source["secret"], "/name");
            add(&mut needs, "ConfigMap", &source["configMap"], "/name");
        }
    }
    needs
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn add(needs: &mut Vec<Need>, kind: &'static str, reference: &Value, name: &str) {
    let name = text_at(reference, name);
    if !name.is_empty() {
        let optional = reference["optional"] == true;
        needs.push(Need { kind, name: name.to_owned(), optional });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_pod_reads_is_found_wherever_it_is_named() {
        let pod = json!({
            "imagePullSecrets": [{"name": "registry"}],
            "initContainers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "k"}}}]}],
            "containers": [{
                "env": [{"name": "B", "value": "b"}, {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "optional": true}}}],
                "envFrom": [{"secretRef": {"name": "d"}}, {"configMapRef": {"name": "e"}}],
            }],
            "volumes": [
                {"name": "f", "secret": {"secretName": "f"}},
                {"name": "g", "configMap": {"name": "g"}},
                {"name": "h", "projected": {"sources": [{"secret": {"name": "h"}}, {"configMap": {"name": "i"}}]}},
                {"name": "j", "emptyDir": {}},
            ],
        });
        let found: Vec<_> =
            needs(&pod).into_iter().map(|need| (need.kind, need.name, need.optional)).collect();
        let all = [
            ("Secret", "a", false),
            ("ConfigMap", "c", true),
            ("Secret", "d", false),
            ("ConfigMap", "e", false),
            ("Secret", "f", false),
            ("ConfigMap", "g", false),
            ("Secret", "h", false),
            ("ConfigMap", "i", false),
        ];
        assert_eq!(found, all.map(|(kind, name, optional)| (kind, name.to_owned(), optional)));
    }
}
