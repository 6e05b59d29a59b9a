//! Waits until an object is as it should be.

use std::{borrow::Borrow, fmt, time::Duration};

use kube::{Api, api::DynamicObject};
use serde_json::Value;

use super::{
    Act, Objects, ObjectsError,
    error::shown,
    watch::{self, WatchError},
};
use crate::partial;

impl Objects {
    /// Watches an object until `holds` is true of it, and returns it as it was
    /// then.
    ///
    /// `what` names the condition in the message of a failure, which tells how the object changed
    /// in the meantime, and shows it as it was last seen.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let order = ["shop.example.com/v1", "Order", "tea"];
    /// let is_shipped = |order: &serde_json::Value| order["status"]["phase"] == "Shipped";
    /// let shipped = ctx.objects().until(order, "its shipment", Duration::from_secs(30), is_shipped).await?;
    /// ensure!(shipped["status"]["carrier"].is_string(), "nobody carries it");
    /// # Ok(()) }
    /// ```
    pub async fn until(
        &self,
        object: [&str; 3],
        what: impl fmt::Display,
        limit: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value, ObjectsError> {
        let [version, kind, name] = object;
        let holds = |object: &Value| !object.is_null() && holds(object);
        let watching = async {
            let api = self.api(Act::Read, [version, kind, name]).await?;
            self.watch(api, [version, kind, name], what, limit, holds, shown).await
        };
        self.case.permission.act(watching).await
    }

    /// Watches an object until every given key has the given value in it, and
    /// returns it as it was then.
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
        object: [&str; 3],
        partial: impl Borrow<Value>,
        limit: Duration,
    ) -> Result<Value, ObjectsError> {
        let [version, kind, name] = object;
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
            let api = self.api(Act::Read, [version, kind, name]).await?;
            self.watch(api, [version, kind, name], "a match", limit, holds, told).await
        };
        self.case.permission.act(watching).await
    }

    pub(super) async fn watch(
        &self,
        api: Api<DynamicObject>,
        [version, kind, name]: [&str; 3],
        what: impl fmt::Display,
        limit: Duration,
        holds: impl Fn(&Value) -> bool,
        told: impl Fn(&Value) -> String,
    ) -> Result<Value, ObjectsError> {
        Box::pin(watch::until(api, [version, kind, name], limit, holds, told)).await.map_err(
            |error| match error {
                WatchError::Refused(error) => self.fail("watch", kind, name, error),
                WatchError::Late { history, last } => ObjectsError::Late {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                    what: what.to_string(),
                    limit,
                    history,
                    last,
                },
            },
        )
    }
}
