//! Brings up what a suite needs in its namespace, and proves that it answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Instant,
};

use futures_util::future::try_join_all;
use sqlx::postgres::PgConnectOptions;
use url::Url;

mod apply;
mod ask;
mod details;
mod doubt;
mod ends;
mod error;
mod generation;
mod http;
mod insist;
mod kinds;
mod lead;
mod leftovers;
mod look;
mod made;
mod migrations;
mod namespace;
mod pods;
mod reach;
mod readiness;
mod ready;
mod release;
mod replicas;
mod restarts;
mod room;
mod site;
mod workloads;

pub(crate) use {
    apply::Applier,
    error::{ServerError, StackError, is_refusal},
    namespace::ensure as ensure_namespace,
    readiness::has_replicas,
    release::release,
    site::Site,
};

use crate::{
    cluster::Shelf,
    events::Phase,
    password::Password,
    plan::{SuitePlan, TierPlan, WorkloadPlan},
    suite::EndpointName,
    text::chain,
};
use apply::has_validations;
use ask::Asker;
use ends::{Since, Told};
use generation::Configuration;
use namespace::Past;
use reach::{Proof, Proving};
use replicas::{Replicas, Wished};
use restarts::Restarts;
use workloads::made_of;

/// A stack whose every workload is ready, and whose every endpoint has answered.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Where endpoints are reached over HTTP.
    urls: BTreeMap<EndpointName, Url>,
    /// How to log in to databases, by workload.
    pub(crate) databases: BTreeMap<String, PgConnectOptions>,
    /// Its passwords, by name.
    pub(crate) passwords: BTreeMap<String, Password>,
    /// What was brought up.
    plan: SuitePlan,
    site: Site,
    http: reqwest::Client,
    told: Told,
}

impl Stack {
    /// Brings up `suite`, tier by tier.
    pub(crate) async fn bring_up(
        site: Site,
        suite: &SuitePlan,
        images: &Shelf,
    ) -> Result<Self, StackError> {
        let deploy = site.events.phase(Phase::Deploy, &suite.name);
        namespace::ensure(&site.cluster.client(), &suite.namespace, &suite.name).await?;
        let (passwords, past) = namespace::passwords(&site.cluster, suite).await?;
        site.known.learn(passwords.values());
        namespace::secrets(&site.cluster, suite, &passwords).await?;
        if past == Past::Kept {
            // First, because they may hold the ports and the room of what replaces them.
            leftovers::delete(&site, suite).await?;
        }
        let manifest = Path::new("its resources");
        site.applier.apply_all(&suite.namespace, manifest, &suite.resources).await?;
        drop(deploy);
        if !site.cluster.is_at_least(1, 25) && suite.resources.iter().any(has_validations) {
            let words = "x-kubernetes-validations are left out: this server does not know them";
            site.events.notice(&suite.name, words);
        }
        let configuration = Configuration::of(suite, &passwords);
        let mut stack = Self {
            urls: BTreeMap::new(),
            databases: BTreeMap::new(),
            passwords,
            plan: suite.clone(),
            site,
            http: http::client().map_err(StackError::Http)?,
            told: Told::default(),
        };
        for (index, tier) in suite.tiers.iter().enumerate() {
            if index == 1 {
                // Only databases, which others wait for, can do without the names of others.
                stack.resolves_names().await?;
            }
            match tier {
                TierPlan::Workloads(workloads) => {
                    let wanted: Vec<_> = suite.images_of(workloads).collect();
                    let delivered = images.take(&wanted).await.map_err(StackError::Image)?;
                    let workloads = made_of(suite, workloads, &delivered, &configuration);
                    stack.plan.tiers[index] = TierPlan::Workloads(workloads.clone());
                    stack.deploy(&workloads, past).await?;
                    if suite.tiers.len() == 1 {
                        stack.resolves_names().await?;
                    }
                    let _ready = stack.site.events.phase(Phase::Ready, &suite.name);
                    stack.prove(&workloads).await?;
                    stack.note_addresses(&workloads)?;
                }
                TierPlan::Migrations(migrations) => {
                    let _migrate = stack.site.events.phase(Phase::Migrate, &suite.name);
                    let database = stack.databases.get(&migrations.workload);
                    let notices = migrations::run(database, migrations).await?;
                    for notice in notices {
                        stack.site.events.notice(&suite.name, &notice);
                    }
                }
            }
        }
        // What was restarted on the way up was no failure.
        stack.ends().await;
        Ok(stack)
    }

