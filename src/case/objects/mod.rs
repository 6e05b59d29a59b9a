//! The Kubernetes objects that a case makes, in namespaces that belong to it alone.

use std::{
    borrow::Borrow,
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde::Serialize;
use serde_json::{Value, json};

mod error;
mod watch;

pub use error::ObjectsError;

use super::permission::Permission;
use crate::{
    manifest::text_at,
    partial,
    stack::{Applier, ServerError, ensure_namespace},
};
use error::shown;
use watch::WatchError;

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
    made: Arc<Mutex<BTreeMap<String, Made>>>,
    permission: Permission,
}

/// How far a namespace is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// It may be there.
    Begun,
    /// It is there.
    Whole,
}

impl Objects {
    pub(super) fn new(
        applier: Applier,
        suite: &str,
        namespace: String,
        permission: Permission,
    ) -> Self {
        Self { applier, suite: suite.to_owned(), namespace, made: Arc::default(), permission }
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
        self.permission.act(self.make(object)).await
    }

    async fn make(&self, object: Value) -> Result<Value, ObjectsError> {
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
            .map_err(|_| ObjectsError::Shapeless { shown: shown(&object) })?;
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
        let getting = async {
            let found = self.api(version, kind, name).await?.get_opt(name).await;
            let found = found.map_err(|error| self.fail("read", kind, name, error))?;
            found.map(|object| self.read("read", kind, name, Ok(object))).transpose()
        };
        self.permission.act(getting).await
    }

    /// All objects of a kind.
    pub async fn list(&self, version: &str, kind: &str) -> Result<Vec<Value>, ObjectsError> {
        let listing = async {
            let list = self.api(version, kind, "*").await?.list(&ListParams::default()).await;
            let list = list.map_err(|error| self.fail("list", kind, "*", error))?;
            list.items.into_iter().map(|object| self.read("list", kind, "*", Ok(object))).collect()
        };
        self.permission.act(listing).await
    }

    /// Merges `patch` into an object; a `null` in it removes a field.
    pub async fn merge(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, ObjectsError> {
        let merging = async {
            let api = self.api(version, kind, name).await?;
            let merged = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
            self.read("change", kind, name, merged)
        };
        self.permission.act(merging).await
    }

    /// Merges `patch` into the status of an object, as its controller would.
    pub async fn merge_status(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, ObjectsError> {
        let merging = async {
            let api = self.api(version, kind, name).await?;
            let patch = Patch::Merge(patch);
            let merged = api.patch_status(name, &PatchParams::default(), &patch).await;
            self.read("change the status of", kind, name, merged)
        };
        self.permission.act(merging).await
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
        let holds = |object: &Value| !object.is_null() && holds(object);
        let watching = async {
            let api = self.api(version, kind, name).await?;
            self.watch(api, [kind, name], what, limit, holds, shown).await
        };
        self.permission.act(watching).await
    }

    /// Watches an object until every given key has the given value in it, and returns it as it was then.
    ///
    /// Objects may have further keys at every depth; arrays have as many elements, which match one by one. The message of a failure
    /// shows in which lines the object as it was last seen differs.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let done = json!({"status": {"phase": "Completed"}});
    /// let order = ["shop.example.com/v1", "Order", "tea"];
    /// ctx.objects().until_matching(order, done, Duration::from_secs(30)).await?;
    /// # Ok(()) }
    /// ```
    pub async fn until_matching(
        &self,
        [version, kind, name]: [&str; 3],
        partial: impl Borrow<Value>,
        limit: Duration,
    ) -> Result<Value, ObjectsError> {
        let partial = partial.borrow();
        let holds = |object: &Value| partial::matches(partial, object);
        let told = |object: &Value| {
            if object.is_null() {
                shown(object)
            } else {
                partial::differences(partial, object, "last seen")
            }
        };
        let watching = async {
            let api = self.api(version, kind, name).await?;
            self.watch(api, [kind, name], "a match", limit, holds, told).await
        };
        self.permission.act(watching).await
    }

    /// Deletes an object, and waits until it is gone.
    pub async fn delete(&self, version: &str, kind: &str, name: &str) -> Result<(), ObjectsError> {
        let deleting = async {
            let api = self.api(version, kind, name).await?;
            let deleted = api.delete(name, &DeleteParams::background()).await;
            deleted.map_err(|error| self.fail("delete", kind, name, error))?;
            self.watch(api, [kind, name], "its end", GONE, Value::is_null, shown).await
        };
        self.permission.act(deleting).await.map(drop)
    }

    async fn watch(
        &self,
        api: Api<DynamicObject>,
        [kind, name]: [&str; 2],
        what: impl fmt::Display,
        limit: Duration,
        holds: impl Fn(&Value) -> bool,
        told: impl Fn(&Value) -> String,
    ) -> Result<Value, ObjectsError> {
        Box::pin(watch::until(api, name, limit, holds, told)).await.map_err(|error| match error {
            WatchError::Refused(error) => self.fail("watch", kind, name, error),
            WatchError::Late { looks, last } => ObjectsError::Late {
                kind: kind.to_owned(),
                name: name.to_owned(),
                what: what.to_string(),
                limit,
                looks,
                last,
            },
        })
    }

    /// The namespaces that the case has made, or begun to make.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Notes how far the namespace is made.
    fn note(&self, made: Made) -> Option<Made> {
        let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(&self.namespace) {
            Some(Made::Whole) => Some(Made::Whole),
            Some(Made::Begun) | None => all.insert(self.namespace.clone(), made),
        }
    }

    /// Deletes the namespaces of the case. What fails here goes with the cluster.
    pub(crate) async fn release(&self) {
        let namespaces = Api::<Namespace>::all(self.applier.client());
        for namespace in self.namespaces() {
            let _ = namespaces.delete(&namespace, &DeleteParams::background()).await;
        }
    }

    async fn ensure(&self) -> Result<(), ObjectsError> {
        // Noted before it is made: whoever releases the case may look while the request is on its way.
        if self.note(Made::Begun) == Some(Made::Whole) {
            return Ok(());
        }
        self.permission.check()?;
        let made = ensure_namespace(&self.applier.client(), &self.namespace, &self.suite).await;
        made.map_err(|error| ObjectsError::Namespace {
            namespace: self.namespace.clone(),
            source: error.into(),
        })?;
        self.note(Made::Whole);
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
        let object = serde_json::to_value(object).map_err(kube::Error::SerdeError);
        object.map_err(|error| self.fail(what, kind, name, error))
    }

    fn fail(
        &self,
        what: &'static str,
        kind: &str,
        name: &str,
        source: impl Into<ServerError>,
    ) -> ObjectsError {
        ObjectsError::Api {
            what,
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: self.namespace.clone(),
            source: Box::new(source.into()),
        }
    }
}
