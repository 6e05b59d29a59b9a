//! Makes the objects of a case.

use kube::api::{DynamicObject, PostParams};
use serde::Serialize;
use serde_json::Value;

use super::{Act, Objects, ObjectsError, Place, error::shown};
use crate::{
    manifest::text_at,
    stack::ServerError,
    text::chain,
    wait::{self, Limit, Poll, WaitError},
};

/// How long the server may put off what it is to make.
const PUT_OFF: Limit = Limit::seconds(15);

impl Objects {
    /// Makes an object, given as JSON with `apiVersion`, `kind`, `metadata.name`; returns it as stored.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let settings = json!({
    ///     "apiVersion": "v1",
    ///     "kind": "ConfigMap",
    ///     "metadata": {"name": "settings"},
    ///     "data": {"colour": "red"},
    /// });
    /// let made = ctx.objects().create(settings).await?;
    /// ensure!(made["metadata"]["uid"].is_string(), "it has no uid");
    /// # Ok(()) }
    /// ```
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
}

/// Whether the server asks for the same request a moment later: before 1.24 it does for pods of a service account
/// that has no token yet, as those of a new namespace.
fn is_put_off(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.reason == "ServerTimeout")
}
