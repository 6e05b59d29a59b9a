//! Where a stack is, and where what happens to it is told.

use super::{apply::Applier, fixed::FixedNames};
use crate::{cluster::Cluster, events::Events, password::Known};

/// Where a stack is, and where what happens to it is told.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) cluster: Cluster,
    pub(crate) applier: Applier,
    pub(crate) events: Events,
    /// Where passwords are told that are read back from the cluster, so that they are hidden.
    pub(crate) known: Known,
    /// What cases of all its suites hold.
    pub(crate) fixed: FixedNames,
}
