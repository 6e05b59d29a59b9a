//! The real world: clusters of a provider, images of a Docker daemon, stacks of Kubernetes.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use bollard::Docker;

use super::{
    attempt::Attempt,
    interrupt::{Interrupt, Level},
    setup::SetupError,
    world::World,
};
use crate::{
    cluster::{Cluster, Delivered, DeliveryError, Provider, Shelf},
    events::{Events, Phase},
    evidence::Evidence,
    image::{self, Built, ImageError, Reference, Workshop},
    ledger::{Ledger, LedgerError, NotedCluster, NotedEndpoint, Notes, Undo},
    manifest::Requests,
    password::Password,
    plan::{CasePlan, ClusterPlan, ImagePlan, Plan, SuitePlan, config_digest},
    selection::Selection,
    stack::{self, Applier, Place, Stack},
    suite::{Endpoint, Probe},
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
    pub(super) events: Events,
    pub(super) interrupt: Interrupt,
    pub(super) evidence: Evidence,
}

/// A cluster that answers, and what applies objects to it.
pub(super) struct Ground {
    cluster: Cluster,
    applier: Applier,
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

    /// Changes what the run notes about itself.
    pub(super) fn note(&self, change: impl FnOnce(&mut Notes)) -> Result<(), LedgerError> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut notes);
        notes.write(self.ledger.directory())
    }

    /// What the run notes about itself.
    pub(super) fn noted(&self) -> Notes {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the run notes about a cluster that is there.
    fn noted_cluster(&self, plan: &ClusterPlan, cluster: &Cluster) -> NotedCluster {
        let mut noted = NotedCluster {
            name: cluster.name().to_string(),
            kubeconfig: cluster.kubeconfig().to_owned(),
            suites: self.plan.suites_of(plan.name()).map(|suite| suite.name.clone()).collect(),
            ..NotedCluster::default()
        };
        if let ClusterPlan::Create { node_image, ports, config, .. } = plan {
            noted.node_image.clone_from(node_image);
            noted.config = config_digest(config);
            noted.node_ports = ports.iter().map(|port| port.node_port).collect();
        }
        noted
    }

    /// Collects what the nodes of a cluster say, because something in it failed.
    pub(super) async fn explain_cluster(&self, plan: &ClusterPlan) {
        let logs = self.interrupt.until(Level::Hurry, self.provider.logs(plan)).await;
        let passwords = self.plan.suites.iter().flat_map(|suite| suite.passwords.values());
        let evidence = self.evidence.without(passwords.map(Password::reveal));
        evidence.of_cluster(plan.name().as_str(), logs.unwrap_or_default());
    }

    /// Evidence without the passwords of a suite, and of its stack.
    fn evidence_of(&self, suite: &SuitePlan, stack: Option<&Stack>) -> Evidence {
        let known = stack.into_iter().flat_map(|stack| stack.passwords.values());
        let secrets = suite.passwords.values().chain(known);
        self.evidence.without(secrets.map(Password::reveal))
    }
}

impl World for Real {
    type Ground = Ground;
    type Stack = Stack;
    type Attempt = Attempt;

    async fn obtain(&self, plan: &ClusterPlan) -> Result<(Ground, Vec<Requests>), SetupError> {
        let failed = |error| SetupError::Cluster(Arc::new(error));
        let phase = self.events.phase(Phase::Create, plan.name().as_str());
        let obtained = self.provider.obtain(plan).await;
        drop(phase);
        if obtained.is_err() {
            self.explain_cluster(plan).await;
        }
        let cluster = obtained.map_err(failed)?;
        let noted = self.noted_cluster(plan, &cluster);
        self.note(|notes| notes.clusters.push(noted))
            .map_err(|error| SetupError::Ledger(Arc::new(error)))?;
        let own: Vec<_> =
            self.plan.suites_of(plan.name()).map(|suite| suite.namespace.as_str()).collect();
        let nodes = cluster.capacity(&own).await.map_err(failed)?;
        let applier = Applier::new(&cluster);
        Ok((Ground { cluster, applier }, nodes))
    }

    async fn delete(&self, plan: &ClusterPlan) {
        let name = plan.name();
        if self.evidence.found().is_some() {
            self.explain_cluster(plan).await;
        }
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
        ground: &Ground,
        suite: &SuitePlan,
        images: &Shelf,
    ) -> Result<Stack, SetupError> {
        let place = Place {
            cluster: ground.cluster.clone(),
            applier: ground.applier.clone(),
            events: self.events.clone(),
        };
        let stack = Box::pin(Stack::bring_up(place, suite, images)).await;
        let stack = stack.map_err(|error| SetupError::Stack(Arc::new(error)))?;
        let noted = self.note(|notes| notes.endpoints.extend(endpoints(suite, &stack)));
        noted.map_err(|error| SetupError::Ledger(Arc::new(error)))?;
        Ok(stack)
    }

    fn attempt(&self, stack: &Arc<Stack>, suite: &SuitePlan, case: &CasePlan) -> Attempt {
        let declared = self.selection.case(&case.full_name).cloned();
        let evidence = self.evidence_of(suite, Some(stack));
        Attempt::new(stack, suite, case, declared, evidence, self.interrupt.clone())
    }

    fn explain(&self, suite: &SuitePlan, cause: &str) -> String {
        let evidence = self.evidence_of(suite, None);
        evidence.of_setup(&suite.name, cause);
        evidence.for_people(cause)
    }

    async fn collect(&self, ground: &Ground, suite: &SuitePlan) {
        let evidence = self.evidence_of(suite, None);
        evidence.of_namespace(&ground.cluster.client(), &suite.namespace).await;
    }

    async fn release(&self, ground: &Ground, suite: &SuitePlan) {
        let _ = self.note(|notes| notes.endpoints.retain(|it| it.suite != suite.name));
        stack::release(&ground.cluster, &suite.namespace).await;
    }
}

/// How the services of a stack are reached, without passwords.
fn endpoints(plan: &SuitePlan, stack: &Stack) -> Vec<NotedEndpoint> {
    let endpoint = |endpoint: &Endpoint| {
        let url = match &endpoint.probe {
            Probe::Http(_) => stack.urls.get(&endpoint.service)?.to_string(),
            Probe::Postgres(database) => {
                let options = stack.databases.get(&endpoint.service)?;
                let (host, port) = (options.get_host(), options.get_port());
                format!("postgres://{}@{host}:{port}/{}", database.user, database.name)
            }
        };
        Some(NotedEndpoint {
            suite: plan.name.clone(),
            service: endpoint.service.clone(),
            port: endpoint.port.clone(),
            node_port: endpoint.node_port,
            url,
            variables: endpoint.variables.clone(),
        })
    };
    plan.endpoints().filter_map(endpoint).collect()
}
