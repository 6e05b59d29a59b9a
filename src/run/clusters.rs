//! Makes the clusters of a run, at most two at once, and admits suites to them.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::LocalBoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::{room::room, setup::SetupError, site::Site};
use crate::{
    cluster::{self, Cluster, ClusterError, Means},
    ledger::{self, Undo},
    plan::{ClusterName, ClusterPlan, Requests},
    report::Phase,
    settings::HostPorts,
    stack::Applier,
};

/// How many clusters exist at once: more of them exhaust a machine's inotify instances.
const AT_ONCE: usize = 2;
/// How long kind may take, with a node image that must be pulled.
const CREATE: Duration = Duration::from_mins(15);
const MEBIBYTE: u64 = 1 << 20;

/// A cluster that answers, and how much room is in it.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) cluster: Cluster,
    pub(super) applier: Applier,
    room: Requests,
    /// What stacks take that stay until the end of the run, or longer, counted as permits.
    kept: watch::Sender<(usize, usize)>,
    cpu: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    slot: std::sync::Mutex<Option<OwnedSemaphorePermit>>,
}

/// A suite's part of a cluster's room.
#[derive(Debug)]
pub(super) struct Admitted {
    cpu: OwnedSemaphorePermit,
    memory: OwnedSemaphorePermit,
}

type Outcome = Option<Result<Arc<Ground>, SetupError>>;

/// A cluster that is being made.
#[derive(Clone, Debug)]
pub(super) struct Coming(watch::Receiver<Outcome>);

impl Coming {
    /// Waits until the cluster is there, or will never be.
    pub(super) async fn ground(&self) -> Result<Arc<Ground>, SetupError> {
        let mut outcome = self.0.clone();
        let there = outcome.wait_for(Option::is_some).await.map_err(|_| SetupError::Interrupted)?;
        there.clone().unwrap_or(Err(SetupError::Interrupted))
    }

    /// Ends when it is clear that there will be no cluster.
    pub(super) async fn failed(&self) {
        if self.ground().await.is_ok() {
            std::future::pending::<()>().await;
        }
    }
}

/// The making of all `wanted` clusters of the plan, once `gate` is open.
pub(super) fn begin<'a>(
    site: &'a Site,
    host_ports: HostPorts,
    wanted: impl Fn(&ClusterName) -> bool,
    gate: &'a CancellationToken,
) -> (BTreeMap<ClusterName, Coming>, Vec<LocalBoxFuture<'a, ()>>) {
    // Fixed ports can belong to one cluster only.
    let slots = if host_ports == HostPorts::Fixed { 1 } else { AT_ONCE };
    let slots = Arc::new(Semaphore::new(slots));
    let mut coming = BTreeMap::new();
    let mut tasks = Vec::new();
    for plan in site.plan.clusters.iter().filter(|plan| wanted(plan.name())) {
        let (sender, receiver) = watch::channel(None);
        coming.insert(plan.name().clone(), Coming(receiver));
        let slots = Arc::clone(&slots);
        tasks.push(site.until_stopped(async move {
            gate.cancelled().await;
            let Ok(slot) = slots.acquire_owned().await else { return };
            let outcome = make(site, plan).await;
            if let (Err(_), ClusterPlan::Create { name, .. }) = (&outcome, plan) {
                // Its place, and its ports, are free only when nothing of it is left.
                delete(site, name).await;
            }
            let outcome =
                outcome.map(|ground| Arc::new(Ground { slot: Some(slot).into(), ..ground }));
            sender.send_replace(Some(outcome));
        }));
    }
    (coming, tasks)
}

