//! The Kubernetes objects that a case makes, in namespaces that belong to it alone.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    runtime::wait::await_condition,
};
use serde::Serialize;
use serde_json::{Value, json};

mod error;

pub use error::ObjectsError;
use error::shown;

use crate::{
    manifest::text_at,
    stack::{Applier, ensure_namespace},
    text::chain,
};

/// How long a deleted object may take to be gone, its finalizers included.
const GONE: Duration = Duration::from_mins(1);

/// The objects of a case; [`Ctx::objects`](crate::Ctx::objects) makes it.
///
/// Its namespace is made with the first object, and deleted when the case is over.
#[derive(Clone, Debug)]
pub struct Objects {
    applier: Applier,
    suite: String,
    namespace: String,
    /// All namespaces of the case.
    made: Arc<Mutex<BTreeSet<String>>>,
}

impl Objects {
    pub(crate) fn new(applier: Applier, suite: &str, namespace: String) -> Self {
        Self { applier, suite: suite.to_owned(), namespace, made: Arc::default() }
    }

    /// The namespace of these objects.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The same in another namespace of the case, whose name ends in `suffix`.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> Self {
        Self { namespace: format!("{}-{suffix}", self.namespace), ..self.clone() }
    }

    /// Makes an object, given as JSON with `apiVersion`, `kind`, `metadata.name`; returns it as stored.
    pub async fn create(&self, object: impl Serialize) -> Result<Value, ObjectsError> {
        let object = serde_json::to_value(object).unwrap_or_default();
        let [version, kind, name] =
            ["/apiVersion", "/kind", "/metadata/name"].map(|path| text_at(&object, path));
        if [version, kind, name].contains(&"") {
            return Err(ObjectsError::Shapeless { shown: shown(&object) });
        }
        let namespace = text_at(&object, "/metadata/namespace");
        if !namespace.is_empty() && namespace != self.namespace {
            return Err(ObjectsError::Foreign {
                kind: kind.to_owned(),
                name: name.to_owned(),
                namespace: namespace.to_owned(),
            });
        }
        let api = self.api(version, kind, name).await?;
        self.ensure().await?;
        let made: DynamicObject = serde_json::from_value(object.clone())
            .map_err(|error| self.fail("make", kind, name, error))?;
        let made = api.create(&PostParams::default(), &made).await;
        self.read("make", kind, name, made)
    }

    /// An object as it is now, if it exists.
    pub async fn get(
        &self,
        version: &str,
        kind: &str,
        name: &str,
    ) -> Result<Option<Value>, ObjectsError> {
        let found = self.api(version, kind, name).await?.get_opt(name).await;
        let found = found.map_err(|error| self.fail("read", kind, name, error))?;
        found.map(|object| self.read("read", kind, name, Ok(object))).transpose()
    }

    /// All objects of a kind.
    pub async fn list(&self, version: &str, kind: &str) -> Result<Vec<Value>, ObjectsError> {
        let list = self.api(version, kind, "*").await?.list(&ListParams::default()).await;
        let list = list.map_err(|error| self.fail("list", kind, "*", error))?;
        list.items.into_iter().map(|object| self.read("list", kind, "*", Ok(object))).collect()
    }

    /// Merges `patch` into an object; a `null` in it removes a field.
    pub async fn merge(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, ObjectsError> {
        let api = self.api(version, kind, name).await?;
        let merged = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        self.read("change", kind, name, merged)
    }

    /// Merges `patch` into the status of an object, as its controller would.
    pub async fn merge_status(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, ObjectsError> {
        let api = self.api(version, kind, name).await?;
        let merged = api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        self.read("change the status of", kind, name, merged)
    }

    /// Watches an object until `holds` is true of it, and returns it as it was then.
    ///
    /// `what` names the condition in the message of a failure, which shows the
    /// object as it was last seen.
    pub async fn until(
        &self,
        [version, kind, name]: [&str; 3],
        what: impl fmt::Display,
        limit: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value, ObjectsError> {
        let api = self.api(version, kind, name).await?;
        let seen = Mutex::new((0, Value::Null));
        let condition = |object: Option<&DynamicObject>| {
            let object = object.and_then(|object| serde_json::to_value(object).ok());
            let object = object.unwrap_or_default();
            let good = !object.is_null() && holds(&object);
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            *seen = (seen.0 + 1, object);
            good
        };
        let watching = tokio::time::timeout(limit, await_condition(api, name, condition));
        let outcome = watching.await;
        let (looks, last) = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(Ok(_)) => Ok(last),
            Ok(Err(error)) => Err(self.fail("watch", kind, name, error)),
            Err(_) => Err(ObjectsError::Late {
                kind: kind.to_owned(),
                name: name.to_owned(),
                what: what.to_string(),
                limit,
                looks,
                last: shown(&last),
            }),
        }
    }

    /// Deletes an object, and waits until it is gone.
    pub async fn delete(&self, version: &str, kind: &str, name: &str) -> Result<(), ObjectsError> {
        let api = self.api(version, kind, name).await?;
        let begun = Instant::now();
        api.delete(name, &DeleteParams::background())
            .await
            .map_err(|error| self.fail("delete", kind, name, error))?;
        let left = Mutex::new((0, Value::Null));
        let gone = await_condition(api, name, |object: Option<&DynamicObject>| {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            left.0 += 1;
            left.1 =
                object.and_then(|object| serde_json::to_value(object).ok()).unwrap_or_default();
            object.is_none()
        });
        let outcome = tokio::time::timeout(GONE, gone).await;
        let (looks, last) = left.into_inner().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.fail("watch", kind, name, error)),
            Err(_) => Err(ObjectsError::Late {
                kind: kind.to_owned(),
                name: name.to_owned(),
                what: "its end".to_owned(),
                limit: begun.elapsed(),
                looks,
                last: shown(&last),
            }),
        }
    }

    /// The namespaces that the case has made.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Deletes the namespaces of the case. What fails here goes with the cluster.
    pub(crate) async fn release(&self) {
        let namespaces = Api::<Namespace>::all(self.applier.client());
        for namespace in self.namespaces() {
            let _ = namespaces.delete(&namespace, &DeleteParams::background()).await;
        }
    }

    async fn ensure(&self) -> Result<(), ObjectsError> {
        if self.namespaces().contains(&self.namespace) {
            return Ok(());
        }
        let made = ensure_namespace(&self.applier.client(), &self.namespace, &self.suite).await;
        made.map_err(|error| ObjectsError::Namespace {
            namespace: self.namespace.clone(),
            words: chain(&error),
        })?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.insert(self.namespace.clone());
        Ok(())
    }

    async fn api(
        &self,
        version: &str,
        kind: &str,
        name: &str,
    ) -> Result<Api<DynamicObject>, ObjectsError> {
        let object = json!({"apiVersion": version, "kind": kind});
        let api = self.applier.api(&self.namespace, &object).await;
        let api = api.map_err(|error| self.fail("look up the kind of", kind, name, error))?;
        if api.namespace().is_none() {
            return Err(ObjectsError::ClusterScoped { kind: kind.to_owned() });
        }
        Ok(api)
    }

    fn read(
        &self,
        what: &'static str,
        kind: &str,
        name: &str,
        object: Result<DynamicObject, kube::Error>,
    ) -> Result<Value, ObjectsError> {
        let object = object.map_err(|error| self.fail(what, kind, name, error))?;
        serde_json::to_value(object).map_err(|error| self.fail(what, kind, name, error))
    }

    fn fail(
        &self,
        what: &'static str,
        kind: &str,
        name: &str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> ObjectsError {
        ObjectsError::Api {
            what,
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: self.namespace.clone(),
            source: Box::new(source),
        }
    }
}
