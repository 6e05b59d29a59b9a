//! The keeper of one cluster: makes it, admits suites to it as they fit, and ends with the last.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::{
    capacity::Capacity,
    interrupt::{Interrupt, Level},
    queue::{Queue, Waiting},
    setup::SetupError,
    world::World,
};
use crate::{
    events::Events,
    plan::{ClusterPlan, SuitePlan},
};

/// What became of a cluster, once that is known.
type Made<G> = Option<Result<Arc<G>, SetupError>>;

/// How a suite talks to the keeper of its cluster. The keeper ends when all of them are gone.
pub(super) struct Door<'a, G> {
    outcome: watch::Receiver<Made<G>>,
    /// How many suites are not yet judged.
    unjudged: watch::Receiver<usize>,
    asks: mpsc::UnboundedSender<Ask<'a>>,
}

/// What a suite tells the keeper.
enum Ask<'a> {
    /// It wants room for its pods.
    Admit(Waiting<'a>),
    /// Its cases are over.
    Judged(oneshot::Sender<()>),
    /// It holds nothing any more.
    GivenBack(String),
    /// It holds its part until the end of the run, or longer.
    Stays(String),
}

/// A suite's part of a cluster.
pub(super) struct Admitted<'a, G> {
    pub(super) ground: Arc<G>,
    suite: String,
    door: Door<'a, G>,
}

/// What a keeper needs.
pub(super) struct Keeper<'a, W: World> {
    pub(super) world: &'a W,
    pub(super) plan: &'a ClusterPlan,
    pub(super) events: &'a Events,
    pub(super) interrupt: &'a Interrupt,
    /// Places for clusters, of which few exist at once.
    pub(super) slots: Arc<Semaphore>,
    /// Whether other clusters may wait for the place of this one.
    pub(super) others: bool,
    outcome: watch::Sender<Made<W::Ground>>,
    unjudged: watch::Sender<usize>,
    asks: mpsc::UnboundedReceiver<Ask<'a>>,
}

impl<G> Clone for Door<'_, G> {
    fn clone(&self) -> Self {
        let (outcome, unjudged) = (self.outcome.clone(), self.unjudged.clone());
        Self { outcome, unjudged, asks: self.asks.clone() }
    }
}

impl<'a, W: World> Keeper<'a, W> {
    /// A keeper, and a door for each of so many suites.
    pub(super) fn new(
        world: &'a W,
        plan: &'a ClusterPlan,
        events: &'a Events,
        interrupt: &'a Interrupt,
        slots: Arc<Semaphore>,
        others: bool,
        suites: usize,
    ) -> (Self, Door<'a, W::Ground>) {
        let (outcome, outcome_seen) = watch::channel(None);
        let (unjudged, unjudged_seen) = watch::channel(suites);
        let (sender, asks) = mpsc::unbounded_channel();
        let door = Door { outcome: outcome_seen, unjudged: unjudged_seen, asks: sender };
        (Self { world, plan, events, interrupt, slots, others, outcome, unjudged, asks }, door)
    }

    /// Keeps the cluster from its making, after `begin`, until nobody needs it.
    pub(super) async fn keep(mut self, begin: impl Future<Output = ()>) {
        let slots = Arc::clone(&self.slots);
        let slot = async {
            begin.await;
            slots.acquire_owned().await
        };
        let slot = tokio::select! {
            biased;
            () = self.outcome.closed() => return,
            () = self.interrupt.reached(Level::Stop) => return,
            slot = slot => slot,
        };
        let obtained = tokio::select! {
            biased;
            () = self.interrupt.reached(Level::Stop) => return,
            () = self.outcome.closed() => None,
            obtained = self.world.obtain(self.plan) => Some(obtained),
        };
        match obtained {
            Some(Ok((ground, nodes))) => {
                self.outcome.send_replace(Some(Ok(Arc::new(ground))));
                let queue = self.serve(Capacity::new(nodes)).await;
                if self.others && !queue.is_kept() {
                    self.delete().await;
                }
            }
            Some(Err(error)) => {
                self.outcome.send_replace(Some(Err(error)));
                self.delete().await;
            }
            None => self.delete().await,
        }
        // Its place, and its ports, are free only when nothing of it is left, unless it is kept.
        drop(slot);
    }