    async fn resolves_names(&self) -> Result<(), StackError> {
        self.site.cluster.resolves_names().await.map_err(StackError::Cluster)
    }

    async fn deploy(&self, workloads: &[WorkloadPlan], past: Past) -> Result<(), StackError> {
        let (site, namespace) = (&self.site, &self.plan.namespace);
        let _deploy = site.events.phase(Phase::Deploy, &self.plan.name);
        let deploying = workloads.iter().map(|workload| async move {
            site.applier.apply_all(namespace, &workload.manifest, &workload.objects).await?;
            match past {
                Past::None => Ok(()),
                Past::Kept => self.renew(workload).await,
            }
        });
        try_join_all(deploying).await.map(drop)
    }

    /// Waits until workloads are ready, and have answered with the pods of today.
    async fn prove(&self, workloads: &[WorkloadPlan]) -> Result<(), StackError> {
        let before = self.restarts().await?;
        let proving = workloads.iter().map(|workload| self.prove_one(workload, &before));
        try_join_all(proving).await.map(drop)
    }

    /// How often its containers have ended by now.
    async fn restarts(&self) -> Result<Restarts, StackError> {
        let (namespace, suite) = (&self.plan.namespace, &self.plan.name);
        let pods = made::pods_of_suite(&self.client(), namespace, suite).await;
        let pods = pods.map_err(|error| StackError::Api {
            what: "list the pods".to_owned(),
            namespace: namespace.clone(),
            source: error.into(),
        })?;
        Ok(Restarts::of(&pods))
    }

    async fn prove_one(
        &self,
        workload: &WorkloadPlan,
        before: &Restarts,
    ) -> Result<(), StackError> {
        let objects = self.plan.workloads().flat_map(|workload| &workload.objects);
        let marks: BTreeSet<_> = objects.filter_map(generation::of_object).collect();
        let proving = Proving {
            site: &self.site,
            namespace: &self.plan.namespace,
            asker: self.asker(),
            marks: &marks,
        };
        let begun = Instant::now();
        loop {
            // On the heap: a case holds these futures too.
            Box::pin(ready::wait(&self.site, &self.plan, workload, begun, before)).await?;
            match Box::pin(proving.prove(workload, begun)).await? {
                Proof::Answered => return Ok(()),
                // The next look says why.
                Proof::Unready => {}
            }
        }
    }

    fn note_addresses(&mut self, workloads: &[WorkloadPlan]) -> Result<(), StackError> {
        for workload in workloads {
            let reached = reach::reached(&self.site, workload, self.asker())?;
            self.urls.extend(reached.urls);
            self.databases.extend(reached.databases);
        }
        Ok(())
    }

    /// How containers of the stack have ended since the last time, in words.
    ///
    /// A server that cannot be asked any more explains failures too.
    pub(crate) async fn ends(&self) -> Vec<String> {
        match self.since().await {
            Ok(since) => {
                let words = since.explained(&self.client(), &self.plan.namespace).await;
                self.told.note(since);
                words
            }
            Err(error) => {
                let (cluster, words) = (self.site.cluster.name(), chain(&error));
                vec![format!("the cluster `{cluster}` does not answer any more: {words}")]
            }
        }
    }

