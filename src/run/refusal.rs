//! Why a run never began.

use thiserror::Error;

use crate::{
    cluster::ClusterError, docker::DockerError, image::ImageError, janitor::JanitorError,
    ledger::LedgerError, report::Verdict, settings::SettingsError,
};

/// Why a run never began.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Docker(#[from] DockerError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Janitor(#[from] JanitorError),
    #[error("start the async runtime")]
    Runtime(#[from] std::io::Error),
    #[error("{0}")]
    Usage(String),
}

impl Refusal {
    /// The verdict of a run that never began.
    pub(super) const fn verdict(&self) -> Verdict {
        match self {
            Self::Settings(_) | Self::Usage(_) => Verdict::Usage,
            Self::Docker(_)
            | Self::Cluster(_)
            | Self::Image(_)
            | Self::Ledger(_)
            | Self::Janitor(_)
            | Self::Runtime(_) => Verdict::NothingJudged,
        }
    }
}
