//! Brings up what a suite needs in its namespace, and proves that it answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use futures_util::future::try_join_all;

mod apply;
mod ask;
mod clients;
mod condition;
mod config;
mod details;
mod doubt;
mod endpoints;
mod ends;
mod error;
mod fixed;
mod generation;
mod insist;
mod kinds;
mod lead;
mod leftovers;
mod look;
mod made;
mod migrations;
mod namespace;
mod pods;
mod proof;
mod prospect;
mod reach;
mod readiness;
mod ready;
mod release;
mod replicas;
mod restarts;
mod restore;
mod rights;
mod rising;
mod room;
mod shared;
mod site;
mod workloads;

pub(crate) use {
    apply::Applier,
    error::{ServerError, StackError, watch_refusal},
    fixed::{FixedNames, Held},
    kinds::with_kind,
    made::pods_made_by,
    namespace::{Marks, ensure_marked as ensure_namespace, gone as namespace_gone},
    readiness::has_replicas,
    release::release,
    rising::Rising,
    site::Site,
};

use crate::{
    cluster::Shelf,
    events::Phase,
    password::Password,
    plan::{SuitePlan, WorkloadPlan},
    suite::EndpointName,
    text::chain,
};
use ask::Asker;
use clients::Clients;
use ends::{Since, Told};
use namespace::Past;
use replicas::Replicas;
use restarts::Restarts;

/// A stack whose every workload is ready, and whose every endpoint has answered.
#[derive(Clone)]
pub(crate) struct Stack {
    /// The endpoints that have answered.
    reached: BTreeSet<EndpointName>,
    /// Its passwords, by name.
    pub(crate) passwords: BTreeMap<String, Password>,
    /// What was brought up.
    plan: SuitePlan,
    site: Site,
    images: Shelf,
    clients: Clients,
    told: Told,
}

impl Stack {
    async fn resolves_names(&self) -> Result<(), StackError> {
        self.site.cluster.resolves_names().await.map_err(StackError::Cluster)
    }

    async fn deploy(&self, workloads: &[WorkloadPlan], past: Past) -> Result<(), StackError> {
        let (site, namespace) = (&self.site, &self.plan.namespace);
        let _deploy = site.events.phase(Phase::Deploy, &self.plan.name);
        let deploying = workloads.iter().map(|workload| async move {
            site.applier.apply_all(namespace, &workload.manifest, &workload.objects).await?;
            if past == Past::Kept {
                self.renew(workload).await?;
            }
            Ok(())
        });
        try_join_all(deploying).await.map(drop)
    }

    /// How often its containers have ended by now.
    async fn restarts(&self) -> Result<Restarts, StackError> {
        let pods = made::pods_of_suite(&self.client(), &self.plan).await;
        let pods = pods.map_err(|error| StackError::Api {
            what: "list the pods".to_owned(),
            namespace: self.plan.namespace.clone(),
            source: error.into(),
        })?;
        Ok(Restarts::of(&pods))
    }

    async fn prove(&self, workloads: &[WorkloadPlan], before: &Restarts) -> Result<(), StackError> {
        proof::prove(&self.site, &self.plan, workloads, self.asker(), before).await
    }

    /// How containers of the stack have ended since the last time, in words.
    ///
    /// A server that cannot be asked any more explains failures too.
    pub(crate) async fn ends(&self) -> Vec<String> {
        match self.since().await {
            Ok(since) => {
                let words = since.explained(&self.client()).await;
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
        self.told.since(&self.client(), &self.plan).await
    }

    async fn renew(&self, workload: &WorkloadPlan) -> Result<(), StackError> {
        self.replicas(workload).renew().await
    }

    fn replicas<'a>(&'a self, workload: &'a WorkloadPlan) -> Replicas<'a> {
        Replicas { site: &self.site, namespace: &self.plan.namespace, workload }
    }

    fn asker(&self) -> Asker<'_> {
        Asker { clients: &self.clients, passwords: &self.passwords }
    }

    /// The reference under which its cluster has an image of the suite.
    pub(crate) fn image(&self, name: &str) -> Option<String> {
        self.images.delivered(self.plan.images.get(name)?)
    }

    /// A client of its cluster.
    pub(crate) fn client(&self) -> kube::Client {
        self.site.cluster.client()
    }

    /// What was brought up.
    pub(crate) fn plan(&self) -> &SuitePlan {
        &self.plan
    }

    /// What applies objects to its cluster.
    pub(crate) fn applier(&self) -> Applier {
        self.site.applier.clone()
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("suite", &self.plan.name).finish_non_exhaustive()
    }
}