    /// Answers suites until all of them are gone.
    async fn serve(&mut self, capacity: Capacity) -> Queue<'a> {
        let mut queue = Queue::new(capacity, self.events);
        while let Some(ask) = self.asks.recv().await {
            self.take(ask, &mut queue);
            // Whoever asked while the cluster was made is there before the first is admitted.
            while let Ok(ask) = self.asks.try_recv() {
                self.take(ask, &mut queue);
            }
            queue.admit();
        }
        queue
    }

    /// Hears what a suite tells.
    fn take(&self, ask: Ask<'a>, queue: &mut Queue<'a>) {
        match ask {
            Ask::Admit(waiting) => queue.join(waiting),
            Ask::Judged(heard) => {
                self.unjudged.send_modify(|left| *left = left.saturating_sub(1));
                // Who does not hold a part does not wait for this.
                let _ = heard.send(());
            }
            Ask::GivenBack(suite) => queue.give_back(&suite),
            Ask::Stays(suite) => queue.stays(&suite),
        }
    }

    /// Deletes the cluster if the run made it and goes on without it.
    async fn delete(&self) {
        if self.plan.is_made() && !self.interrupt.is(Level::Stop) {
            self.world.delete(self.plan).await;
        }
    }
}

impl<'a, G> Door<'a, G> {
    /// Waits until the cluster is there, or will never be.
    pub(super) async fn ground(&self) -> Result<Arc<G>, SetupError> {
        let mut outcome = self.outcome.clone();
        let there = outcome.wait_for(Option::is_some).await.map_err(|_| SetupError::Interrupted)?;
        there.clone().unwrap_or(Err(SetupError::Interrupted))
    }

    /// Waits for the cluster, and for a part of it.
    pub(super) async fn admit(&self, suite: &'a SuitePlan) -> Result<Admitted<'a, G>, SetupError> {
        let (reply, answer) = oneshot::channel();
        // Before the cluster is there: then all that wait for it are known, and the longest is first.
        self.tell(Ask::Admit(Waiting::new(suite, reply)));
        let ground = self.ground().await?;
        answer.await.unwrap_or(Err(SetupError::Interrupted))?;
        Ok(Admitted { ground, suite: suite.name.clone(), door: self.clone() })
    }

    /// Takes back what a suite had asked for; an answer may have come when it did not listen any more.
    pub(super) fn withdraw(&self, suite: &str) {
        self.tell(Ask::GivenBack(suite.to_owned()));
    }

    /// Tells that the cases of a suite are over, whether there was a stack or not. Who holds a part
    /// waits until that was heard; others may wait in vain, while the cluster is still being made.
    pub(super) fn judged(&self) -> impl Future<Output = ()> + use<G> {
        let (sender, heard) = oneshot::channel();
        self.tell(Ask::Judged(sender));
        async {
            let _ = heard.await;
        }
    }

    /// Ends when the cases of all suites of the cluster are over: then nobody needs room.
    pub(super) async fn all_judged(&self) {
        let mut unjudged = self.unjudged.clone();
        // A keeper that is gone has nobody waiting.
        let _ = unjudged.wait_for(|left| *left == 0).await;
    }

    fn tell(&self, ask: Ask<'a>) {
        // A keeper that is gone was interrupted.
        let _ = self.asks.send(ask);
    }
}

impl<G> Admitted<'_, G> {
    /// Gives its part to whoever waits for it.
    pub(super) fn give_back(self) {
        self.door.tell(Ask::GivenBack(self.suite.clone()));
    }

    /// Holds its part until the end of the run, so that nobody waits for it in vain.
    pub(super) fn stay(self) {
        self.door.tell(Ask::Stays(self.suite.clone()));
    }
}
