//! The real world: clusters of a provider, images of a Docker daemon, stacks of Kubernetes.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bollard::Docker;
use futures_util::future::join_all;

use super::{
    attempt::StackAttempt,
    interrupt::{Interrupt, Level},
    setup::SetupError,
    world::World,
};
use crate::{
    case::Shared,
    cluster::{Delivered, DeliveryError, Provider, Shelf},
    events::{Events, Phase},
    evidence::Evidence,
    image::{self, Built, ImageError, Reference, Workshop},
    ledger::{Ledger, LedgerError, Notes, Undo},
    manifest::Requests,
    password::{Known, Password},
    plan::{CasePlan, ClusterName, ClusterPlan, ImagePlan, Plan, SuitePlan},
    selection::Selection,
    stack::{self, Applier, FixedNames, Rising, Site},
    text::chain,
};

/// What a run with effects works on.
pub(super) struct Real {
    pub(super) plan: Plan,
    pub(super) selection: Selection,
    pub(super) provider: Provider,
    pub(super) docker: Docker,
    pub(super) workshop: Workshop,
    pub(super) ledger: Arc<Ledger>,
    pub(super) notes: Mutex<Notes>,
    /// The clusters in which something failed that nobody has explained yet.
    pub(super) unexplained: Mutex<BTreeSet<ClusterName>>,
    /// The directory of the kept run whose clusters are used.
    pub(super) reused: Option<PathBuf>,
    pub(super) events: Events,
    pub(super) interrupt: Interrupt,
    pub(super) evidence: Evidence,
    pub(super) known: Known,
}

impl Real {
    /// Promises to remove the tags of all images.
    pub(super) fn promise_images(&self) -> Result<(), LedgerError> {
        let images = self.plan.images.iter();
        let references = images.flat_map(|image| image.references.values().flatten());
        references
            .map(ToString::to_string)
            .try_for_each(|reference| self.ledger.promise(Undo::Image { reference }))
    }

    /// Notes that something in a cluster failed, which its nodes may explain.
    fn failed_in(&self, cluster: &ClusterName) {
        let mut unexplained = self.unexplained.lock().unwrap_or_else(PoisonError::into_inner);
        unexplained.insert(cluster.clone());
    }

    /// Collects what the nodes of a cluster say, if something in it failed since the last time.
    pub(super) async fn explain_cluster(&self, plan: &ClusterPlan) {
        let unexplained = || self.unexplained.lock().unwrap_or_else(PoisonError::into_inner);
        if !unexplained().remove(plan.name()) {
            return;
        }
        let logs = self.interrupt.until(Level::Hurry, self.provider.logs(plan)).await;
        let evidence = self.redacted();
        let writing = evidence.of_cluster(plan.name().as_str(), logs.unwrap_or_default());
        self.interrupt.until(Level::Hurry, writing).await;
    }

    /// Evidence without all passwords that the run has met.
    pub(super) fn redacted(&self) -> Evidence {
        self.evidence.without(self.known.all().iter().map(Password::reveal))
    }
}

impl World for Real {
    type Ground = Site;
    type Stack = Shared;
    type Attempt = StackAttempt;

    async fn obtain(&self, plan: &ClusterPlan) -> Result<(Site, Vec<Requests>), SetupError> {
        let failed = |error| SetupError::Cluster(Arc::new(error));
        let phase = self.events.phase(Phase::Create, plan.name().as_str());
        let obtained = self.provider.obtain(plan).await;
        drop(phase);
        if obtained.is_err() {
            self.failed_in(plan.name());
        }
        let cluster = obtained.map_err(failed)?;
        let noted = self.noted_cluster(plan, &cluster);
        self.note(|notes| notes.clusters.push(noted))
            .map_err(|error| SetupError::Ledger(Arc::new(error)))?;
        let own: Vec<_> =
            self.plan.suites_of(plan.name()).flat_map(SuitePlan::namespaces).collect();
        let nodes = cluster.headroom(&own).await.map_err(failed)?;
        let applier = Applier::new(&cluster);
        let (events, known) = (self.events.clone(), self.known.clone());
        let fixed = FixedNames::none();
        Ok((Site { cluster, applier, events, known, fixed }, nodes))
    }

