//! Three levels of stopping: undo, skip the evidence, leave at once.

use std::{io, sync::Arc, sync::Mutex, sync::PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::report::Progress;

/// What the user has asked for by now.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    /// Stop, collect evidence, undo.
    pub(super) stop: CancellationToken,
    /// Skip what evidence is not collected yet.
    pub(super) hurry: CancellationToken,
    /// Leave at once; the janitor goes on.
    pub(super) leave: CancellationToken,
    cause: Arc<Mutex<&'static str>>,
}

impl Interrupt {
    /// Listens for INT, TERM and HUP for as long as the runtime lives.
    pub(super) fn listen(progress: &Progress) -> io::Result<Self> {
        let interrupt = Self::default();
        for (kind, name) in [
            (SignalKind::interrupt(), "interrupted"),
            (SignalKind::terminate(), "terminated"),
            (SignalKind::hangup(), "hung up"),
        ] {
            let mut signals = signal(kind)?;
            let (interrupt, progress) = (interrupt.clone(), progress.clone());
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    interrupt.next(name, &progress);
                }
            });
        }
        Ok(interrupt)
    }

    fn next(&self, name: &'static str, progress: &Progress) {
        if !self.stop.is_cancelled() {
            *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = name;
            self.stop.cancel();
            progress.line(&format!("{name}: undoing what was made; again skips the evidence, a third time leaves at once"));
        } else if !self.hurry.is_cancelled() {
            self.hurry.cancel();
            progress.line(&format!("{name} again: no more evidence"));
        } else {
            self.leave.cancel();
        }
    }
}
