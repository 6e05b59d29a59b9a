//! Brings up what a suite needs in its namespace, and proves that it answers.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use thiserror::Error;
use url::Url;

mod apply;
mod disturb;
mod ends;
mod lead;
mod namespace;
mod pods;
mod reach;
mod ready;

use apply::has_validations;
pub use disturb::{Disturb, DisturbError};
pub(crate) use {
    apply::Applier,
    namespace::{ensure as ensure_namespace, release},
};

use crate::{
    cluster::{Cluster, ClusterError},
    image::Delivered,
    migrate::{self, MigrateError},
    objects::Objects,
    plan::{MigrationsPlan, SuitePlan, TierPlan, WorkloadPlan, image_of, images_mut},
    report::{Phase, Progress},
    seed::Password,
    suite::{Probe, chain},
    wait::WaitError,
};

/// A stack whose every workload is ready, and whose every endpoint has answered.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    /// Where services are, by workload.
    pub(crate) urls: BTreeMap<String, Url>,
    /// How to log in to databases, by workload.
    pub(crate) databases: BTreeMap<String, PgConnectOptions>,
    /// Its passwords, by name.
    pub(crate) passwords: BTreeMap<String, Password>,
    /// What was brought up.
    plan: SuitePlan,
    place: Place,
    /// The restarts of which somebody was told.
    restarts: Arc<Mutex<ends::Restarts>>,
}

/// Why a stack did not come up.
#[derive(Debug, Error)]
pub(crate) enum StackError {
    #[error("{what} in namespace `{namespace}`")]
    Api {
        what: String,
        namespace: String,
        #[source]
        source: Box<kube::Error>,
    },
    #[error("apply {kind} `{name}` from {}: {words}", manifest.display())]
    Refused { kind: String, name: String, manifest: PathBuf, words: String },
    #[error("{workload}: {reason}{}", indented(evidence))]
    Lost { workload: String, reason: String, evidence: Vec<String> },
    #[error("{workload} was not ready within {} s; last seen: {seen}{}", limit.as_secs(), indented(evidence))]
    Late { workload: String, limit: Duration, seen: String, evidence: Vec<String> },
    #[error("`{workload}` is ready in the cluster, but does not answer on this machine")]
    Silent {
        workload: String,
        #[source]
        source: Box<WaitError<reach::Never>>,
    },
    #[error("`{workload}` is ready in the cluster, but not to be reached: {words}")]
    Astray { workload: String, words: String },
    #[error(
        "NodePort {node_port} of `{workload}` leads to no port of this machine; the cluster `{cluster}` does not map it"
    )]
    Unmapped { workload: String, node_port: u16, cluster: String },
    #[error("migrate the database of `{workload}`")]
    Migrate {
        workload: String,
        #[source]
        source: Box<MigrateError>,
    },
    #[error(
        "the migrations of `{workload}` ran, but there is no table {tables}; do they belong to this suite?"
    )]
    NoTables { workload: String, tables: String },
    #[error("use the cluster")]
    Cluster(#[source] ClusterError),
}

fn indented(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |text, line| text + "\n    " + line)
}

/// Where a stack is, and where what happens to it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) cluster: Cluster,
    pub(crate) applier: Applier,
    pub(crate) progress: Progress,
}

impl Stack {
    /// Brings up `suite`, tier by tier.
    pub(crate) async fn bring_up(
        place: Place,
        suite: &SuitePlan,
        images: &BTreeMap<String, Delivered>,
    ) -> Result<Self, StackError> {
        let deploy = place.progress.phase(Phase::Deploy, &suite.name);
        namespace::ensure(&place.cluster.client(), &suite.namespace, &suite.name).await?;
        let passwords = namespace::passwords(&place.cluster, suite).await?;
        namespace::secrets(&place.cluster, suite, &passwords).await?;
        let manifest = Path::new("its resources");
        place.applier.apply_all(&suite.namespace, manifest, &suite.resources).await?;
        drop(deploy);
        if !place.cluster.is_at_least(1, 25) && suite.resources.iter().any(has_validations) {
            let words = "x-kubernetes-validations are left out: this server does not know them";
            place.progress.notice(&suite.name, words);
        }
        let mut stack = Self {
            urls: BTreeMap::new(),
            databases: BTreeMap::new(),
            passwords,
            plan: pin(suite, images),
            place,
            restarts: Arc::default(),
        };
        let tiers = stack.plan.tiers.clone();
        for (index, tier) in tiers.iter().enumerate() {
            if index == 1 {
                // Only databases can do without the names of others.
                stack.place.cluster.resolves_names().await.map_err(StackError::Cluster)?;
            }
            match tier {
                TierPlan::Workloads(workloads) => stack.start(workloads).await?,
                TierPlan::Migrations(migrations) => stack.migrate(migrations).await?,
            }
        }
        // What was restarted on the way up was no failure.
        stack.ends().await;
        Ok(stack)
    }