    async fn delete(&self, plan: &ClusterPlan) {
        let name = plan.name();
        self.explain_cluster(plan).await;
        let _phase = self.events.phase(Phase::Undo, name.as_str());
        // What is left is undone when the run ends.
        let _ = self.provider.delete(name).await;
        // What cannot be written now is written with the next note.
        let _ = self.note(|notes| notes.clusters.retain(|known| known.name != name.as_str()));
    }

    async fn build(&self, plan: &ImagePlan) -> Result<Built, ImageError> {
        let references: BTreeSet<_> = plan.references.values().flatten().cloned().collect();
        let references: Vec<_> = references.into_iter().collect();
        let _phase = self.events.phase(Phase::Build, &plan.name);
        Box::pin(image::build(&self.workshop, &plan.source, &references)).await
    }

    async fn takes_images(&self, plan: &ClusterPlan) -> Result<(), DeliveryError> {
        self.provider.takes_images(plan).await
    }

    async fn deliver(
        &self,
        plan: &ClusterPlan,
        images: &[Built],
    ) -> Result<Vec<Delivered>, DeliveryError> {
        let mut names: Vec<_> = images
            .iter()
            .flat_map(|image| &image.references)
            .map(Reference::infrastructure)
            .collect();
        names.sort_unstable();
        names.dedup();
        let _phase = self.events.phase(Phase::Deliver, &names.join(", "));
        self.provider.deliver(plan, images).await
    }

    async fn bring_up(
        &self,
        ground: &Site,
        suite: &SuitePlan,
        images: &Shelf,
    ) -> Result<Shared, SetupError> {
        let rising = Box::pin(Rising::begin(ground.clone(), suite, images)).await;
        let rising = rising.map_err(|error| SetupError::Stack(Arc::new(error)))?;
        let shared = Box::pin(self.raise(rising, suite)).await?;
        self.note_stack(suite, &shared.stack)
            .map_err(|error| SetupError::Ledger(Arc::new(error)))?;
        Ok(shared)
    }

    fn attempt(&self, shared: &Arc<Shared>, suite: &SuitePlan, case: &CasePlan) -> StackAttempt {
        let declared = self.selection.case(&case.full_name).cloned();
        let declared = declared.zip(self.selection.suite(&suite.name).cloned());
        let (evidence, interrupt) = (self.redacted(), self.interrupt.clone());
        StackAttempt::new(shared, case, declared, evidence, interrupt)
    }

    async fn after_cases(&self, shared: &Arc<Shared>, suite: &SuitePlan) -> Result<(), String> {
        for step in &suite.after_cases {
            let done = self.perform(Arc::clone(shared), suite, step).await;
            done.map_err(|error| chain(&error))?;
        }
        Ok(())
    }

    fn explain(&self, suite: &SuitePlan, cause: &str) -> String {
        let evidence = self.redacted();
        evidence.of_setup(&suite.name, cause);
        evidence.for_people(cause)
    }

    async fn look_back(&self, shared: &Shared, suite: &SuitePlan) {
        for words in shared.stack.restarted().await {
            self.events.notice(&suite.name, &words);
        }
    }

    async fn collect(&self, ground: &Site, suite: &SuitePlan) {
        self.failed_in(&suite.cluster);
        let evidence = self.redacted();
        let client = ground.cluster.client();
        join_all(suite.namespaces().map(|name| evidence.of_namespace(&client, name))).await;
    }

    async fn release(&self, ground: &Site, suite: &SuitePlan) {
        stack::release(ground, suite).await;
        let _ = self.note(|notes| notes.endpoints.retain(|it| it.suite != suite.name));
    }
}
