//! Builds the images of a run, and brings each to the clusters that need it: what
//! an early tier waits for travels before what a later one does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{StreamExt as _, future, stream::FuturesUnordered};
use tokio::sync::mpsc;

use super::world::World;
use crate::{
    cluster::{Stock, Undelivered},
    image::{Built, Reference},
    plan::{ClusterName, ClusterPlan, ImagePlan, Plan, TierPlan},
};

/// How many deliveries to a cluster travel at once: a big image does not hold up a small one.
const LANES: usize = 2;

/// How early images are needed in a cluster: the number of the first tier that names one.
type Urgency = BTreeMap<Reference, usize>;

/// A cluster on the way of images: where its deliverer takes them, and puts what became of them.
struct Counter<'a> {
    plan: &'a ClusterPlan,
    stock: Stock,
    urgency: Urgency,
}

/// Makes and delivers what the clusters with these stocks need, until all is there or nobody waits.
pub(super) async fn make_all<W: World>(
    world: &W,
    plan: &Plan,
    stocks: BTreeMap<ClusterName, Stock>,
    begin: impl Future<Output = ()>,
    built: impl FnOnce(),
) {
    let counters = counters(plan, stocks);
    let mut ways = BTreeMap::new();
    let mut delivering = Vec::new();
    for counter in &counters {
        let (sender, receiver) = mpsc::unbounded_channel();
        ways.insert(counter.plan.name(), (sender, counter));
        delivering.push(deliver_all(world, counter, receiver));
    }
    let building = async {
        let unwanted = future::join_all(counters.iter().map(|counter| counter.stock.unwanted()));
        let building = async {
            begin.await;
            build_all(world, plan, &ways).await;
        };
        tokio::select! {
            () = building => {}
            _ = unwanted => {}
        }
        built();
        // Deliverers end when nobody hands anything in any more.
        drop(ways);
    };
    future::join(building, future::join_all(delivering)).await;
}

/// Joins clusters with their stocks, by name.
fn counters(plan: &Plan, mut stocks: BTreeMap<ClusterName, Stock>) -> Vec<Counter<'_>> {
    let clusters = plan.clusters.iter();
    let counters = clusters.filter_map(|cluster| {
        let stock = stocks.remove(cluster.name())?;
        Some(Counter { plan: cluster, stock, urgency: urgency(plan, cluster.name()) })
    });
    counters.collect()
}

fn urgency(plan: &Plan, cluster: &ClusterName) -> Urgency {
    let mut urgency = Urgency::new();
    for suite in plan.suites_of(cluster) {
        // They come before the first tier.
        let resources = suite.images_in(&suite.resources);
        urgency.extend(resources.map(|reference| (reference.clone(), 0)));
        for (number, tier) in suite.tiers.iter().enumerate() {
            let TierPlan::Workloads(workloads) = tier else { continue };
            for reference in suite.images_of(workloads) {
                let known = urgency.entry(reference.clone()).or_insert(number);
                *known = number.min(*known);
            }
        }
    }
    urgency
}

impl Counter<'_> {
    /// How early some of these is needed; last what no workload names.
    fn urgency_of<'a>(&self, references: impl IntoIterator<Item = &'a Reference>) -> usize {
        let known = references.into_iter().filter_map(|reference| self.urgency.get(reference));
        known.copied().min().unwrap_or(usize::MAX)
    }
}

type Ways<'a> = BTreeMap<&'a ClusterName, (mpsc::UnboundedSender<Built>, &'a Counter<'a>)>;

async fn build_all<W: World>(world: &W, plan: &Plan, ways: &Ways<'_>) {
    let mut images: Vec<_> = plan
        .images
        .iter()
        .filter(|image| image.references.keys().any(|cluster| ways.contains_key(cluster)))
        .collect();
    images.sort_by_key(|image| {
        let needs = image.references.iter();
        let needs = needs.filter_map(|(cluster, wanted)| {
            let (_, counter) = ways.get(cluster)?;
            Some(counter.urgency_of(wanted))
        });
        needs.min()
    });
    // The workshop bounds what is really made at once; the most urgent is asked for first.
    let building = images.into_iter().map(|image| build(world, image, ways));
    future::join_all(building).await;
}

async fn build<W: World>(world: &W, plan: &ImagePlan, ways: &Ways<'_>) {
    let built = world.build(plan).await.map_err(|error| Undelivered::Image(Arc::new(error)));
    for (cluster, wanted) in &plan.references {
        let Some((way, counter)) = ways.get(cluster) else { continue };
        match &built {
            Ok(built) => {
                let references = wanted.iter().cloned().collect();
                // A deliverer that is gone has told what became of its images.
                let _ = way.send(Built { references, ..built.clone() });
            }
            Err(error) => counter.stock.fail(wanted, error),
        }
    }
}

/// Delivers to one cluster what is handed in, the most urgent first.
async fn deliver_all<W: World>(
    world: &W,
    counter: &Counter<'_>,
    mut built: mpsc::UnboundedReceiver<Built>,
) {
    let stock = &counter.stock;
    let delivering = async {
        let Some(first) = built.recv().await else { return };
        let mut waiting = Queue::default();
        waiting.push(counter.urgency_of(&first.references), first);
        if let Err(error) = world.takes_images(counter.plan).await {
            let why = Undelivered::Delivery(Arc::new(error));
            fail(stock, &waiting.take_all(), &why);
            while let Some(image) = built.recv().await {
                fail(stock, &[image], &why);
            }
            return;
        }
        let mut lanes = FuturesUnordered::new();
        loop {
            // What was built meanwhile travels in the same archive.
            while let Ok(image) = built.try_recv() {
                waiting.push(counter.urgency_of(&image.references), image);
            }
            while lanes.len() < LANES
                && let Some(batch) = waiting.pop()
            {
                lanes.push(deliver(world, counter, batch));
            }
            tokio::select! {
                Some(image) = built.recv() => {
                    waiting.push(counter.urgency_of(&image.references), image);
                }
                Some(()) = lanes.next() => {}
                else => return,
            }
        }
    };
    tokio::select! {
        () = delivering => {}
        () = stock.unwanted() => {}
    }
}

async fn deliver<W: World>(world: &W, counter: &Counter<'_>, batch: Vec<Built>) {
    match world.deliver(counter.plan, &batch).await {
        Ok(delivered) => counter.stock.put(delivered),
        Err(error) => fail(&counter.stock, &batch, &Undelivered::Delivery(Arc::new(error))),
    }
}

fn fail(stock: &Stock, images: &[Built], why: &Undelivered) {
    let references: BTreeSet<_> = images.iter().flat_map(|image| &image.references).collect();
    stock.fail(references, why);
}

/// Images that wait for a lane, those of one tier together.
#[derive(Debug, Default)]
struct Queue(BTreeMap<usize, Vec<Built>>);

impl Queue {
    fn push(&mut self, urgency: usize, image: Built) {
        self.0.entry(urgency).or_default().push(image);
    }

    /// The most urgent ones.
    fn pop(&mut self) -> Option<Vec<Built>> {
        self.0.pop_first().map(|(_, images)| images)
    }

    fn take_all(&mut self) -> Vec<Built> {
        std::mem::take(&mut self.0).into_values().flatten().collect()
    }
}
