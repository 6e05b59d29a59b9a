//! The nodes of a cluster: which images they have, and what this run brought to them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bollard::Docker;
use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use super::{
    deliver::{self, Names},
    node,
};
use crate::{
    cluster::{delivered::Delivered, error::DeliveryError},
    image::Built,
};

/// The nodes of a cluster. Several deliveries may be under way at once.
#[derive(Debug)]
pub(super) struct Nodes {
    containers: Vec<String>,
    answered: OnceCell<()>,
    /// The images of each, asked for once; deliveries add theirs.
    images: OnceCell<Mutex<Vec<Names>>>,
    /// What an earlier run has seen to be there.
    noted: Vec<Names>,
    delivered: Mutex<Vec<Built>>,
}

impl Nodes {
    /// The nodes in these containers, which need not be there yet.
    pub(super) fn new(containers: Vec<String>) -> Self {
        Self {
            containers,
            answered: OnceCell::new(),
            images: OnceCell::new(),
            noted: Vec::new(),
            delivered: Mutex::new(Vec::new()),
        }
    }

    /// Nodes that run, and the images that an earlier run has seen on each of them.
    pub(super) fn running(containers: Vec<String>, mut noted: BTreeMap<String, Names>) -> Self {
        let noted: Option<_> = containers.iter().map(|node| noted.remove(node)).collect();
        let noted = noted.unwrap_or_default();
        Self { answered: OnceCell::new_with(Some(())), noted, ..Self::new(containers) }
    }

    /// The images of each node, as far as they are known.
    pub(super) fn images(&self) -> BTreeMap<String, Names> {
        let known = self.images.get().map(|known| locked(known).clone());
        self.containers.iter().cloned().zip(known.unwrap_or_else(|| self.noted.clone())).collect()
    }

    /// Their containers.
    pub(super) fn containers(&self) -> &[String] {
        &self.containers
    }

    /// All that was brought to them.
    pub(super) fn delivered(&self) -> Vec<Built> {
        locked(&self.delivered).clone()
    }

    /// Waits until they take images.
    pub(super) async fn answer(&self, docker: &Docker) -> Result<(), DeliveryError> {
        let answering = || node::all_answer(docker, &self.containers);
        self.answered.get_or_try_init(answering).await.copied()
    }

    /// Brings all images to all nodes, and returns once every node has them.
    pub(super) async fn deliver(
        &self,
        docker: &Docker,
        images: &[Built],
    ) -> Result<Vec<Delivered>, DeliveryError> {
        self.answer(docker).await?;
        // What needs nothing is not worth a question, which takes longer than all else of a second run.
        let wanted = deliver::wanted(images, &self.noted);
        if deliver::is_complete(&self.noted, &wanted) {
            return Ok(wanted.into_iter().map(|(_, delivered)| delivered).collect());
        }
        let asking = async || {
            let nodes = self.containers.iter();
            try_join_all(nodes.map(|node| deliver::names(docker, node))).await.map(Mutex::new)
        };
        let known = self.images.get_or_try_init(asking).await?;
        let before = locked(known).clone();
        let wanted = deliver::wanted(images, &before);
        let nodes = self.containers.iter().zip(&before);
        let sending = nodes.map(|(node, before)| deliver::send(docker, node, before, &wanted));
        let brought = try_join_all(sending).await?;
        for (names, brought) in locked(known).iter_mut().zip(brought) {
            names.extend(brought);
        }
        locked(&self.delivered).extend_from_slice(images);
        Ok(wanted.into_iter().map(|(_, delivered)| delivered).collect())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
