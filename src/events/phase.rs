//! The parts of a run that take time.

use std::{fmt, time::Instant};

use serde::Serialize;

use super::{Events, What};

/// A part of a run that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    Build,
    Create,
    Deliver,
    /// Waits for room in a cluster.
    Admit,
    Deploy,
    Migrate,
    Ready,
    Step,
    Cases,
    Undo,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Build => "build",
            Self::Create => "create",
            Self::Deliver => "deliver",
            Self::Admit => "admit",
            Self::Deploy => "deploy",
            Self::Migrate => "migrate",
            Self::Ready => "ready",
            Self::Step => "step",
            Self::Cases => "cases",
            Self::Undo => "undo",
        })
    }
}

/// A phase that lasts until this is dropped.
#[derive(Debug)]
#[must_use = "a phase ends when it is dropped"]
pub(crate) struct Lasting {
    events: Events,
    key: u64,
    phase: Phase,
    subject: String,
    began: Instant,
}

impl Lasting {
    pub(super) fn new(events: Events, key: u64, phase: Phase, subject: &str) -> Self {
        Self { events, key, phase, subject: subject.to_owned(), began: Instant::now() }
    }
}

impl Drop for Lasting {
    fn drop(&mut self) {
        self.events.tell(What::PhaseEnded {
            key: self.key,
            phase: self.phase,
            subject: std::mem::take(&mut self.subject),
            began: self.events.after(self.began),
            seconds: self.began.elapsed().as_secs_f64(),
        });
    }
}
