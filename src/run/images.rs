//! Builds the images of a run, and brings each to the clusters that need it as soon as both are there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::LocalBoxFuture;
use tokio::sync::{mpsc, watch};

use super::{clusters::Coming, setup::SetupError, site::Site};
use crate::{
    image::{self, Built, Delivered, ImageError, Reference},
    plan::{ClusterName, ClusterPlan, ImagePlan},
    report::Phase,
    wait::{self, Limit, Poll},
};

/// How long the containerd of a new node may take to answer.
const CONTAINERD: Limit =
    Limit { total: Duration::from_mins(10), every: Duration::from_millis(200) };

/// What became of each image, by the reference that was wanted.
type There = BTreeMap<String, Result<Delivered, Arc<ImageError>>>;

/// The images of one cluster: what was delivered, and what never will be.
#[derive(Clone, Debug)]
pub(super) struct Shelf(watch::Receiver<There>);

impl Shelf {
    /// Waits for the images of these references.
    pub(super) async fn take(
        &self,
        wanted: impl Iterator<Item = &Reference>,
    ) -> Result<BTreeMap<String, Delivered>, SetupError> {
        let wanted: BTreeSet<_> = wanted.map(Reference::as_str).collect();
        let mut shelf = self.0.clone();
        let complete = |there: &There| {
            wanted.iter().all(|reference| there.contains_key(*reference))
                || wanted.iter().any(|reference| matches!(there.get(*reference), Some(Err(_))))
        };
        let Ok(there) = shelf.wait_for(complete).await else {
            // Nobody delivers any more because every cluster failed, and each tells why.
            return std::future::pending().await;
        };
        let chosen = wanted.iter().filter_map(|reference| there.get_key_value(*reference));
        chosen
            .map(|(reference, outcome)| match outcome {
                Ok(delivered) => Ok((reference.clone(), delivered.clone())),
                Err(error) => Err(SetupError::Image(Arc::clone(error))),
            })
            .collect()
    }
}

/// The way from the builds to the clusters.
#[derive(Debug)]
pub(super) struct Deliveries(BTreeMap<ClusterName, Counter>);

/// Where the images of one cluster are handed in.
#[derive(Debug)]
struct Counter {
    built: mpsc::UnboundedSender<Built>,
    shelf: Arc<watch::Sender<There>>,
}

impl Deliveries {
    /// One deliverer for each cluster, as a task, and where it puts what it delivers.
    pub(super) fn begin<'a>(
        site: &'a Site,
        clusters: &BTreeMap<ClusterName, Coming>,
    ) -> (Self, BTreeMap<ClusterName, Shelf>, Vec<LocalBoxFuture<'a, ()>>) {
        let mut counters = BTreeMap::new();
        let mut shelves = BTreeMap::new();
        let mut tasks = Vec::new();
        for cluster in &site.plan.clusters {
            let Some(coming) = clusters.get(cluster.name()).cloned() else {
                continue;
            };
            let (sender, built) = mpsc::unbounded_channel();
            let (shelf, seen) = watch::channel(There::new());
            let shelf = Arc::new(shelf);
            let counter = Counter { built: sender, shelf: Arc::clone(&shelf) };
            counters.insert(cluster.name().clone(), counter);
            shelves.insert(cluster.name().clone(), Shelf(seen));
            tasks.push(site.until_stopped(async move {
                tokio::select! {
                    () = deliver(site, cluster, built, &shelf) => {}
                    // Suites are told by the cluster itself.
                    () = coming.failed() => {}
                }
            }));
        }
        (Self(counters), shelves, tasks)
    }

    /// Builds every image that a cluster waits for, all at once; the daemon bounds what really runs.
    pub(super) async fn build_all(&self, site: &Site) {
        let images = site.plan.images.iter();
        let wanted =
            images.filter(|image| image.references.keys().any(|name| self.0.contains_key(name)));
        let building = wanted.map(|image| self.build(site, image));
        futures_util::future::join_all(building).await;
    }

    async fn build(&self, site: &Site, plan: &ImagePlan) {
        let references: BTreeSet<_> = plan.references.values().flatten().cloned().collect();
        let all: Vec<_> = references.iter().cloned().collect();
        let phase = site.progress.phase(Phase::Build, &plan.name);
        let built = image::build(&site.docker, &plan.source, &all, &BTreeMap::new()).await;
        drop(phase);
        let built = built.map_err(Arc::new);
        for (cluster, wanted) in &plan.references {
            let Some(counter) = self.0.get(cluster) else {
                continue;
            };
            match &built {
                Ok(built) => {
                    let references = wanted.iter().cloned().collect();
                    // A deliverer that is gone has been stopped, and so will be this.
                    let _ = counter.built.send(Built { references, ..built.clone() });
                }
                Err(error) => fail(&counter.shelf, wanted, error),
            }
        }
    }
}

async fn deliver(
    site: &Site,
    cluster: &ClusterPlan,
    mut images: mpsc::UnboundedReceiver<Built>,
    shelf: &watch::Sender<There>,
) {
    while let Some(first) = images.recv().await {
        let nodes = site.nodes(cluster).await;
        let answer = nodes_answer(site, &nodes).await;
        // What was built meanwhile travels in the same archive.
        let mut built = vec![first];
        while let Ok(next) = images.try_recv() {
            built.push(next);
        }
        let references: BTreeSet<_> =
            built.iter().flat_map(|image| &image.references).cloned().collect();
        if let Err(error) = answer {
            fail(shelf, &references, &Arc::new(error));
            continue;
        }
        let names: BTreeSet<_> = references.iter().map(Reference::infrastructure).collect();
        let subject = names.into_iter().collect::<Vec<_>>().join(", ");
        let phase = site.progress.phase(Phase::Deliver, &subject);
        let delivered = image::deliver(&site.docker, &nodes, &built).await;
        drop(phase);
        match delivered {
            Ok(delivered) => shelf.send_modify(|shelf| {
                shelf.extend(
                    delivered.into_iter().map(|image| (image.wanted().to_owned(), Ok(image))),
                );
            }),
            Err(error) => fail(shelf, &references, &Arc::new(error)),
        }
    }
}

fn fail(shelf: &watch::Sender<There>, references: &BTreeSet<Reference>, error: &Arc<ImageError>) {
    let failed = references.iter().map(|reference| (reference.to_string(), Err(Arc::clone(error))));
    shelf.send_modify(|shelf| shelf.extend(failed));
}

/// Waits until the containerd of every node answers, long before the cluster is ready.
async fn nodes_answer(site: &Site, nodes: &[String]) -> Result<(), ImageError> {
    for node in nodes {
        let answer = wait::until(format!("an answer of {node}"), CONTAINERD, async || {
            Ok(if image::answers(&site.docker, node).await? {
                Poll::Ready(())
            } else {
                Poll::NotYet("no containerd".to_owned())
            })
        });
        match answer.await {
            Ok(()) => {}
            Err(wait::WaitError::Broken { source, .. }) => return Err(source),
            Err(wait::WaitError::TimedOut { last, .. }) => {
                return Err(ImageError::Ended {
                    node: node.clone(),
                    state: "silent".to_owned(),
                    log: last,
                });
            }
        }
    }
    Ok(())
}
