//! Deletes what a suite has made in its cluster.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use serde_json::Value;

use super::{
    error::unless_gone, insist, kinds::KindError, namespace::remaining, pods::has_ended, site::Site,
};
use crate::{
    manifest::{SUITE, text_at},
    plan::SuitePlan,
    text::chain,
    wait::{Limit, Poll, WaitError},
};

/// How long what a suite has made may take to be gone.
const RELEASED: Limit = Limit { total: Duration::from_mins(1), every: Duration::from_millis(250) };
/// How long controllers of a suite may take to let go of what its cases made.
const LET_GO: Limit = Limit { total: Duration::from_secs(25), every: Duration::from_millis(250) };
/// How long finalizers may hold a namespace that has no pods any more: whoever removes them may have just
/// begun, or may try again after a while.
const HELD: Duration = Duration::from_secs(15);

/// Deletes all that a suite has made, except CRDs: first its namespaces beside its own and what its cases
/// made, while its controllers still run, then what concerns other suites of the cluster, then its own namespace.
///
/// It ends when no pod of it is left. What hangs is told, and goes with the cluster.
pub(crate) async fn release(site: &Site, suite: &SuitePlan) {
    let others = others(site, suite).await.unwrap_or_else(|error| {
        let words = format!("what its cases made may not be deleted: {}", chain(&error));
        site.events.notice(&suite.name, &words);
        suite.namespaces().skip(1).map(str::to_owned).collect()
    });
    let letting_go = others.iter().map(|name| delete(site, suite, name, End::OfAll, LET_GO));
    join_all(letting_go).await;
    let objects = suite.cluster_wide();
    join_all(objects.map(|object| delete_cluster_wide(site, suite, object))).await;
    delete(site, suite, &suite.namespace, End::OfPods, RELEASED).await;
}

/// The namespaces beside a suite's own: those that it declares, and those that its cases have made.
async fn others(site: &Site, suite: &SuitePlan) -> Result<Vec<String>, WaitError<kube::Error>> {
    let namespaces = Api::<Namespace>::all(site.cluster.client());
    let of_suite = ListParams::default().labels(&format!("{SUITE}={}", suite.name));
    let listing = insist::until("the list of its namespaces", LET_GO, async || {
        let found = namespaces.list(&of_suite).await?.items;
        let names = found.iter().map(kube::ResourceExt::name_any);
        Ok(Poll::Ready(names.filter(|name| *name != suite.namespace).collect()))
    });
    listing.await
}

/// Deletes an object of the suite if it is not in its namespace.
async fn delete_cluster_wide(site: &Site, suite: &SuitePlan, object: &Value) {
    let name = text_at(object, "/metadata/name");
    let api = match site.applier.api(&suite.namespace, object).await {
        Ok(api) if api.namespace() != Some(&suite.namespace) => Ok(api),
        // It goes with the namespace; or its kind is gone, and it with its kind.
        Ok(_) | Err(KindError::Unknown { .. }) => return,
        Err(error) => Err(error),
    };
    let deleting = async {
        let api = api.map_err(|error| chain(&error))?;
        let deleted = insist::until("its deletion", LET_GO, async || {
            let live = api.get_opt(name).await?;
            // It keeps its name if other parts of Kubernetes know it by that: then it may be another's.
            if live.is_some_and(|live| live.labels().get(SUITE) == Some(&suite.name)) {
                unless_gone(api.delete(name, &DeleteParams::background()).await)?;
            }
            Ok(Poll::Ready(()))
        });
        deleted.await.map_err(|error| chain(&error))
    };
    if let Err(words) = deleting.await {
        let words = format!("{} `{name}` is not deleted: {words}", text_at(object, "/kind"));
        site.events.notice(&suite.name, &words);
    }
}

/// How much of a namespace is waited for.
#[derive(Clone, Copy, Debug)]
enum End {
    OfPods,
    OfAll,
}

/// Deletes a namespace, and waits for the end of so much of it.
async fn delete(site: &Site, suite: &SuitePlan, name: &str, end: End, limit: Limit) {
    let client = site.cluster.client();
    let namespaces = Api::<Namespace>::all(client.clone());
    let pods = Api::<Pod>::namespaced(client, name);
    let (mut told, mut empty) = (false, None::<Instant>);
    let gone = insist::until("its end", limit, async || {
        if !told {
            unless_gone(namespaces.delete(name, &DeleteParams::background()).await)?;
            told = true;
        }
        let left = pods.list(&ListParams::default()).await?.items;
        for pod in left.iter().filter(|pod| has_ended(pod)) {
            let now = DeleteParams::default().grace_period(0);
            unless_gone(pods.delete(&pod.name_any(), &now).await)?;
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
        Ok(None) => return,
        Err(WaitError::TimedOut { last, .. }) => last,
        Err(WaitError::Broken { source, .. }) => chain(&source),
    };
    site.events.notice(&suite.name, &format!("the namespace `{name}` is not gone: {words}"));
}
