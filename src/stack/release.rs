//! Deletes what a suite has made in its cluster.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use serde_json::Value;

use super::{namespace::remaining, place::Place, pods::has_ended};
use crate::{
    manifest::{SUITE, text_at},
    plan::SuitePlan,
    wait::{self, Limit, Poll, WaitError},
};

/// How long what a suite has made may take to be gone.
const RELEASED: Limit = Limit { total: Duration::from_mins(1), every: Duration::from_millis(250) };
/// How long controllers of a suite may take to let go of what its cases made.
const LET_GO: Limit = Limit { total: Duration::from_secs(15), every: Duration::from_millis(250) };
/// How long finalizers may hold a namespace that has no pods any more.
const HELD: Duration = Duration::from_secs(5);

/// Deletes all that a suite has made, except CRDs: first what its cases made, while its controllers
/// still run, then what concerns other suites of the cluster, then its own namespace.
///
/// It ends when no pod of it is left. What hangs is told, and goes with the cluster.
pub(crate) async fn release(place: &Place, suite: &SuitePlan) {
    let namespaces = Api::<Namespace>::all(place.cluster.client());
    let of_suite = ListParams::default().labels(&format!("{SUITE}={}", suite.name));
    let found = namespaces.list(&of_suite).await.map(|list| list.items).unwrap_or_default();
    let names = found.iter().map(kube::ResourceExt::name_any);
    let of_cases = names.filter(|name| *name != suite.namespace);
    let letting_go =
        of_cases.map(|name| async move { delete(place, suite, &name, End::OfAll, LET_GO).await });
    join_all(letting_go).await;
    let objects = suite.cluster_wide();
    join_all(objects.map(|object| delete_cluster_wide(place, suite, object))).await;
    delete(place, suite, &suite.namespace, End::OfPods, RELEASED).await;
}

/// Deletes an object of the suite if it is not in its namespace.
async fn delete_cluster_wide(place: &Place, suite: &SuitePlan, object: &Value) {
    let name = text_at(object, "/metadata/name");
    let deleting = async {
        let api = place.applier.api(&suite.namespace, object).await.ok()?;
        if api.namespace() == Some(&suite.namespace) {
            return None;
        }
        // It keeps its name if other parts of Kubernetes know it by that: then it may be another's.
        let live = api.get_opt(name).await.ok()??;
        if live.labels().get(SUITE) == Some(&suite.name) {
            api.delete(name, &DeleteParams::background()).await.ok()?;
        }
        Some(())
    };
    // A failure is no news: it goes with the cluster.
    let _ = deleting.await;
}

/// How much of a namespace is waited for.
#[derive(Clone, Copy, Debug)]
enum End {
    OfPods,
    OfAll,
}

/// Deletes a namespace, and waits for the end of so much of it.
async fn delete(place: &Place, suite: &SuitePlan, name: &str, end: End, limit: Limit) {
    let client = place.cluster.client();
    let namespaces = Api::<Namespace>::all(client.clone());
    let pods = Api::<Pod>::namespaced(client, name);
    let _ = namespaces.delete(name, &DeleteParams::background()).await;
    let mut empty: Option<Instant> = None;
    let gone = wait::until("its end", limit, async || -> Result<_, kube::Error> {
        let left = pods.list(&ListParams::default()).await?.items;
        for pod in left.iter().filter(|pod| has_ended(pod)) {
            let _ = pods.delete(&pod.name_any(), &DeleteParams::default().grace_period(0)).await;
        }
        if !left.is_empty() {
            return Ok(Poll::NotYet(format!("{} pods", left.len())));
        }
        let Some(namespace) = namespaces.get_opt(name).await? else {
            return Ok(Poll::Ready(None));
        };
        let Some(holding) = remaining(&namespace) else {
            return Ok(match end {
                End::OfPods => Poll::Ready(None),
                End::OfAll => Poll::NotYet("its objects are deleted".to_owned()),
            });
        };
        // Whoever owns a finalizer may be about to remove it.
        Ok(if empty.get_or_insert_with(Instant::now).elapsed() < HELD {
            Poll::NotYet(holding)
        } else {
            Poll::Ready(Some(holding))
        })
    });
    let words = match gone.await {
        Ok(Some(holding)) => holding,
        Err(WaitError::TimedOut { last, .. }) => last,
        // A server that does not answer is no news: the cluster may be gone.
        Ok(None) | Err(WaitError::Broken { .. }) => return,
    };
    place.events.notice(&suite.name, &format!("the namespace `{name}` is not gone: {words}"));
}
