//! Where cases talk to the task of their suite: they ask for a turn, and tell how they ended.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::turns::Sharing;
use crate::events::Outcome;

/// What a case hears when it asks for a turn.
pub(super) enum Turn<S> {
    /// It may run on this stack, until it tells how it ended.
    Run(Arc<S>),
    /// There is no stack, for this reason, which is told once for all cases.
    NoStack(&'static str),
    /// The run is to stop.
    Interrupted,
}

/// How cases talk to the task of their suite.
pub(super) struct Desk<S>(mpsc::UnboundedSender<Ask<S>>);

/// What a case says to the task of its suite.
pub(super) enum Ask<S> {
    /// It wants a turn.
    Turn { sharing: Sharing, reply: oneshot::Sender<Turn<S>> },
    /// It is over.
    Ended { turn: Option<Sharing>, outcome: Outcome, spoiled: Option<String> },
}

impl<S> Clone for Desk<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A desk for the cases of a suite, and where its task hears of them.
pub(super) fn desk<S>() -> (Desk<S>, mpsc::UnboundedReceiver<Ask<S>>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Desk(sender), receiver)
}

impl<S> Desk<S> {
    /// Waits for a turn.
    pub(super) async fn turn(&self, sharing: Sharing) -> Turn<S> {
        let (reply, answer) = oneshot::channel();
        // A task that is gone was interrupted.
        let _ = self.0.send(Ask::Turn { sharing, reply });
        answer.await.unwrap_or(Turn::Interrupted)
    }

    /// Tells how a case has ended, which had this turn or none; and why its stack did not come back.
    pub(super) fn ended(&self, turn: Option<Sharing>, outcome: Outcome, spoiled: Option<String>) {
        let _ = self.0.send(Ask::Ended { turn, outcome, spoiled });
    }
}

/// A case that is gone needs no answer.
pub(super) fn answer<S>(reply: oneshot::Sender<Turn<S>>, turn: Turn<S>) {
    let _ = reply.send(turn);
}
