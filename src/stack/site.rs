//! Where a stack is, and where what happens to it is told.

use super::apply::Applier;
use crate::{cluster::Cluster, events::Events};

/// Where a stack is, and where what happens to it is told.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) cluster: Cluster,
    pub(crate) applier: Applier,
    pub(crate) events: Events,
}
