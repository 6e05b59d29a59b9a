//! Sends objects to the API server by server-side apply, so that a second time changes nothing.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use kube::{
    Api,
    api::{DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams},
    discovery::Scope,
};
use serde_json::{Value, json};

use super::{
    StackError,
    error::{ServerError, unless_gone},
    generation, insist,
    kinds::{KindError, Kinds},
    readiness::{Readiness, has_replicas, of_object, replicas},
};
use crate::{
    cluster::Cluster,
    manifest::text_at,
    text::chain,
    wait::{Limit, Poll},
};

/// The field manager of everything that is applied.
pub(super) const MANAGER: &str = "kindwright";
/// What defines a kind.
const DEFINITION: &str = "CustomResourceDefinition";
/// How long the API server may take to accept a new kind.
const ESTABLISHED: Limit =
    Limit { total: Duration::from_secs(30), every: Duration::from_millis(50) };
/// How long what is replaced may take to be gone, its pods included.
const REPLACED: Limit = Limit { total: Duration::from_mins(2), every: Duration::from_millis(100) };

/// Applies objects to one cluster. Clones share what they know of its kinds.
#[derive(Clone)]
pub(crate) struct Applier {
    cluster: Cluster,
    kinds: Arc<Kinds>,
}

impl Applier {
    /// An applier for `cluster`.
    pub(crate) fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone(), kinds: Arc::new(Kinds::new(cluster.client())) }
    }

    /// A client of the cluster.
    pub(crate) fn client(&self) -> kube::Client {
        self.cluster.client()
    }

    /// The API of an object's kind, in this namespace unless the object names one.
    pub(crate) async fn api(
        &self,
        namespace: &str,
        object: &Value,
    ) -> Result<Api<DynamicObject>, KindError> {
        let version = text_at(object, "/apiVersion");
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let kind = GroupVersionKind::gvk(group, version, text_at(object, "/kind"));
        let (resource, scope) = Box::pin(self.kinds.find(&kind)).await?;
        Ok(match scope {
            Scope::Cluster => Api::all_with(self.client(), &resource),
            Scope::Namespaced => {
                let own = text_at(object, "/metadata/namespace");
                let namespace = if own.is_empty() { namespace } else { own };
                Api::namespaced_with(self.client(), namespace, &resource)
            }
        })
    }

    /// Applies the objects of a manifest one after another.
    pub(super) async fn apply_all(
        &self,
        namespace: &str,
        manifest: &Path,
        objects: &[Value],
    ) -> Result<(), StackError> {
        for object in objects {
            let (kind, name) = (text_at(object, "/kind"), text_at(object, "/metadata/name"));
            self.apply(namespace, object).await.map_err(|error| match error {
                ServerError::Refused(words) => StackError::Refused {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                    manifest: manifest.to_owned(),
                    words,
                },
                source @ ServerError::Unanswered(_) => StackError::Api {
                    what: format!("apply {kind} `{name}`"),
                    namespace: namespace.to_owned(),
                    source,
                },
            })?;
        }
        Ok(())
    }

    /// Applies one object.
    pub(super) async fn apply(&self, namespace: &str, object: &Value) -> Result<(), ServerError> {
        let name = text_at(object, "/metadata/name");
        let api = self.api(namespace, object).await?;
        let mut object = object.clone();
        let definition = object["kind"] == DEFINITION;
        if definition && !self.cluster.is_at_least(1, 25) {
            strip_validations(&mut object);
        }
        if object["kind"] == "Job" || object["kind"] == "Pod" {
            clear(&api, name, &object).await?;
        }
        let parameters = PatchParams::apply(MANAGER).force();
        let applied = api.patch(name, &parameters, &Patch::Apply(&object)).await?;
        // A manifest that leaves the number out leaves it as a case of an earlier run left it.
        let stopped = applied.data.pointer("/spec/replicas").and_then(Value::as_u64) == Some(0);
        if has_replicas(&object) && stopped && replicas(&object) > 0 {
            let patch = Patch::Merge(json!({"spec": {"replicas": replicas(&object)}}));
            api.patch(name, &PatchParams::default(), &patch).await?;
        }
        if definition {
            establish(&api, name).await?;
        }
        Ok(())
    }
}