    /// The containers that were started again while cases passed, a line for each.
    pub(crate) async fn restarted(&self) -> Vec<String> {
        // Who cannot be asked any more is told to whoever needs the server.
        self.since().await.map(|since| since.restarted()).unwrap_or_default()
    }

    async fn since(&self) -> Result<Since, kube::Error> {
        self.told.since(&self.client(), &self.plan.namespace, &self.plan.name).await
    }

    /// Ends all pods of a workload, within `grace` seconds if it is given, and waits until they are
    /// gone and nothing answers any more where they did.
    pub(crate) async fn stop(
        &self,
        workload: &WorkloadPlan,
        grace: Option<u32>,
    ) -> Result<(), StackError> {
        let replicas = self.replicas(workload);
        Box::pin(replicas.scale(Wished::Nothing)).await?;
        if let Some(grace) = grace {
            Box::pin(replicas.hurry(grace)).await?;
        }
        let answering = async || reach::answering(&self.site, workload, self.asker()).await;
        Box::pin(replicas.until_gone(answering)).await
    }

    /// Starts the pods of a workload, and waits until they have answered.
    pub(crate) async fn start(&self, workload: &WorkloadPlan) -> Result<(), StackError> {
        self.replicas(workload).scale(Wished::AsPlanned).await?;
        self.prove(std::slice::from_ref(workload)).await
    }

    /// Waits until all of the stack has answered anew, tier by tier; first it starts what was
    /// stopped of these workloads.
    pub(crate) async fn restore(&self, stopped: &BTreeSet<String>) -> Result<(), StackError> {
        for tier in &self.plan.tiers {
            let TierPlan::Workloads(workloads) = tier else { continue };
            for workload in workloads.iter().filter(|it| stopped.contains(&it.name)) {
                self.replicas(workload).scale(Wished::AsPlanned).await?;
            }
            // What crashed for want of another is not waited for, but begins at once.
            try_join_all(workloads.iter().map(|workload| self.renew(workload))).await?;
            self.prove(workloads).await?;
        }
        Ok(())
    }

    /// What the containers of a workload have written so far.
    pub(crate) async fn logs(&self, workload: &WorkloadPlan) -> Result<String, StackError> {
        Box::pin(self.replicas(workload).logs()).await
    }

    async fn renew(&self, workload: &WorkloadPlan) -> Result<(), StackError> {
        self.replicas(workload).renew().await
    }

    fn replicas<'a>(&'a self, workload: &'a WorkloadPlan) -> Replicas<'a> {
        Replicas { site: &self.site, namespace: &self.plan.namespace, workload }
    }

    fn asker(&self) -> Asker<'_> {
        Asker { http: &self.http, passwords: &self.passwords }
    }

    /// A client of its cluster.
    pub(crate) fn client(&self) -> kube::Client {
        self.site.cluster.client()
    }

    /// Where a service is reached over HTTP: `service` is its first such endpoint, `service:port` the
    /// one of this name.
    pub(crate) fn url(&self, name: &str) -> Option<&Url> {
        let endpoint = match name.split_once(':') {
            Some((service, port)) => {
                EndpointName { service: service.to_owned(), port: port.to_owned() }
            }
            None => self.plan.first_http(name)?.name(),
        };
        self.urls.get(&endpoint)
    }

    /// The endpoints that are reached over HTTP.
    pub(crate) fn http_endpoints(&self) -> impl Iterator<Item = &EndpointName> {
        self.urls.keys()
    }

    /// A client for its services.
    pub(crate) fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// What was brought up.
    pub(crate) fn plan(&self) -> &SuitePlan {
        &self.plan
    }

    /// What applies objects to its cluster.
    pub(crate) fn applier(&self) -> Applier {
        self.site.applier.clone()
    }

    /// Looks for the database of which a case reads the audit events: the first one.
    pub(crate) fn database(&self) -> Option<&PgConnectOptions> {
        self.databases.values().next()
    }
}