async fn make(site: &Site, plan: &ClusterPlan) -> Result<Ground, SetupError> {
    let failed = |error| SetupError::Cluster(Arc::new(error));
    let phase = site.progress.phase(Phase::Create, plan.name().as_str());
    let cluster = match plan {
        ClusterPlan::Create { name, node_image, config, .. } => {
            let means = Means {
                docker: &site.docker,
                endpoint: &site.endpoint,
                ledger: &site.ledger,
                run: &site.plan.run,
                progress: &site.progress,
            };
            let creating = cluster::create(means, name, node_image.as_deref(), config);
            match tokio::time::timeout(CREATE, creating).await {
                Ok(cluster) => cluster.map_err(failed)?,
                Err(_) => {
                    return Err(failed(ClusterError::Slow {
                        name: name.to_string(),
                        limit: CREATE,
                    }));
                }
            }
        }
        ClusterPlan::Adopt { name, run } => {
            let kubeconfig = cluster::kubeconfig_path(&site.state.join(run.as_str()), name);
            let nodes = site.nodes(plan).await;
            if nodes.is_empty() {
                return Err(failed(ClusterError::Gone {
                    name: name.to_string(),
                    run: run.to_string(),
                }));
            }
            Cluster::connect(&site.docker, name, nodes, kubeconfig).await.map_err(failed)?
        }
    };
    drop(phase);
    let kubeconfig: PathBuf = cluster.kubeconfig().to_owned();
    let known = (cluster.name().to_string(), kubeconfig);
    site.note(|notes| notes.clusters.push(known))
        .map_err(|error| SetupError::Ledger(Arc::new(error)))?;
    let room = room(&cluster, &site.plan).await.map_err(failed)?;
    let permits = |amount: u64| Arc::new(Semaphore::new(usize::try_from(amount).unwrap_or(0)));
    Ok(Ground {
        applier: Applier::new(&cluster),
        cpu: permits(room.cpu),
        memory: permits(room.memory / MEBIBYTE),
        kept: watch::channel((0, 0)).0,
        cluster,
        room,
        slot: std::sync::Mutex::default(),
    })
}

async fn delete(site: &Site, name: &ClusterName) {
    let name = name.to_string();
    let phase = site.progress.phase(Phase::Undo, &name);
    let promises = [Undo::Cluster { name: name.clone() }, Undo::Network { name: name.clone() }];
    // What is left is tried again, and reported, when the run ends.
    let _ = ledger::undo_all(&site.docker, &promises).await;
    let _ = site.note(|notes| notes.clusters.retain(|(known, _)| *known != name));
    drop(phase);
}

impl Ground {
    /// Waits until the pods of a suite fit; suites come in the order in which they ask.
    pub(super) async fn admit(&self, wanted: Requests) -> Result<Admitted, SetupError> {
        let memory = wanted.memory.div_ceil(MEBIBYTE);
        if wanted.cpu > self.room.cpu || memory > self.room.memory / MEBIBYTE {
            return Err(SetupError::TooBig {
                wanted_cpu: wanted.cpu,
                wanted_memory: memory,
                cpu: self.room.cpu,
                memory: self.room.memory / MEBIBYTE,
            });
        }
        let some = |amount: u64| u32::try_from(amount).unwrap_or(u32::MAX);
        let admitting = async {
            let cpu = Arc::clone(&self.cpu).acquire_many_owned(some(wanted.cpu)).await;
            let memory = Arc::clone(&self.memory).acquire_many_owned(some(memory)).await;
            match (cpu, memory) {
                (Ok(cpu), Ok(memory)) => Ok(Admitted { cpu, memory }),
                _ => Err(SetupError::Interrupted),
            }
        };
        let beside = |taken: usize, wanted: u64, room: u64| taken as u64 + wanted <= room;
        let mut kept = self.kept.subscribe();
        tokio::select! {
            biased;
            admitted = admitting => admitted,
            Ok(_) = kept.wait_for(|kept| {
                !beside(kept.0, wanted.cpu, self.room.cpu)
                    || !beside(kept.1, memory, self.room.memory / MEBIBYTE)
            }) => Err(SetupError::Kept),
        }
    }

    /// Notes that the pods of a suite stay, and its cluster too, so that nobody waits for their
    /// room in vain.
    pub(super) fn keep(&self, admitted: Admitted) {
        self.kept.send_modify(|kept| {
            kept.0 += admitted.cpu.num_permits();
            kept.1 += admitted.memory.num_permits();
        });
        admitted.cpu.forget();
        admitted.memory.forget();
        self.free_slot();
    }

    /// Deletes the cluster before the run ends, because another one waits for its place.
    pub(super) async fn delete(&self, site: &Site) {
        delete(site, self.cluster.name()).await;
        self.free_slot();
    }

    fn free_slot(&self) {
        self.slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }
}
