//! Where stacks live: makes or adopts clusters, brings images there, says how their ports are
//! reached, how much room is in them, and what undoing them means.

mod connection;
mod delivered;
mod error;
mod headroom;
mod kind;
mod ready;
mod shelf;

pub(crate) use connection::Cluster;
pub(crate) use delivered::Delivered;
pub(crate) use error::{ClusterError, DeliveryError};
pub(crate) use kind::{Kind, Left, undo_until_quiet};
pub(crate) use shelf::{Shelf, Stock, Undelivered, shelf};

use crate::{
    image::Built,
    plan::{ClusterName, ClusterPlan},
};

/// What makes the clusters of a run, and knows how to bring images to them.
#[derive(Debug)]
pub(crate) enum Provider {
    /// Clusters of Kind, whose nodes are containers of a Docker daemon.
    Kind(Kind),
}

impl Provider {
    /// Makes the cluster of a plan, or connects to the one that it adopts.
    pub(crate) async fn obtain(&self, plan: &ClusterPlan) -> Result<Cluster, ClusterError> {
        match self {
            Self::Kind(kind) => kind.obtain(plan).await,
        }
    }

    /// Waits until a cluster takes images, which is long before it is ready.
    pub(crate) async fn takes_images(&self, plan: &ClusterPlan) -> Result<(), DeliveryError> {
        match self {
            Self::Kind(kind) => kind.takes_images(plan).await,
        }
    }

    /// Brings images to where the pods of a cluster run.
    pub(crate) async fn deliver(
        &self,
        plan: &ClusterPlan,
        images: &[Built],
    ) -> Result<Vec<Delivered>, DeliveryError> {
        match self {
            Self::Kind(kind) => kind.deliver(plan, images).await,
        }
    }

    /// Deletes a cluster that this run made; what is left is undone when the run ends.
    pub(crate) async fn delete(&self, name: &ClusterName) -> Result<(), Vec<Left>> {
        match self {
            Self::Kind(kind) => kind.delete(name).await,
        }
    }

    /// What explains a cluster, by names of files: what its maker, its nodes and the services in
    /// them have said. Also of one that could not be made, until it is deleted.
    pub(crate) async fn logs(&self, plan: &ClusterPlan) -> Vec<(String, String)> {
        match self {
            Self::Kind(kind) => kind.logs(plan).await,
        }
    }
}
