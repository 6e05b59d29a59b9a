//! Waits for a workload: a watch says when to look, a look says how it stands.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, StreamExt as _, stream::select_all};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::Value;

use super::{
    StackError, details,
    error::{ServerError, is_refusal},
    look::look,
    readiness::{Readiness, has_pods},
    restarts::{Allowance, Restarts},
    rights,
    site::Site,
};
use crate::{
    manifest::{SUITE, selector, text_at},
    plan::{SuitePlan, WorkloadPlan},
    text::chain,
    wait,
};

/// How long the server may take to answer one look.
const ANSWERED: Duration = Duration::from_mins(3);
/// A watch may miss something; so there is a look at least this often.
const AT_LEAST: Duration = Duration::from_secs(1);
/// How long what may heal by itself is given to do so: a registry is asked again after 10 s, and
/// pods of before hold their part of a node and of a quota until they have ended.
const GRACE: Duration = Duration::from_secs(20);

/// Waits until all objects of a workload are ready, and no pod of before is left that could answer.
///
/// Its limit counts from `begun`; its starts count from `before`, which is from when nothing of it had begun.
pub(super) async fn wait(
    site: &Site,
    suite: &SuitePlan,
    workload: &WorkloadPlan,
    begun: Instant,
    before: &Restarts,
) -> Result<(), StackError> {
    let objects = workload.objects.iter().filter(|object| has_pods(object));
    let allowance = Allowance { before, starts: workload.starts };
    let waiting = objects.map(|object| one(site, suite, workload, object, begun, allowance));
    futures_util::future::try_join_all(waiting).await.map(drop)
}

async fn one(
    site: &Site,
    suite: &SuitePlan,
    workload: &WorkloadPlan,
    object: &Value,
    begun: Instant,
    allowance: Allowance<'_>,
) -> Result<(), StackError> {
    let fail = |source: ServerError| StackError::Api {
        what: format!("look at {} `{}`", text_at(object, "/kind"), workload.name),
        namespace: suite.namespace.clone(),
        source,
    };
    let name = text_at(object, "/metadata/name");
    let api = site.applier.api(&suite.namespace, object).await;
    let api = api.map_err(|error| fail(error.into()))?;
    let namespace = api.namespace().unwrap_or(&suite.namespace);
    let pods = Api::<Pod>::namespaced(site.cluster.client(), namespace);
    let this = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let of_suite = || format!("{SUITE}={}", suite.name);
    let own = watcher::Config::default().labels(&selector(object).unwrap_or_else(of_suite));
    // A watch that breaks is begun again; until then the clock says when to look.
    let changes = select_all([
        watcher(api.clone(), this).default_backoff().map(drop).boxed(),
        watcher(pods.clone(), own).default_backoff().map(drop).boxed(),
    ]);
    let mut changes = pin!(changes);
    let mut failing: Option<Instant> = None;
    loop {
        let looking = tokio::time::timeout(ANSWERED, look(&api, &pods, object, allowance));
        let (readiness, pod) = match looking.await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) if is_refusal(&error) => return Err(fail(error.into())),
            // It may answer again.
            Ok(Err(error)) => (Readiness::Coming(format!("no answer: {}", chain(&error))), None),
            Err(_) => (Readiness::Lost("the API server does not answer any more".to_owned()), None),
        };
        let (seen, lost) = match readiness {
            Readiness::Ready => return Ok(()),
            Readiness::Coming(seen) => {
                failing = None;
                (seen, false)
            }
            Readiness::Failing(seen) => {
                (seen, failing.get_or_insert_with(Instant::now).elapsed() > GRACE)
            }
            Readiness::Lost(seen) => (seen, true),
        };
        let limit = workload.ready_within;
        let late = begun.elapsed() > limit;
        if lost || late {
            let client = site.cluster.client();
            let mut evidence = details::evidence(&client, namespace, pod.as_ref()).await;
            evidence.extend(rights::proven(&client, evidence.iter().map(String::as_str)).await);
            let workload = format!("`{}` of suite `{}`", workload.name, suite.name);
            return Err(if lost {
                StackError::Lost { workload, reason: seen, evidence }
            } else {
                StackError::Late { workload, limit, seen, evidence }
            });
        }
        site.events.waits(&suite.name, &format!("{}: {seen}", workload.name));
        // Either of them: the next look says how it stands.
        let _ = tokio::time::timeout(AT_LEAST, changes.next()).await;
        wait::pause(Duration::from_millis(20)).await;
        // One look covers all that has happened by now.
        while changes.next().now_or_never().flatten().is_some() {}
    }
}
