//! When images and clusters are made, and which orders a suite is to be tried in.

use clap::ValueEnum;
use serde::Serialize;

use super::Suite;

/// Whether images and cluster are made at the same time, which `--strategy` chooses.
///
/// Only when they are made differs; what runs then is the same.
///
/// ```
/// use kindwright::{Strategy, Suite};
///
/// let suite = Suite::new("shop", "shop-tests").strategies([Strategy::ImagesFirst]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Strategy {
    /// At the same time.
    #[default]
    Overlapped,
    /// First the images; spares memory and disk.
    ImagesFirst,
    /// First the cluster.
    ClusterFirst,
}

impl Suite {
    /// Names the strategies under each of which `--matrix` has a job for this suite; the
    /// [default one](Strategy::Overlapped) without it.
    ///
    /// A run takes the one that its `--strategy` says, for all suites.
    ///
    /// ```
    /// use kindwright::{Strategy, Suite};
    ///
    /// let suite = Suite::new("shop", "shop-tests")
    ///     .strategies([Strategy::ClusterFirst, Strategy::ImagesFirst]);
    /// ```
    #[must_use]
    pub fn strategies(mut self, strategies: impl IntoIterator<Item = Strategy>) -> Self {
        self.strategies = strategies.into_iter().collect();
        self
    }
}
