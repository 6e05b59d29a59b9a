//! Three levels of stopping: undo, skip the evidence, leave at once.

use std::{io, sync::Arc};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::events::{Events, What};

/// What the user has asked for by now; each level contains those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Nothing.
    #[default]
    Continue,
    /// Stop, collect evidence, undo.
    Stop,
    /// Skip what evidence is not collected yet.
    Hurry,
    /// Leave at once; the janitor goes on.
    Leave,
}

/// How far a run is to be stopped. Clones see the same.
#[derive(Clone, Debug)]
pub(super) struct Interrupt(Arc<watch::Sender<Level>>);

impl Interrupt {
    /// Nobody has asked for anything yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Level::default())))
    }

    /// Listens for INT, TERM and HUP for as long as the runtime lives.
    pub(super) fn listen(&self, events: &Events) -> io::Result<()> {
        for (kind, name) in [
            (SignalKind::interrupt(), "interrupted"),
            (SignalKind::terminate(), "terminated"),
            (SignalKind::hangup(), "hung up"),
        ] {
            let mut signals = signal(kind)?;
            let (interrupt, events) = (self.clone(), events.clone());
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    interrupt.raise(name, &events);
                }
            });
        }
        Ok(())
    }

    /// Goes one level on, because of `how`.
    pub(super) fn raise(&self, how: &str, events: &Events) {
        let mut reached = Level::default();
        self.0.send_modify(|level| {
            *level = match level {
                Level::Continue => Level::Stop,
                Level::Stop => Level::Hurry,
                Level::Hurry | Level::Leave => Level::Leave,
            };
            reached = *level;
        });
        let (again, next) = match reached {
            Level::Continue | Level::Leave => return,
            Level::Stop => {
                ("", "undoing what was made; again skips the evidence, a third time leaves at once")
            }
            Level::Hurry => (" again", "no more evidence"),
        };
        events.tell(What::Interrupted { how: format!("{how}{again}"), next });
    }

    /// Whether this level is reached.
    pub(super) fn is(&self, level: Level) -> bool {
        *self.0.borrow() >= level
    }

    /// Waits until this level is reached.
    pub(super) async fn reached(&self, level: Level) {
        // It cannot be closed: this holds its sender.
        let _ = self.0.subscribe().wait_for(|reached| *reached >= level).await;
    }

    /// The result of some work, or nothing if this level is reached before.
    pub(super) async fn until<T>(&self, level: Level, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.reached(level) => None,
            done = work => Some(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_level_contains_those_before_it() {
        let (interrupt, events) = (Interrupt::new(), Events::new(Vec::new()));
        assert!(!interrupt.is(Level::Stop));
        interrupt.raise("interrupted", &events);
        interrupt.raise("interrupted", &events);
        assert!(interrupt.is(Level::Stop) && interrupt.is(Level::Hurry));
        assert!(!interrupt.is(Level::Leave));
        assert_eq!(interrupt.until(Level::Stop, async { 1 }).await, None);
        assert_eq!(interrupt.until(Level::Leave, async { 1 }).await, Some(1));
    }
}
