//! Clusters of Kind, whose nodes are containers of this machine's Docker daemon.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bollard::{Docker, errors::Error};

mod config;
mod containers;
mod create;
mod current;
mod deliver;
mod files;
mod logs;
mod node;
mod nodes;
mod program;
mod sieve;
mod taint;
mod undo;

pub(crate) use undo::{Left, undo_until_quiet};

use super::{
    connection::{Cluster, Ways},
    delivered::Delivered,
    error::{ClusterError, DeliveryError},
};
use crate::{
    docker::Endpoint,
    events::Events,
    image::Built,
    ledger::{Ledger, Undo},
    plan::{ClusterName, ClusterPlan},
    seed::RunId,
};
use create::Creation;
use current::Current;
use files::Files;
use nodes::Nodes;

/// How long deleting a cluster may take before the rest is left to the end of the run.
const DELETE: Duration = Duration::from_mins(1);

/// What a run needs to make clusters of Kind.
#[derive(Debug)]
pub(crate) struct Kind {
    docker: Docker,
    endpoint: Endpoint,
    ledger: Arc<Ledger>,
    run: RunId,
    /// Where ledgers of all runs are.
    ledgers: PathBuf,
    events: Events,
    /// The nodes of each cluster that was asked for.
    nodes: Mutex<BTreeMap<ClusterName, Arc<Current<Nodes>>>>,
}

impl Kind {
    /// Clusters of `run` in a Docker daemon, once kind is known to be there and recent enough.
    pub(crate) fn new(
        docker: Docker,
        endpoint: Endpoint,
        ledger: Arc<Ledger>,
        run: RunId,
        ledgers: PathBuf,
        events: Events,
    ) -> Self {
        Self { docker, endpoint, ledger, run, ledgers, events, nodes: Mutex::default() }
    }

    /// Fails unless kind is there and recent enough.
    pub(crate) async fn check() -> Result<(), ClusterError> {
        create::check_kind().await
    }

    pub(super) async fn obtain(&self, plan: &ClusterPlan) -> Result<Cluster, ClusterError> {
        let name = plan.name();
        let unlisted = docker("list the nodes", name);
        let current = self.nodes(plan).await.map_err(unlisted)?;
        let files = self.files(plan);
        match plan {
            ClusterPlan::Create { name, node_image, ports, config, .. } => {
                let promise = |undo| self.ledger.promise(undo).map_err(ClusterError::Ledger);
                promise(Undo::Network { name: name.to_string() })?;
                promise(Undo::Cluster { name: name.to_string() })?;
                let creation = Creation {
                    docker: &self.docker,
                    endpoint: &self.endpoint,
                    run: &self.run,
                    events: &self.events,
                    files: &files,
                    name,
                    node_image: node_image.as_deref(),
                    ports,
                    config,
                };
                // Nobody asks nodes that are not even begun.
                current.begin(Nodes::new(config::node_names(name, config)));
                self.create(&creation, &current).await?;
            }
            ClusterPlan::Adopt { name, run } => {
                if current.act(async |nodes| nodes.containers().is_empty()).await {
                    let (name, run) = (name.to_string(), run.to_string());
                    return Err(ClusterError::Gone { name, run });
                }
            }
        }
        let nodes = current.act(async |nodes| nodes.containers().to_vec()).await;
        let addresses = containers::addresses(&self.docker, &nodes).await;
        let addresses = addresses.map_err(docker("read the ports", name))?;
        let callback = containers::gateway(&self.docker, name.as_str()).await;
        let callback = callback.map_err(docker("inspect the network", name))?;
        let ways = Ways { addresses, callback };
        let (kubeconfig, shared) = (files.kubeconfig(), files.shared());
        let cluster = Cluster::connect(name, kubeconfig, nodes.len(), ways, shared).await?;
        if plan.is_made() {
            taint::lift(&cluster.client()).await.map_err(|source| ClusterError::Silent {
                name: name.to_string(),
                source: Box::new(source),
            })?;
        }
        Ok(cluster)
    }

