//! The namespaces that a case may use: its own, the suite's, and those that the suite declares.

use std::sync::Arc;

use serde_json::Value;

use super::{Objects, ObjectsError, Place};
use crate::{
    case::{
        Ctx, Logs, events,
        subject::{ReadError, Subject},
    },
    plan::SuitePlan,
    text::listed,
};

impl Ctx {
    /// The objects of the suite's own namespace, for reading: `get`, `list` and `until`.
    ///
    /// What its manifests put into no namespace, as a `ClusterRole`, is called `<name>-<suite>` there.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn the_shop_has_two_pods(ctx: Ctx) -> CaseResult {
    ///     let shop = ctx.suite_objects().get(["apps/v1", "Deployment", "shop"]).await?;
    ///     ensure!(shop.is_some_and(|shop| shop["status"]["readyReplicas"] == 2), "it has not");
    ///     Ok(())
    /// }
    /// ```
    pub fn suite_objects(&self) -> Objects {
        let namespace = self.stack().plan().namespace.clone();
        self.objects().at(Place::Suite(namespace))
    }

    /// The objects of a namespace that the suite declares, by its whole name or by what follows the
    /// suite's: `workflows` is `<suite>-workflows`.
    ///
    /// What the case makes there is deleted when it is over. It may change and delete what others
    /// have made there.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let jobs = ctx.objects_in("workflows")?.list(["batch/v1", "Job"]).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The suite declares no such namespace.
    pub fn objects_in(&self, namespace: &str) -> Result<Objects, ObjectsError> {
        let found = declared(self.stack().plan(), namespace);
        found.map(|namespace| self.objects().at(Place::Declared(namespace)))
    }
}

impl Objects {
    /// The same in another place.
    fn at(&self, place: Place) -> Self {
        Self { place, case: Arc::clone(&self.case) }
    }

    /// The same in another namespace of the case, whose name ends in `suffix`, and which has the labels and
    /// annotations that were said before.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let other = ctx.objects().beside("other");
    /// other.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shelf"}})).await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn beside(&self, suffix: &str) -> Self {
        self.at(self.place.beside(format!("{}-{suffix}", self.case.id)))
    }

    /// The same in the namespace `name`, which this case alone has until it is over, with the labels and annotations that
    /// were said before.
    ///
    /// Other cases of the cluster that ask for it wait until it is really gone; the time counts for
    /// their limits. It is there when this returns.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let production = ctx.objects().fixed("production").await?;
    /// let pods = production.list(["v1", "Pod"]).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// There is such a namespace that no case has made, or the case holds another whose name comes
    /// later in the alphabet: two cases would wait for each other.
    pub async fn fixed(&self, name: &str) -> Result<Self, ObjectsError> {
        self.case.permission.act(self.case.hold(name, &self.place.marks())).await?;
        Ok(self.at(self.place.beside(name.to_owned())))
    }

    /// The same in a namespace with this label. It has no effect on namespaces of others.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let watched = ctx.objects().label("team", "tea").annotation("till", "7");
    /// watched.make_namespace().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn label(&self, name: &str, value: &str) -> Self {
        let mut same = self.clone();
        if let Place::Own { marks, .. } = &mut same.place {
            marks.labels.insert(name.to_owned(), value.to_owned());
        }
        same
    }

    /// The same in a namespace with this annotation. It has no effect on namespaces of others.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let paused = ctx.objects().beside("paused").annotation("shop.example.com/paused", "yes");
    /// paused.make_namespace().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn annotation(&self, name: &str, value: &str) -> Self {
        let mut same = self.clone();
        if let Place::Own { marks, .. } = &mut same.place {
            marks.annotations.insert(name.to_owned(), value.to_owned());
        }
        same
    }

    /// Makes the namespace although it has no object yet, or gives it the labels and annotations that
    /// it lacks; returns it as stored.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.objects().beside("till").label("team", "tea").make_namespace().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// It is not one of the case's own, or the server refuses it.
    pub async fn make_namespace(&self) -> Result<Value, ObjectsError> {
        let Place::Own { namespace, marks } = &self.place else {
            return Err(ObjectsError::ReadOnly { namespace: self.namespace().to_owned() });
        };
        let made = self.case.permission.act(self.case.ensure(namespace, marks)).await?;
        serde_json::to_value(made).map_err(|error| {
            self.fail("read", "Namespace", namespace, kube::Error::SerdeError(error))
        })
    }

    /// A name that only this case has, for objects of the whole cluster.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let name = ctx.objects().own_name("reader");
    /// let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]);
    /// let role = json!({
    ///     "apiVersion": "rbac.authorization.k8s.io/v1",
    ///     "kind": "ClusterRole",
    ///     "metadata": {"name": name},
    ///     "rules": rules,
    /// });
    /// ctx.objects().create(role).await?;
    /// # Ok(()) }
    /// ```
    pub fn own_name(&self, name: &str) -> String {
        format!("{name}-{}", self.case.id)
    }

    /// What the pods of an object in this namespace have written; a `Pod` is its own.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let text = ctx.objects().logs(["batch/v1", "Job", "backup"]).text().await?;
    /// # Ok(()) }
    /// ```
    pub fn logs(&self, object: [&str; 3]) -> Logs {
        let [_, kind, name] = object;
        let (client, namespace) = (self.case.stack().client(), self.namespace().to_owned());
        Logs::of(client, vec![namespace], Subject::object(kind, name), self.case.permission.clone())
    }

    /// The Events of Kubernetes about an object in this namespace and what it made, as
    /// [`Ctx::events`](crate::Ctx::events) returns them.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let events = ctx.objects().events(["shop.example.com/v1", "Order", "tea"]).await?;
    /// ensure!(events.iter().any(|event| event["reason"] == "Shipped"), "{events:?}");
    /// # Ok(()) }
    /// ```
    pub async fn events(&self, object: [&str; 3]) -> Result<Vec<Value>, ReadError> {
        let [_, kind, name] = object;
        let (stack, subject) = (self.case.stack(), Subject::object(kind, name));
        let reading = events::read(stack.client(), [self.namespace()], &subject, stack.plan());
        self.case.permission.act(reading).await
    }

    /// What the case waits for, in words.
    pub(crate) fn waits(&self) -> Option<String> {
        self.case.waits()
    }

    /// The namespaces that the case has made, or begun to make.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        self.case.namespaces()
    }

    /// Begins to delete all that the case has made.
    pub(crate) async fn release(&self) {
        self.case.release().await;
    }
}

/// The whole name of a namespace that a suite declares.
fn declared(plan: &SuitePlan, name: &str) -> Result<String, ObjectsError> {
    let whole = format!("{}-{name}", plan.name);
    let known = || plan.namespaces().filter(|it| *it != plan.namespace);
    let found = known().find(|declared| *declared == name || *declared == whole);
    found
        .map(ToOwned::to_owned)
        .ok_or_else(|| ObjectsError::Undeclared { name: name.to_owned(), known: listed(known()) })
}
