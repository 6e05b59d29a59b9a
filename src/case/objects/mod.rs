//! The Kubernetes objects of a case: those that it makes, and those of its suite.

use std::{sync::Arc, time::Duration};

use kube::{
    Api,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde::Serialize;
use serde_json::{Value, json};

mod belongings;
mod changes;
mod error;
mod place;
mod places;
mod until;
mod watch;

pub use error::ObjectsError;

use super::permission::Permission;
use crate::{
    manifest::{CASE, SUITE, text_at},
    stack::{ServerError, Stack, with_kind},
    text::chain,
    wait::{self, Limit, Poll, WaitError},
};
use belongings::Belongings;
use error::shown;
use place::{Act, Place};

/// How long a deleted object may take to be gone, its finalizers included.
const GONE: Duration = Duration::from_mins(1);

/// How long the server may put off what it is to make.
const PUT_OFF: Limit = Limit::seconds(15);

/// Objects of one namespace; [`Ctx::objects`](crate::Ctx::objects) makes it for one of the case's own,
/// [`Ctx::suite_objects`](crate::Ctx::suite_objects) for the suite's, and
/// [`Ctx::objects_in`](crate::Ctx::objects_in) for one that the suite declares.
///
/// What a case makes is deleted when it is over, wherever it is.
///
/// Objects of the whole cluster can be made too. They must be called after the case, so that no other
/// meets them:
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx};
/// # use serde_json::json;
/// async fn a_class_may_be_asked_for(ctx: Ctx) -> CaseResult {
///     let name = ctx.objects().own_name("urgent");
///     let class = json!({
///         "apiVersion": "scheduling.k8s.io/v1",
///         "kind": "PriorityClass",
///         "metadata": {"name": name},
///         "value": 7,
///     });
///     ctx.objects().create(class).await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Objects {
    case: Arc<Belongings>,
    place: Place,
}

impl Objects {
    pub(super) fn new(stack: Arc<Stack>, case: &str, id: String, permission: Permission) -> Self {
        let case = Belongings::new(stack, case, id, permission);
        Self { place: Place::own(case.id.clone()), case: Arc::new(case) }
    }

    /// The namespace of these objects.
    pub fn namespace(&self) -> &str {
        self.place.namespace()
    }

    /// Makes an object, given as JSON with `apiVersion`, `kind`, `metadata.name`; returns it as stored.
    ///
    /// # Errors
    ///
    /// It would not be the case's own, or the server refuses it.
    pub async fn create(&self, object: impl Serialize) -> Result<Value, ObjectsError> {
        let object = serde_json::to_value(object).unwrap_or_default();
        self.case.permission.act(self.make(object)).await
    }

    async fn make(&self, object: Value) -> Result<Value, ObjectsError> {
        let [version, kind, name] =
            ["/apiVersion", "/kind", "/metadata/name"].map(|path| text_at(&object, path));
        if [version, kind, name].contains(&"") {
            return Err(ObjectsError::Shapeless { shown: shown(&object) });
        }
        let api = self.api(Act::Write, [version, kind, name]).await?;
        let namespace = text_at(&object, "/metadata/namespace");
        if !namespace.is_empty() && api.namespace().is_some_and(|own| own != namespace) {
            return Err(ObjectsError::Foreign {
                kind: kind.to_owned(),
                name: name.to_owned(),
                namespace: namespace.to_owned(),
            });
        }
        let mut made: DynamicObject = serde_json::from_value(object.clone())
            .map_err(|_| ObjectsError::Shapeless { shown: shown(&object) })?;
        match &self.place {
            Place::Own { namespace, marks } if api.namespace().is_some() => {
                self.case.ensure(namespace, marks).await?;
            }
            Place::Own { .. } | Place::Suite(_) | Place::Declared(_) => {
                self.case.adopt(&api, &mut made).await?;
            }
        }
        let made = wait::until("that the server takes it", PUT_OFF, async || {
            match api.create(&PostParams::default(), &made).await {
                Err(error) if is_put_off(&error) => Ok(Poll::NotYet(error.to_string())),
                made => made.map(Poll::Ready),
            }
        });
        let made = made.await.map_err(|error| match error {
            WaitError::Broken { source, .. } => self.fail("make", kind, name, source),
            late @ WaitError::TimedOut { .. } => {
                self.fail("make", kind, name, ServerError::Refused(chain(&late)))
            }
        })?;
        self.read("make", kind, name, Ok(made))
    }

