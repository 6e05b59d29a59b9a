//! Collects what a namespace says: its objects, its events, and the logs of its pods.
//!
//! Every part is asked for on its own: one that fails leaves a line that says so,
//! and the others go on.

use std::{fmt, time::Duration};

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::{
    apps::v1::{DaemonSet, Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{Event, Pod, Service},
};
use kube::{
    Api, Client, Resource, ResourceExt as _, api::ListParams, core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};

use super::folder::Folder;
use crate::{
    pod_logs::{self, Extent, Run},
    text::chain,
};

/// How long all of it may take, and less where cases wait for it.
const LIMIT: Duration = Duration::from_secs(20);
const LIMIT_OF_CASE: Duration = Duration::from_secs(10);
/// How many objects of a kind are kept.
const OBJECTS: u32 = 500;
/// How many logs are read at a time.
const TOGETHER: usize = 4;

/// As much of each log as explains a stack.
const LOG: Extent = Extent { lines: 10_000, bytes: 4 << 20, timestamps: true, ..Extent::WHOLE };
/// As much as explains a case: there may be many of them.
const LOG_OF_CASE: Extent = Extent { lines: 1_000, bytes: 256 << 10, ..LOG };

/// All that a namespace has.
pub(super) async fn collect(folder: &Folder, client: &Client, namespace: &str) {
    let collecting = async {
        tokio::join!(
            pods(folder, client, namespace, LOG, |_| ()),
            objects::<Event>(folder, client, namespace, "events"),
            objects::<Service>(folder, client, namespace, "services"),
            objects::<Deployment>(folder, client, namespace, "deployments"),
            objects::<StatefulSet>(folder, client, namespace, "statefulsets"),
            objects::<DaemonSet>(folder, client, namespace, "daemonsets"),
            objects::<Job>(folder, client, namespace, "jobs"),
        )
    };
    folder.within(LIMIT, collecting).await;
}

/// How its pods stand now, its events, and what they wrote in the last so long.
pub(super) async fn collect_of_case(
    folder: &Folder,
    client: &Client,
    namespace: &str,
    last: Duration,
) {
    let extent = Extent { last: Some(last), ..LOG_OF_CASE };
    let collecting = async {
        tokio::join!(
            // What they should be is the same for all cases, and in the evidence of the suite.
            pods(folder, client, namespace, extent, |pod| pod.spec = None),
            objects::<Event>(folder, client, namespace, "events"),
        )
    };
    folder.within(LIMIT_OF_CASE, collecting).await;
}

/// How pods stand, without what `shorten` takes away, and their logs.
async fn pods(
    folder: &Folder,
    client: &Client,
    namespace: &str,
    extent: Extent,
    shorten: impl Fn(&mut Pod),
) {
    let pods = listed::<Pod>(folder, client, namespace, "pods").await;
    let mut shown = pods.clone();
    shown.iter_mut().for_each(shorten);
    keep(folder, "pods", shown).await;
    logs(&folder.folder("logs"), client, &pods, extent).await;
}

async fn logs(folder: &Folder, client: &Client, pods: &[Pod], extent: Extent) {
    let containers = pods
        .iter()
        .flat_map(|pod| pod_logs::containers(pod).map(move |container| (pod, container)));
    let runs = containers.flat_map(|(pod, container)| {
        pod_logs::runs(container).map(move |run| (pod, container.name.as_str(), run))
    });
    let reading =
        stream::iter(runs).for_each_concurrent(TOGETHER, |(pod, container, run)| async move {
            let log = pod_logs::read(client, pod, container, run, extent).await;
            let ending = match run {
                Run::Latest => "log",
                Run::Previous => "previous.log",
            };
            let name = format!("{}.{container}.{ending}", pod.name_any());
            match log {
                Ok(log) if log.is_empty() => {}
                Ok(log) => folder.aside(move |folder| folder.text(&name, &log)).await,
                Err(error) => folder.text(&name, &chain(&error)),
            }
        });
    reading.await;
}

async fn objects<K>(folder: &Folder, client: &Client, namespace: &str, name: &'static str)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + Send + Serialize + fmt::Debug + 'static,
{
    keep(folder, name, listed::<K>(folder, client, namespace, name).await).await;
}

async fn keep<K: Serialize + Send + 'static>(folder: &Folder, name: &'static str, objects: Vec<K>) {
    if !objects.is_empty() {
        folder.aside(move |folder| folder.json(name, &objects)).await;
    }
}

/// The objects of a kind; none, and a line that says why, if the server does not tell.
async fn listed<K>(folder: &Folder, client: &Client, namespace: &str, name: &str) -> Vec<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + Serialize + fmt::Debug,
{
    let api = Api::<K>::namespaced(client.clone(), namespace);
    match api.list(&ListParams::default().limit(OBJECTS)).await {
        Ok(list) => {
            let mut objects = list.items;
            for object in &mut objects {
                object.managed_fields_mut().clear();
            }
            objects
        }
        Err(error) => {
            folder.text(&format!("{name}.txt"), &chain(&error));
            Vec::new()
        }
    }
}