    /// How containers of the stack have ended since the last time, in words.
    ///
    /// A server that cannot be asked any more explains failures too.
    pub(crate) async fn ends(&self) -> Vec<String> {
        let (suite, client) = (&self.plan, self.client());
        let before = self.restarts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let since = ends::since(&client, &suite.namespace, &suite.name, &before).await;
        let (restarts, words) = match since {
            Ok(found) => found,
            Err(error) => {
                let cluster = self.place.cluster.name();
                let words = chain(&error);
                return vec![format!("the cluster `{cluster}` does not answer any more: {words}")];
            }
        };
        *self.restarts.lock().unwrap_or_else(PoisonError::into_inner) = restarts;
        words
    }

    async fn start(&mut self, workloads: &[WorkloadPlan]) -> Result<(), StackError> {
        let (place, suite, passwords) = (&self.place, &self.plan, &self.passwords);
        let deploy = place.progress.phase(Phase::Deploy, &suite.name);
        let applying = workloads.iter().map(|workload| {
            place.applier.apply_all(&suite.namespace, &workload.manifest, &workload.objects)
        });
        futures_util::future::try_join_all(applying).await?;
        drop(deploy);
        let ready = place.progress.phase(Phase::Ready, &suite.name);
        let waiting = workloads.iter().map(|workload| async move {
            ready::wait(place, suite, workload, &workload.objects).await?;
            reach::answers(place, &suite.namespace, workload, passwords).await
        });
        let all = futures_util::future::try_join_all(waiting).await?;
        drop(ready);
        for reached in all {
            self.urls.extend(reached.urls);
            self.databases.extend(reached.databases);
        }
        Ok(())
    }

    async fn migrate(&self, migrations: &MigrationsPlan) -> Result<(), StackError> {
        let (place, suite) = (&self.place, &self.plan);
        let _phase = place.progress.phase(Phase::Migrate, &suite.name);
        let workload = &migrations.workload;
        let Some(database) = self.databases.get(workload) else {
            return Err(StackError::NoTables {
                workload: workload.clone(),
                tables: "at all: its database is in a later tier".to_owned(),
            });
        };
        let fail =
            |source| StackError::Migrate { workload: workload.clone(), source: Box::new(source) };
        let applied = migrate::apply(database, &migrations.files).await.map_err(fail)?;
        for notice in applied.notices {
            place.progress.notice(&suite.name, &notice);
        }
        let missing = migrate::missing_tables(database, &migrations.tables).await.map_err(fail)?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(StackError::NoTables { workload: workload.clone(), tables: missing.join(", ") })
    }

    /// A client of its cluster.
    pub(crate) fn client(&self) -> kube::Client {
        self.place.cluster.client()
    }

    /// The objects of a case, in namespaces called `namespace`.
    pub(crate) fn objects(&self, namespace: String) -> Objects {
        Objects::new(self.place.applier.clone(), &self.plan.name, namespace)
    }

    /// Looks for the database of which a case reads the audit events: the first one.
    pub(crate) fn database(&self) -> Option<&PgConnectOptions> {
        self.databases.values().next()
    }
}

/// The plan with the images that were really delivered.
fn pin(suite: &SuitePlan, images: &BTreeMap<String, Delivered>) -> SuitePlan {
    let mut pinned = suite.clone();
    let workloads = pinned.tiers.iter_mut().flat_map(|tier| match tier {
        TierPlan::Workloads(workloads) => workloads.as_mut_slice(),
        TierPlan::Migrations(_) => &mut [],
    });
    for image in workloads.flat_map(|workload| &mut workload.objects).flat_map(images_mut) {
        let name = image_of(image.as_str().unwrap_or_default());
        let delivered = suite.images.get(name).and_then(|wanted| images.get(wanted.as_str()));
        if let Some(delivered) = delivered {
            *image = json!(delivered.reference());
        }
    }
    pinned
}

/// The probe of an endpoint in words, for messages.
pub(crate) fn asked(probe: &Probe) -> &'static str {
    match probe {
        Probe::Http(_) => "GET of its health path",
        Probe::Postgres(_) => "SELECT 1",
    }
}
