//! Sends objects to the API server by server-side apply, so that a second time changes nothing.

use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
    discovery::{self, Scope},
};
use serde_json::Value;

use super::StackError;
use crate::{
    cluster::Cluster,
    manifest::text_at,
    wait::{self, Limit, Poll},
};

/// The field manager of everything that is applied.
pub(super) const MANAGER: &str = "kindwright";
/// How long the API server may take to serve a new kind.
const ESTABLISHED: Limit =
    Limit { total: Duration::from_secs(30), every: Duration::from_millis(50) };

/// Applies objects to one cluster, whose kinds it looks up once. Clones share what they know.
#[derive(Clone)]
pub(crate) struct Applier {
    cluster: Cluster,
    kinds: Arc<Mutex<HashMap<GroupVersionKind, (ApiResource, Scope)>>>,
}

impl Applier {
    /// An applier for `cluster`.
    pub(crate) fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone(), kinds: Arc::default() }
    }

    /// Applies the objects of a manifest one after another.
    pub(super) async fn apply_all(
        &self,
        namespace: &str,
        manifest: &Path,
        objects: &[Value],
    ) -> Result<(), StackError> {
        for object in objects {
            self.apply(namespace, manifest, object).await?;
        }
        Ok(())
    }

    async fn apply(
        &self,
        namespace: &str,
        manifest: &Path,
        object: &Value,
    ) -> Result<(), StackError> {
        let kind = text_at(object, "/kind");
        let name = text_at(object, "/metadata/name");
        let refused = |words: String| StackError::Refused {
            kind: kind.to_owned(),
            name: name.to_owned(),
            manifest: manifest.to_owned(),
            words,
        };
        let failed = |error: kube::Error| {
            if let kube::Error::Api(status) = &error {
                return refused(status.message.clone());
            }
            StackError::Api {
                what: format!("apply {kind} `{name}`"),
                namespace: namespace.to_owned(),
                source: Box::new(error),
            }
        };
        let api = self.api(namespace, object).await.map_err(|error| {
            let absent = matches!(&error, kube::Error::Api(status) if status.code == 404);
            if absent || matches!(error, kube::Error::Discovery(_)) {
                let version = text_at(object, "/apiVersion");
                return refused(format!("the server does not know {version} {kind}"));
            }
            failed(error)
        })?;
        let mut object = object.clone();
        let definition = kind == "CustomResourceDefinition";
        if definition && !self.cluster.is_at_least(1, 25) {
            strip_validations(&mut object);
        }
        let parameters = PatchParams::apply(MANAGER).force();
        api.patch(name, &parameters, &Patch::Apply(&object)).await.map_err(failed)?;
        if definition {
            let established = wait::until("the new kind to be served", ESTABLISHED, async || {
                Ok(if is_established(&api.get(name).await?) {
                    Poll::Ready(())
                } else {
                    Poll::NotYet("not Established".to_owned())
                })
            });
            established.await.map_err(|error: wait::WaitError<kube::Error>| {
                refused(crate::text::chain(&error))
            })?;
        }
        Ok(())
    }

    /// A client of the cluster.
    pub(crate) fn client(&self) -> kube::Client {
        self.cluster.client()
    }

    /// The API of an object's kind.
    pub(crate) async fn api(
        &self,
        namespace: &str,
        object: &Value,
    ) -> Result<Api<DynamicObject>, kube::Error> {
        let (group, version) = text_at(object, "/apiVersion")
            .split_once('/')
            .unwrap_or(("", text_at(object, "/apiVersion")));
        let kind = GroupVersionKind::gvk(group, version, text_at(object, "/kind"));
        let known = self.kinds.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).cloned();
        let (resource, scope) = if let Some(known) = known {
            known
        } else {
            let (resource, capabilities) =
                discovery::pinned_kind(&self.cluster.client(), &kind).await?;
            let found = (resource, capabilities.scope);
            self.kinds.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, found.clone());
            found
        };
        Ok(match scope {
            Scope::Cluster => Api::all_with(self.cluster.client(), &resource),
            Scope::Namespaced => Api::namespaced_with(self.cluster.client(), namespace, &resource),
        })
    }
}

/// Whether an object has rules that servers before 1.25 refuse.
pub(crate) fn has_validations(object: &Value) -> bool {
    match object {
        Value::Object(fields) => {
            fields.contains_key("x-kubernetes-validations") || fields.values().any(has_validations)
        }
        Value::Array(items) => items.iter().any(has_validations),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn strip_validations(object: &mut Value) {
    match object {
        Value::Object(fields) => {
            fields.remove("x-kubernetes-validations");
            fields.values_mut().for_each(strip_validations);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_validations),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_established(object: &DynamicObject) -> bool {
    let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

impl fmt::Debug for Applier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_that_an_old_server_refuses_are_taken_out_at_any_depth() {
        let mut object = json!({"spec": {"versions": [{"schema": {"x-kubernetes-validations": [{"rule": "x"}], "type": "object"}}]}});
        assert!(has_validations(&object));
        strip_validations(&mut object);
        assert_eq!(object, json!({"spec": {"versions": [{"schema": {"type": "object"}}]}}));
        assert!(!has_validations(&object));
    }
}
