//! Brings up what a suite needs in its namespace, and proves that it answers.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use kube::{Api, api::DynamicObject};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use url::Url;

mod apply;
mod ends;
mod error;
mod lead;
mod namespace;
mod pods;
mod reach;
mod ready;

use apply::has_validations;
pub(crate) use {
    apply::Applier,
    error::StackError,
    namespace::{ensure as ensure_namespace, release},
};

use crate::{
    cluster::{Address, Cluster, Delivered, Shelf},
    events::{Events, Phase},
    image::Reference,
    manifest::{containers_mut, image_of, pod_spec_mut},
    migrate,
    password::Password,
    plan::{MigrationsPlan, SuitePlan, TierPlan, WorkloadPlan},
    suite::Probe,
    text::chain,
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

/// Where a stack is, and where what happens to it is told.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) cluster: Cluster,
    pub(crate) applier: Applier,
    pub(crate) events: Events,
}

impl Stack {
    /// Brings up `suite`, tier by tier.
    pub(crate) async fn bring_up(
        place: Place,
        suite: &SuitePlan,
        images: &Shelf,
    ) -> Result<Self, StackError> {
        let deploy = place.events.phase(Phase::Deploy, &suite.name);
        namespace::ensure(&place.cluster.client(), &suite.namespace, &suite.name).await?;
        let passwords = namespace::passwords(&place.cluster, suite).await?;
        namespace::secrets(&place.cluster, suite, &passwords).await?;
        let manifest = Path::new("its resources");
        place.applier.apply_all(&suite.namespace, manifest, &suite.resources).await?;
        drop(deploy);
        if !place.cluster.is_at_least(1, 25) && suite.resources.iter().any(has_validations) {
            let words = "x-kubernetes-validations are left out: this server does not know them";
            place.events.notice(&suite.name, words);
        }
        let mut stack = Self {
            urls: BTreeMap::new(),
            databases: BTreeMap::new(),
            passwords,
            plan: suite.clone(),
            place,
            restarts: Arc::default(),
        };
        for (index, tier) in suite.tiers.iter().enumerate() {
            if index == 1 {
                // Only databases can do without the names of others.
                stack.place.cluster.resolves_names().await.map_err(StackError::Cluster)?;
            }
            match tier {
                TierPlan::Workloads(workloads) => {
                    let wanted: Vec<_> = suite.images_of(workloads).collect();
                    let delivered = images.take(&wanted).await.map_err(StackError::Image)?;
                    let workloads = pin(suite, workloads, &delivered);
                    stack.start(&workloads).await?;
                    stack.plan.tiers[index] = TierPlan::Workloads(workloads);
                }
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
        let deploy = place.events.phase(Phase::Deploy, &suite.name);
        let applying = workloads.iter().map(|workload| {
            place.applier.apply_all(&suite.namespace, &workload.manifest, &workload.objects)
        });
        futures_util::future::try_join_all(applying).await?;
        drop(deploy);
        let ready = place.events.phase(Phase::Ready, &suite.name);
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
        let _phase = place.events.phase(Phase::Migrate, &suite.name);
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
            place.events.notice(&suite.name, &notice);
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

    /// What was brought up.
    pub(crate) fn plan(&self) -> &SuitePlan {
        &self.plan
    }

    /// What applies objects to its cluster.
    pub(crate) fn applier(&self) -> Applier {
        self.place.applier.clone()
    }

    /// The API of the kind of one of its objects, in its namespace.
    pub(crate) async fn api(&self, object: &Value) -> Result<Api<DynamicObject>, kube::Error> {
        self.place.applier.api(&self.plan.namespace, object).await
    }

    /// Waits until the pods of a workload are ready.
    pub(crate) async fn until_ready(&self, workload: &WorkloadPlan) -> Result<(), StackError> {
        ready::wait(&self.place, &self.plan, workload, &workload.objects).await
    }

    /// Waits until the endpoints of a workload have answered.
    pub(crate) async fn until_answered(&self, workload: &WorkloadPlan) -> Result<(), StackError> {
        let (place, namespace) = (&self.place, &self.plan.namespace);
        reach::answers(place, namespace, workload, &self.passwords).await.map(drop)
    }

    /// Where an endpoint of a workload still answers, if one does.
    pub(crate) async fn answering(&self, workload: &WorkloadPlan) -> Option<Address> {
        reach::answering(&self.place, workload, &self.passwords).await
    }

    /// Looks for the database of which a case reads the audit events: the first one.
    pub(crate) fn database(&self) -> Option<&PgConnectOptions> {
        self.databases.values().next()
    }
}

/// Workloads with the images that were really delivered.
fn pin(
    suite: &SuitePlan,
    workloads: &[WorkloadPlan],
    delivered: &BTreeMap<Reference, Delivered>,
) -> Vec<WorkloadPlan> {
    let mut pinned = workloads.to_vec();
    let objects = pinned.iter_mut().flat_map(|workload| &mut workload.objects);
    for container in objects.filter_map(pod_spec_mut).flat_map(containers_mut) {
        let name = image_of(container["image"].as_str().unwrap_or_default());
        let image = suite.images.get(name).and_then(|wanted| delivered.get(wanted));
        if let Some(image) = image {
            image.pin(container);
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
