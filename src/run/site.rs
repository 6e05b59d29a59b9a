//! What all parts of a live run share.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use bollard::{Docker, query_parameters::ListContainersOptionsBuilder};
use futures_util::{FutureExt as _, future::LocalBoxFuture};
use tokio::sync::mpsc;

use super::{interrupt::Interrupt, release::Release};
use crate::{
    cluster, docker,
    evidence::Evidence,
    ledger::{Ledger, LedgerError, Notes, Undo},
    plan::{ClusterName, ClusterPlan, Plan},
    report::Progress,
};

/// A run with effects.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) plan: Plan,
    pub(super) docker: Docker,
    pub(super) endpoint: docker::Endpoint,
    pub(super) ledger: Ledger,
    pub(super) progress: Progress,
    pub(super) interrupt: Interrupt,
    pub(super) evidence: Evidence,
    /// Where ledgers of all runs are.
    pub(super) state: PathBuf,
    pub(super) notes: Mutex<Notes>,
    /// Where stacks go that nobody needs any more.
    pub(super) releases: mpsc::UnboundedSender<Release>,
}

impl Site {
    /// A task that ends with its work, or when the run is stopped.
    pub(super) fn until_stopped<'a>(
        &'a self,
        work: impl Future<Output = ()> + 'a,
    ) -> LocalBoxFuture<'a, ()> {
        self.interrupt.stop.run_until_cancelled(work).map(drop).boxed_local()
    }

    /// Promises to remove the tags of all images.
    pub(super) fn promise_images(&self) -> Result<(), LedgerError> {
        let references =
            self.plan.images.iter().flat_map(|image| image.references.values().flatten());
        references
            .map(ToString::to_string)
            .try_for_each(|reference| self.ledger.promise(Undo::Image { reference }))
    }

    /// The containers that are, or will be, the nodes of a cluster.
    pub(super) async fn nodes(&self, plan: &ClusterPlan) -> Vec<String> {
        match plan {
            ClusterPlan::Create { name, config, .. } => cluster::node_names(name, config),
            ClusterPlan::Adopt { name, .. } => self.running_nodes(name).await,
        }
    }

    async fn running_nodes(&self, name: &ClusterName) -> Vec<String> {
        let label = format!("io.x-k8s.kind.cluster={name}");
        let filters = HashMap::from([("label".to_owned(), vec![label])]);
        let options = ListContainersOptionsBuilder::default().filters(&filters).build();
        let nodes = self.docker.list_containers(Some(options)).await.unwrap_or_default();
        let names = nodes.into_iter().filter_map(|node| node.names?.into_iter().next());
        names.map(|name| name.trim_start_matches('/').to_owned()).collect()
    }

    /// Changes what the run notes about itself.
    pub(super) fn note(&self, change: impl FnOnce(&mut Notes)) -> Result<(), LedgerError> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut notes);
        notes.write(self.ledger.directory())
    }
}
