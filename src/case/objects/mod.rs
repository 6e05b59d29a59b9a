//! The Kubernetes objects of a case: those that it makes, and those of its suite.

use std::{borrow::Borrow, sync::Arc, time::Duration};

use kube::{
    Api,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

mod belongings;
mod changes;
mod error;
mod make;
mod place;
mod places;
mod until;
mod watch;

pub use error::ObjectsError;

use super::permission::Permission;
use crate::{
    manifest::{CASE, SUITE},
    stack::{ServerError, Stack, with_kind},
};
use belongings::Belongings;
use error::shown;
use place::{Act, Place};

/// How long a deleted object may take to be gone, its finalizers included.
const GONE: Duration = Duration::from_mins(1);

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
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let order = json!({"sku": "tea", "namespace": ctx.objects().namespace()});
    /// ctx.post("shop", "/orders").json(&order).send().await?.expect(201)?;
    /// # Ok(()) }
    /// ```
    pub fn namespace(&self) -> &str {
        self.place.namespace()
    }

    /// An object as it is now, if it exists.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let job = ctx.objects().get(["batch/v1", "Job", "restock"]).await?;
    /// ensure!(job.is_none(), "it was restocked: {job:?}");
    /// # Ok(()) }
    /// ```
    pub async fn get(&self, object: [&str; 3]) -> Result<Option<Value>, ObjectsError> {
        let [version, kind, name] = object;
        let getting = async {
            let found = self.api(Act::Read, [version, kind, name]).await?.get_opt(name).await;
            let found = found.map_err(|error| self.fail("read", kind, name, error))?;
            found.map(|object| self.read("read", kind, name, Ok(object))).transpose()
        };
        self.case.permission.act(getting).await
    }

    /// All objects of a kind; of one that belongs to no namespace those that the case has made, or
    /// those of the suite.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let pods = ctx.suite_objects().list(["v1", "Pod"]).await?;
    /// ensure!(pods.iter().all(|pod| pod["status"]["phase"] == "Running"), "{pods:?}");
    /// # Ok(()) }
    /// ```
    pub async fn list(&self, kinds: [&str; 2]) -> Result<Vec<Value>, ObjectsError> {
        let [version, kind] = kinds;
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
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let order = ["shop.example.com/v1", "Order", "tea"];
    /// ctx.objects().merge(order, json!({"spec": {"count": 2, "voucher": null}})).await?;
    /// # Ok(()) }
    /// ```
    pub async fn merge(
        &self,
        object: [&str; 3],
        patch: impl Borrow<Value>,
    ) -> Result<Value, ObjectsError> {
        let [version, kind, name] = object;
        let merging = async {
            let api = self.api(Act::Write, [version, kind, name]).await?;
            let patch = Patch::Merge(patch.borrow());
            let merged = api.patch(name, &PatchParams::default(), &patch).await;
            self.read("change", kind, name, merged)
        };
        self.case.permission.act(merging).await
    }

    /// Merges `patch` into the status of an object, as its controller would.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let payment = ["shop.example.com/v1", "Payment", "tea"];
    /// ctx.objects().merge_status(payment, json!({"status": {"phase": "Paid"}})).await?;
    /// # Ok(()) }
    /// ```
    pub async fn merge_status(
        &self,
        object: [&str; 3],
        patch: impl Borrow<Value>,
    ) -> Result<Value, ObjectsError> {
        let [version, kind, name] = object;
        let merging = async {
            let api = self.api(Act::Write, [version, kind, name]).await?;
            let patch = Patch::Merge(patch.borrow());
            let merged = api.patch_status(name, &PatchParams::default(), &patch).await;
            self.read("change the status of", kind, name, merged)
        };
        self.case.permission.act(merging).await
    }

    /// Deletes an object, and waits until it is gone.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.objects().delete(["shop.example.com/v1", "Order", "tea"]).await?;
    /// ctx.audit().kinds(["order.cancelled"]).exactly(1).holds().await?;
    /// # Ok(()) }
    /// ```
    pub async fn delete(&self, object: [&str; 3]) -> Result<(), ObjectsError> {
        let [version, kind, name] = object;
        let deleting = async {
            let api = self.api(Act::Write, [version, kind, name]).await?;
            let deleted = api.delete(name, &DeleteParams::background()).await;
            let deleted = deleted.map_err(|error| self.fail("delete", kind, name, error))?;
            let uid = deleted.either(
                |object| object.metadata.uid,
                |status| status.details.map(|details| details.uid).filter(|uid| !uid.is_empty()),
            );
            // Its controller may make another one of this name at once.
            let is_gone = |object: &Value| {
                let other = uid.as_ref().is_some_and(|uid| object["metadata"]["uid"] != **uid);
                object.is_null() || other
            };
            self.watch(api, [version, kind, name], "its end", GONE, is_gone, shown).await
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
