//! What Kubernetes has told of the objects of a suite, as its Events.

use k8s_openapi::{api::core::v1::Event, jiff::Timestamp};
use kube::{
    Api, Client,
    api::{ListParams, ObjectMeta},
};
use serde_json::Value;

use super::{
    Ctx,
    subject::{ReadError, Subject},
};
use crate::plan::SuitePlan;

impl Ctx {
    /// The Events of Kubernetes about a workload of the suite and its pods, also those that are gone,
    /// or about another object of its namespaces: `"Pod/worker-0"`, `"ConfigMap/settings"`.
    ///
    /// They are the objects as the server has them, by the time at which each was last seen. The
    /// server forgets them after a while, an hour unless it is told otherwise.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn no_probe_has_failed(ctx: Ctx) -> CaseResult {
    ///     let events = ctx.events("shop").await?;
    ///     let failed = events.iter().find(|event| event["reason"] == "Unhealthy");
    ///     ensure!(failed.is_none(), "a probe has failed: {failed:?}");
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The stack has no such workload, or the server does not answer.
    pub async fn events(&self, workload: &str) -> Result<Vec<Value>, ReadError> {
        let plan = self.stack().plan();
        let subject = Subject::of(plan, workload)?;
        let reading = read(self.stack().client(), plan.namespaces(), &subject, plan);
        self.permission().act(reading).await
    }
}

/// The events about a subject of some namespaces. What the suite makes may be called like it.
pub(super) async fn read(
    client: Client,
    namespaces: impl IntoIterator<Item = &str>,
    subject: &Subject,
    plan: &SuitePlan,
) -> Result<Vec<Value>, ReadError> {
    let mut events = Vec::new();
    for namespace in namespaces {
        let found = Api::<Event>::namespaced(client.clone(), namespace);
        let found = found.list(&ListParams::default()).await;
        events.extend(found.map_err(|error| subject.unread("events", error))?.items);
    }
    events.retain(|event| {
        let about = &event.involved_object;
        let about = [&about.kind, &about.name].map(|it| it.as_deref().unwrap_or_default());
        subject.made(about, plan.objects())
    });
    events.sort_by_key(last_seen);
    Ok(events.into_iter().filter_map(plain).collect())
}

/// When an event was last seen. Who tells it says so in one of several ways.
fn last_seen(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let made = event.metadata.creation_timestamp.as_ref().map(|time| time.0);
    series.map(|time| time.0).or(last).or(event.event_time.as_ref().map(|time| time.0)).or(made)
}

/// An event as the server has it, without what it keeps for itself.
fn plain(event: Event) -> Option<Value> {
    let metadata = ObjectMeta { managed_fields: None, ..event.metadata };
    serde_json::to_value(Event { metadata, ..event }).ok()
}
