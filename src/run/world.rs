//! What scheduling knows of the world: few enough questions that a test answers them from memory.

use std::{path::PathBuf, pin::Pin, sync::Arc};

use super::setup::SetupError;
use crate::{
    case::{CaseResult, Failure},
    cluster::{Delivered, DeliveryError, Shelf},
    image::{Built, ImageError},
    manifest::Requests,
    plan::{CasePlan, ClusterPlan, ImagePlan, SuitePlan},
};

/// What a run does to the world.
pub(super) trait World: Send + Sync + 'static {
    /// A cluster that answers.
    type Ground: Send + Sync + 'static;
    /// A stack that is up.
    type Stack: Send + Sync + 'static;
    /// A case on its stack.
    type Attempt: Attempt;

    /// Makes a cluster or adopts it, and says what each of its nodes has for suites.
    async fn obtain(&self, plan: &ClusterPlan)
    -> Result<(Self::Ground, Vec<Requests>), SetupError>;

    /// Deletes a cluster that [`obtain`](Self::obtain) made, or began to make.
    async fn delete(&self, plan: &ClusterPlan);

    /// Makes an image.
    async fn build(&self, plan: &ImagePlan) -> Result<Built, ImageError>;

    /// Waits until a cluster takes images, long before it is ready.
    async fn takes_images(&self, plan: &ClusterPlan) -> Result<(), DeliveryError>;

    /// Brings images to a cluster.
    async fn deliver(
        &self,
        plan: &ClusterPlan,
        images: &[Built],
    ) -> Result<Vec<Delivered>, DeliveryError>;

    /// Brings up the stack of a suite.
    async fn bring_up(
        &self,
        ground: &Self::Ground,
        suite: &SuitePlan,
        images: &Shelf,
    ) -> Result<Self::Stack, SetupError>;

    /// Prepares a case on its stack.
    fn attempt(
        &self,
        stack: &Arc<Self::Stack>,
        suite: &SuitePlan,
        case: &CasePlan,
    ) -> Self::Attempt;

    /// Notes why a suite has no stack, or lost it; returns the words for people.
    fn explain(&self, suite: &SuitePlan, cause: &str) -> String;

    /// Does what a suite does after its cases; why it could not be done, if it could not.
    async fn after_cases(&self, stack: &Arc<Self::Stack>, suite: &SuitePlan) -> Result<(), String>;

    /// Tells what is worth knowing of a stack although all its cases passed.
    async fn look_back(&self, stack: &Self::Stack, suite: &SuitePlan);

    /// Collects what explains the failures of a suite.
    async fn collect(&self, ground: &Self::Ground, suite: &SuitePlan);

    /// Deletes what a suite has made in its cluster.
    async fn release(&self, ground: &Self::Ground, suite: &SuitePlan);
}

/// The whole of something with a result, which stays on one thread.
pub(super) type Work<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

/// The whole of a case.
pub(super) type Body = Work<()>;

/// A case on its stack.
pub(super) trait Attempt: Clone + Send + Sync + 'static {
    /// Begins the case; nothing if the declaration does not have it.
    fn begin(&self) -> Option<Body>;

    /// Takes from the case all that it was given: what still runs of it can do nothing any more.
    fn close(&self);

    /// Lets go of what an interrupted case has made.
    async fn abandon(&self);

    /// Puts the stack back to what it was, and explains a failure.
    async fn finish(&self, result: CaseResult) -> Finished;
}

/// A case that is over.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) result: CaseResult,
    /// Why its stack did not come back after it.
    pub(super) spoiled: Option<String>,
    /// The folder of its evidence.
    pub(super) evidence: Option<PathBuf>,
}
