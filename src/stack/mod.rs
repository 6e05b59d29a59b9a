//! Brings up what a suite needs in its namespace, and proves that it answers.

use std::{collections::BTreeMap, fmt};

use futures_util::future::try_join_all;
use sqlx::postgres::PgConnectOptions;
use url::Url;

mod apply;
mod ask;
mod condition;
mod config;
mod details;
mod doubt;
mod ends;
mod error;
mod fixed;
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
mod proof;
mod prospect;
mod reach;
mod reached;
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
    suite::{Endpoint, EndpointName, Probe, Table, database},
    text::chain,
};
use ask::{Asker, url_of};
use ends::{Since, Told};
use namespace::Past;
use reached::Reached;
use replicas::Replicas;

/// A stack whose every workload is ready, and whose every endpoint has answered.
#[derive(Clone)]
pub(crate) struct Stack {
    reached: Reached,
    /// Its passwords, by name.
    pub(crate) passwords: BTreeMap<String, Password>,
    /// What was brought up.
    plan: SuitePlan,
    site: Site,
    images: Shelf,
    http: reqwest::Client,
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

    async fn prove(&self, workloads: &[WorkloadPlan]) -> Result<(), StackError> {
        proof::prove(&self.site, &self.plan, workloads, self.asker()).await
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
        Asker { http: &self.http, passwords: &self.passwords }
    }

    /// The reference under which its cluster has an image of the suite.
    pub(crate) fn image(&self, name: &str) -> Option<String> {
        self.images.delivered(self.plan.images.get(name)?)
    }

    /// A client of its cluster.
    pub(crate) fn client(&self) -> kube::Client {
        self.site.cluster.client()
    }

    /// Where a service is reached over HTTP: `service` is its first such endpoint, `service:port` the
    /// one of this name.
    pub(crate) fn url(&self, name: &str) -> Option<&Url> {
        self.reached.url(&self.plan, name)
    }

    /// The endpoints that are reached over HTTP.
    pub(crate) fn http_endpoints(&self) -> impl Iterator<Item = &EndpointName> {
        self.reached.urls()
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

    /// How to log in to the database behind an endpoint.
    pub(crate) fn login(&self, endpoint: &EndpointName) -> Option<&PgConnectOptions> {
        self.reached.login(endpoint)
    }

    /// A database of its own: the first of a workload, with `workload:port` the one of this port, without a name
    /// the first that the suite declares.
    pub(crate) fn database(&self, name: Option<&str>) -> Option<&Endpoint> {
        database(self.plan.endpoints(), name)
    }

    /// How to log in to the database of a table.
    pub(crate) fn login_of(&self, table: &Table) -> Option<&PgConnectOptions> {
        self.login(&self.database(table.database.as_deref())?.name())
    }

    /// Where a database is, as a URL with the password in it.
    pub(crate) fn database_url(&self, endpoint: &Endpoint) -> Option<Url> {
        let address = self.site.cluster.address(endpoint.node_port)?;
        match &endpoint.probe {
            Probe::Postgres(database) => url_of(address, database, &self.passwords),
            Probe::Http(_) => None,
        }
    }

    /// The databases that the suite declares.
    pub(crate) fn databases(&self) -> impl Iterator<Item = EndpointName> {
        self.plan.endpoints().filter(|it| it.is_database()).map(Endpoint::name)
    }

    /// The first database of a workload.
    fn database_of(&self, workload: &str) -> Option<&PgConnectOptions> {
        let of_workload = self.plan.workloads().filter(|it| it.name == workload);
        self.reached.database(of_workload.flat_map(|it| &it.endpoints))
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("suite", &self.plan.name).finish_non_exhaustive()
    }
}