/// Waits until a new kind is accepted.
async fn establish(api: &Api<DynamicObject>, name: &str) -> Result<(), ServerError> {
    let established = insist::until("the new kind to be accepted", ESTABLISHED, async || {
        let definition = api.get(name).await?;
        Ok(if condition(&definition, "Established", "True").is_some() {
            Poll::Ready(Ok(()))
        } else if let Some(words) = condition(&definition, "NamesAccepted", "False") {
            // It does not heal: another definition has the name.
            Poll::Ready(Err(ServerError::Refused(format!("its names are taken: {words}"))))
        } else {
            Poll::NotYet("not Established".to_owned())
        })
    });
    established.await.map_err(|error| ServerError::Refused(chain(&error)))?
}

/// Deletes an object that runs once, if it is of another generation or has failed: it cannot be changed.
async fn clear(api: &Api<DynamicObject>, name: &str, object: &Value) -> Result<(), ServerError> {
    let Some(live) = api.get_opt(name).await? else {
        return Ok(());
    };
    if !is_spent(&serde_json::to_value(&live).map_err(kube::Error::SerdeError)?, object) {
        return Ok(());
    }
    unless_gone(api.delete(name, &DeleteParams::foreground()).await)?;
    let gone = insist::until("the end of the one before", REPLACED, async || {
        let left = api.get_opt(name).await?;
        Ok(match left {
            Some(left) if left.metadata.uid == live.metadata.uid => {
                Poll::NotYet("its pods still end".to_owned())
            }
            Some(_) | None => Poll::Ready(()),
        })
    });
    gone.await.map_err(|error| ServerError::Refused(chain(&error)))
}

/// Whether `live` is of no use to whoever wants `object`.
fn is_spent(live: &Value, object: &Value) -> bool {
    let other = generation::of_object(live) != generation::of_object(object);
    other || matches!(of_object(live, 1), Readiness::Lost(_))
}

/// Whether an object defines a kind with rules that servers before 1.25 refuse.
pub(super) fn has_validations(object: &Value) -> bool {
    object["kind"] == DEFINITION && has_rules(object)
}

fn has_rules(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.contains_key("x-kubernetes-validations") || fields.values().any(has_rules)
        }
        Value::Array(items) => items.iter().any(has_rules),
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

/// What a condition of this status says, if an object has it.
fn condition<'a>(object: &'a DynamicObject, kind: &str, status: &str) -> Option<&'a str> {
    let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let found = conditions.find(|it| it["type"] == kind && it["status"] == status)?;
    Some(text_at(found, "/message"))
}

impl fmt::Debug for Applier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_an_old_server_refuses_are_taken_out_at_any_depth() {
        let mut object = json!({"kind": DEFINITION, "spec": {"versions": [{"schema": {"x-kubernetes-validations": [{"rule": "x"}], "type": "object"}}]}});
        assert!(has_validations(&object));
        strip_validations(&mut object);
        assert_eq!(
            object,
            json!({"kind": DEFINITION, "spec": {"versions": [{"schema": {"type": "object"}}]}})
        );
        assert!(!has_validations(&object));
    }

    #[test]
    fn a_job_is_replaced_when_it_changed_or_failed_and_left_as_it_is_when_it_is_done() {
        let job = |mark: &str, condition: &str| {
            json!({
                "kind": "Job",
                "metadata": {"name": "once"},
                "spec": {"template": {"metadata": {"annotations": {"kindwright/generation": mark}}}},
                "status": {"conditions": [{"type": condition, "status": "True", "message": ""}]},
            })
        };
        assert!(!is_spent(&job("a", "Complete"), &job("a", "")));
        assert!(is_spent(&job("a", "Complete"), &job("b", "")));
        assert!(is_spent(&job("a", "Failed"), &job("a", "")));
    }
}