    /// An object as it is now, if it exists.
    pub async fn get(
        &self,
        version: &str,
        kind: &str,
        name: &str,
    ) -> Result<Option<Value>, ObjectsError> {
        let getting = async {
            let found = self.api(Act::Read, [version, kind, name]).await?.get_opt(name).await;
            let found = found.map_err(|error| self.fail("read", kind, name, error))?;
            found.map(|object| self.read("read", kind, name, Ok(object))).transpose()
        };
        self.case.permission.act(getting).await
    }

    /// All objects of a kind; of one that belongs to no namespace those that the case has made, or
    /// those of the suite.
    pub async fn list(&self, version: &str, kind: &str) -> Result<Vec<Value>, ObjectsError> {
        let listing = async {
            let api = self.find([version, kind, "*"]).await?;
            let all = ListParams::default();
            let which = match (api.namespace(), &self.place) {
                (Some(_), _) => all,
                (None, Place::Suite(_)) => {
                    all.labels(&format!("{SUITE}={},!{CASE}", self.case.stack().plan().name))
                }
                (None, _) => all.labels(&format!("{CASE}={}", self.case.id)),
            };
            let list = api.list(&which).await;
            let list = list.map_err(|error| self.fail("list", kind, "*", error))?;
            Ok(list.items.into_iter().map(|object| with_kind(object, [version, kind])).collect())
        };
        self.case.permission.act(listing).await
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
            let api = self.api(Act::Write, [version, kind, name]).await?;
            let merged = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
            self.read("change", kind, name, merged)
        };
        self.case.permission.act(merging).await
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
            let api = self.api(Act::Write, [version, kind, name]).await?;
            let patch = Patch::Merge(patch);
            let merged = api.patch_status(name, &PatchParams::default(), &patch).await;
            self.read("change the status of", kind, name, merged)
        };
        self.case.permission.act(merging).await
    }

    /// Deletes an object, and waits until it is gone.
    pub async fn delete(&self, version: &str, kind: &str, name: &str) -> Result<(), ObjectsError> {
        let deleting = async {
            let api = self.api(Act::Write, [version, kind, name]).await?;
            let deleted = api.delete(name, &DeleteParams::background()).await;
            deleted.map_err(|error| self.fail("delete", kind, name, error))?;
            self.watch(api, [version, kind, name], "its end", GONE, Value::is_null, shown).await
        };
        self.case.permission.act(deleting).await.map(drop)
    }

    /// The API of a kind, if this may be done with an object of it.
    async fn api(
        &self,
        act: Act,
        [version, kind, name]: [&str; 3],
    ) -> Result<Api<DynamicObject>, ObjectsError> {
        if !self.place.allows(act) {
            return Err(ObjectsError::ReadOnly { namespace: self.namespace().to_owned() });
        }
        let api = self.find([version, kind, name]).await?;
        if api.namespace().is_some() || matches!(self.place, Place::Suite(_)) {
            return Ok(api);
        }
        if act == Act::Write && [version, kind] == ["v1", "Namespace"] {
            return Err(ObjectsError::NamespaceObject { name: name.to_owned() });
        }
        if !name.contains(&self.case.id) {
            let (own, kind, name) = (self.own_name(name), kind.to_owned(), name.to_owned());
            return Err(ObjectsError::ClusterScoped { kind, name, own });
        }
        Ok(api)
    }

    async fn find(
        &self,
        [version, kind, name]: [&str; 3],
    ) -> Result<Api<DynamicObject>, ObjectsError> {
        let object = json!({"apiVersion": version, "kind": kind});
        let api = self.case.stack().applier().api(self.namespace(), &object).await;
        api.map_err(|error| self.fail("look up the kind of", kind, name, error))
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
            namespace: self.namespace().to_owned(),
            source: Box::new(source.into()),
        }
    }
}

/// Whether the server asks for the same request a moment later: before 1.24 it does for pods of a service account
/// that has no token yet, as those of a new namespace.
fn is_put_off(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.reason == "ServerTimeout")
}