    pub(super) async fn takes_images(&self, plan: &ClusterPlan) -> Result<(), DeliveryError> {
        let current = self.nodes(plan).await.map_err(unlisted(plan.name()))?;
        current.act(async |nodes| nodes.answer(&self.docker).await).await
    }

    pub(super) async fn deliver(
        &self,
        plan: &ClusterPlan,
        images: &[Built],
    ) -> Result<Vec<Delivered>, DeliveryError> {
        let current = self.nodes(plan).await.map_err(unlisted(plan.name()))?;
        let files = self.files(plan);
        let delivering = current.act(async |nodes| {
            let delivered = nodes.deliver(&self.docker, images).await;
            files.note_images(&nodes.images());
            delivered
        });
        delivering.await
    }

    pub(super) async fn delete(&self, name: &ClusterName) -> Result<(), Vec<Left>> {
        let name = name.to_string();
        let promises = [Undo::Cluster { name: name.clone() }, Undo::Network { name }];
        undo_until_quiet(&self.docker, &promises, 0, DELETE, || 0).await
    }

    pub(super) async fn logs(&self, plan: &ClusterPlan) -> Vec<(String, String)> {
        logs::collect(&self.docker, plan.name(), &self.files(plan)).await
    }

    /// Creates a cluster; once more if kind failed for a reason that is proven to pass.
    async fn create(
        &self,
        creation: &Creation<'_>,
        current: &Current<Nodes>,
    ) -> Result<(), ClusterError> {
        let Err(error) = creation.carry_out().await else { return Ok(()) };
        let Some(words) = create::passing(&error) else { return Err(error) };
        let (name, files) = (creation.name, creation.files);
        let notice = format!("kind failed, as it now and then does ({words}); a second try begins");
        self.events.notice(name.as_str(), &notice);
        // Evidence that cannot be written is no reason not to try.
        let _ = logs::keep(&logs::collect(&self.docker, name, files).await, files);
        let first = current.give_up();
        let (containers, delivered) =
            first.map(|first| (first.containers().to_vec(), first.delivered())).unwrap_or_default();
        let deleted = self.delete(name).await.is_ok() && files.clear().is_ok();
        current.begin(Nodes::new(containers));
        if !deleted {
            return Err(error);
        }
        creation.carry_out().await?;
        let again = current.act(async |nodes| nodes.deliver(&self.docker, &delivered).await).await;
        again.map(drop).map_err(|source| ClusterError::Again {
            name: name.to_string(),
            source: Box::new(source),
        })
    }

    fn files(&self, plan: &ClusterPlan) -> Files {
        match plan {
            ClusterPlan::Create { name, .. } => Files::of(name, self.ledger.directory()),
            ClusterPlan::Adopt { name, run } => Files::of(name, &self.ledgers.join(run.as_str())),
        }
    }

    /// The containers that are, or will be, the nodes of a cluster.
    async fn nodes(&self, plan: &ClusterPlan) -> Result<Arc<Current<Nodes>>, Error> {
        let known = || self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(nodes) = known().get(plan.name()) {
            return Ok(Arc::clone(nodes));
        }
        let current = match plan {
            ClusterPlan::Create { .. } => Current::none(),
            ClusterPlan::Adopt { name, .. } => {
                let running = containers::all(&self.docker, name.as_str(), false).await?;
                let noted = self.files(plan).noted_images();
                Current::new(Nodes::running(containers::nodes(running), noted))
            }
        };
        let new = || Arc::new(current);
        Ok(Arc::clone(known().entry(plan.name().clone()).or_insert_with(new)))
    }
}

fn docker(what: &'static str, name: &ClusterName) -> impl FnOnce(Error) -> ClusterError {
    let name = name.to_string();
    move |source| ClusterError::Docker { what, name, source: Box::new(source) }
}

fn unlisted(name: &ClusterName) -> impl FnOnce(Error) -> DeliveryError {
    DeliveryError::docker(format!("list the nodes of the cluster `{name}`"))
}
