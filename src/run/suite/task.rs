//! What a suite's task has in each of its states.

use tokio::sync::{mpsc, watch};

use crate::{
    cli::Keep,
    cluster::Shelf,
    events::{Events, SuiteState, What},
    image::Reference,
    plan::SuitePlan,
    run::{
        desk::{Ask, Turn, answer},
        ground::Door,
        interrupt::{Interrupt, Level},
        setup::SetupError,
        world::World,
    },
};

/// What the task of a suite needs.
pub(in crate::run) struct SuiteTask<'a, W: World> {
    pub(in crate::run) world: &'a W,
    pub(in crate::run) plan: &'a SuitePlan,
    pub(in crate::run) keep: Keep,
    /// Whether the run made its cluster, and so may delete what is in it.
    pub(in crate::run) owned: bool,
    pub(in crate::run) events: &'a Events,
    pub(in crate::run) interrupt: &'a Interrupt,
    pub(in crate::run) door: Door<'a, W::Ground>,
    pub(in crate::run) shelf: Shelf,
    /// How many of its cases will be run.
    pub(in crate::run) cases: usize,
    /// Told when it is known whether it has a stack.
    pub(in crate::run) settled: watch::Sender<bool>,
    pub(in crate::run) desk: mpsc::UnboundedReceiver<Ask<W::Stack>>,
}

impl<W: World> SuiteTask<'_, W> {
    /// The images that its workloads or its cases need.
    pub(super) fn wanted(&self) -> Vec<&Reference> {
        self.plan.images.values().collect()
    }

    pub(super) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, SetupError>>,
    ) -> Result<T, SetupError> {
        self.interrupt.until(Level::Stop, work).await.unwrap_or(Err(SetupError::Interrupted))
    }

    /// The next that a case asks or tells; none when the run is to stop, or no case is left to ask.
    pub(super) async fn next_ask(&mut self) -> Option<Ask<W::Stack>> {
        if self.interrupt.is(Level::Stop) {
            // Who asks now is turned away; who runs ends by itself, and says so.
            return match self.desk.recv().await {
                Some(Ask::Turn { reply, .. }) => {
                    answer(reply, Turn::Interrupted);
                    None
                }
                ended => ended,
            };
        }
        let (interrupt, desk) = (self.interrupt, &mut self.desk);
        interrupt.until(Level::Stop, desk.recv()).await.flatten()
    }

    pub(super) fn moved(&self, state: SuiteState) {
        self.events.tell(What::SuiteMoved { suite: self.plan.name.clone(), state });
    }

    pub(super) fn failed(&self, cause: &str) {
        let cause = self.world.explain(self.plan, cause);
        self.events.tell(What::SuiteFailed { suite: self.plan.name.clone(), cause });
    }

    /// Whether its stack outlives its cases.
    pub(super) fn stays(&self, failed: bool) -> bool {
        !self.owned || self.keep == Keep::Always || self.keep == Keep::OnFailure && failed
    }
}
