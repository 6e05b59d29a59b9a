//! Brings the stacks of all suites up side by side.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures_util::{FutureExt as _, future::LocalBoxFuture};
use once_cell::sync::OnceCell;
use tokio::sync::{Notify, RwLock};
use tokio_util::sync::CancellationToken;

use super::{
    clusters::{Admitted, Coming, Ground},
    images::Shelf,
    judge::panic_words,
    setup::SetupError,
    site::Site,
};
use crate::{
    evidence::Evidence,
    ledger::KeptEndpoint,
    plan::{ClusterName, SuitePlan, requests},
    seed::Password,
    stack::{Place, Stack},
    suite::{Probe, Suite, World, chain},
};

/// A suite of a live run.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) plan: SuitePlan,
    /// What its cases wait for. It is always set in the end.
    pub(super) outcome: OnceCell<Result<Arc<World>, Arc<SetupError>>>,
    /// Held for reading by each case, and for writing by one that runs alone.
    pub(super) alone: Arc<RwLock<()>>,
    /// Why its stack did not come back after a case had disturbed it.
    pub(super) spoiled: OnceCell<String>,
    /// Whether a case failed.
    pub(super) failed: AtomicBool,
    /// Whether any of its cases will be run; others wait for nothing.
    pub(super) wanted: bool,
    pub(super) remaining: AtomicUsize,
    flush: std::time::Duration,
    pub(super) held: Mutex<Option<(Arc<Ground>, Admitted)>>,
}

/// All suites of a live run.
#[derive(Debug)]
pub(super) struct Suites {
    pub(super) running: Vec<Arc<Running>>,
    /// Told whenever an outcome is set.
    settled: Notify,
}

impl Suites {
    /// The suites of the plan; `counted` says how many of a suite's cases will be run.
    pub(super) fn new(site: &Site, declared: &[Suite], counted: impl Fn(&Suite) -> usize) -> Self {
        let plans = site.plan.suites.iter().zip(declared);
        let running = plans.map(|(plan, suite)| {
            let counted = counted(suite);
            Arc::new(Running {
                plan: plan.clone(),
                outcome: OnceCell::new(),
                alone: Arc::default(),
                spoiled: OnceCell::new(),
                failed: AtomicBool::new(false),
                wanted: counted > 0,
                remaining: AtomicUsize::new(counted),
                flush: suite.flush,
                held: Mutex::new(None),
            })
        });
        Self { running: running.collect(), settled: Notify::new() }
    }

    /// The bringing up of all of them, each as soon as its own needs are met.
    pub(super) fn begin<'a>(
        &'a self,
        site: &'a Site,
        clusters: &BTreeMap<ClusterName, Coming>,
        shelves: &BTreeMap<ClusterName, Shelf>,
    ) -> Vec<LocalBoxFuture<'a, ()>> {
        let mut tasks = Vec::new();
        for suite in &self.running {
            if !suite.wanted {
                let _ = suite.outcome.set(Err(Arc::new(SetupError::Interrupted)));
                continue;
            }
            let coming = clusters.get(&suite.plan.cluster).cloned();
            let shelf = shelves.get(&suite.plan.cluster).cloned();
            let Some((coming, shelf)) = coming.zip(shelf) else {
                continue;
            };
            tasks.push(
                async move {
                    let bringing = Box::pin(bring_up(site, suite, coming.clone(), shelf));
                    let bringing = AssertUnwindSafe(bringing).catch_unwind();
                    let outcome = bringing.await.unwrap_or_else(|panic| {
                        Err(SetupError::Panicked(panic_words(&*panic).to_owned()))
                    });
                    let _ = suite.outcome.set(outcome.map(Arc::new).map_err(Arc::new));
                    if let Some(cause) = suite.cause(site) {
                        let line = cause.lines().next().unwrap_or_default();
                        site.progress.line(&format!("failed   {}: {line}", suite.plan.name));
                    }
                    self.settled.notify_waiters();
                    if let Some(Err(_)) = suite.outcome.get() {
                        tokio::select! {
                            () = suite.give_back(site, &coming) => {}
                            // Then the run ends, and with it all clusters.
                            () = self.all(&site.interrupt.stop) => {}
                        }
                    }
                }
                .boxed_local(),
            );
        }
        tasks
    }

    /// Why stacks did not come up or come back, and of which suites.
    pub(super) fn causes(&self, site: &Site) -> BTreeMap<String, Vec<String>> {
        let mut causes = BTreeMap::<_, Vec<_>>::new();
        for suite in &self.running {
            if let Some(cause) = suite.cause(site) {
                causes.entry(cause).or_default().push(suite.plan.name.clone());
            }
        }
        causes
    }

    /// Waits until one of them is settled.
    pub(super) async fn first(&self, stop: &CancellationToken) {
        self.until(stop, |settled| settled.contains(&true)).await;
    }

    /// Waits until all of them are settled.
    async fn all(&self, stop: &CancellationToken) {
        self.until(stop, |settled| !settled.contains(&false)).await;
    }

    async fn until(&self, stop: &CancellationToken, enough: fn(&[bool]) -> bool) {
        loop {
            let told = self.settled.notified();
            let settled = self.running.iter().map(|suite| suite.outcome.get().is_some());
            if stop.is_cancelled() || enough(&settled.collect::<Vec<_>>()) {
                return;
            }
            tokio::select! {
                () = told => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn bring_up(
    site: &Site,
    suite: &Running,
    coming: Coming,
    shelf: Shelf,
) -> Result<World, SetupError> {
    let stop = &site.interrupt.stop;
    let bringing = async {
        // Whichever fails first ends both.
        let images = shelf.take(suite.plan.images.values());
        let (ground, images) = tokio::try_join!(coming.ground(), images)?;
        let wanted = suite.plan.workloads().map(|workload| requests(&workload.objects));
        let wanted = wanted.fold(crate::plan::Requests::default(), crate::plan::Requests::plus);
        let admitted = ground.admit(wanted).await?;
        *suite.held.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Arc::clone(&ground), admitted));
        let place = Place {
            cluster: ground.cluster.clone(),
            applier: ground.applier.clone(),
            progress: site.progress.clone(),
        };
        let stack = Box::pin(Stack::bring_up(place, &suite.plan, &images)).await;
        stack.map_err(|error| SetupError::Stack(Arc::new(error)))
    };
    let outcome = stop.run_until_cancelled(bringing).await.unwrap_or(Err(SetupError::Interrupted));
    match outcome {
        Ok(stack) => {
            let noted = site.note(|notes| notes.endpoints.extend(endpoints(&suite.plan, &stack)));
            noted.map_err(|error| SetupError::Ledger(Arc::new(error)))?;
            Ok(World { stack: Arc::new(stack), flush: suite.flush })
        }
        Err(error) => {
            suite.failed.store(true, Ordering::SeqCst);
            if !matches!(error, SetupError::Interrupted) {
                suite.evidence(site).of_setup(&suite.plan.name, &chain(&error));
            }
            suite.collect(site).await;
            suite.let_go(site).await;
            Err(error)
        }
    }
}

/// How the services of a stack are reached, without passwords.
fn endpoints(plan: &SuitePlan, stack: &Stack) -> Vec<KeptEndpoint> {
    let endpoint = |endpoint: &crate::suite::Endpoint| {
        let url = match &endpoint.probe {
            Probe::Http(_) => stack.urls.get(&endpoint.service)?.to_string(),
            Probe::Postgres(database) => {
                let port = stack.databases.get(&endpoint.service)?.get_port();
                format!("postgres://{}@127.0.0.1:{port}/{}", database.user, database.name)
            }
        };
        Some(KeptEndpoint {
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

impl Running {
    /// Why its stack did not come up or come back, unless nobody wanted it any more.
    fn cause(&self, site: &Site) -> Option<String> {
        let words = match (self.spoiled.get(), self.outcome.get()?) {
            (Some(words), _) => format!("its stack did not come back: {words}"),
            (None, Err(error)) if !matches!(**error, SetupError::Interrupted) => chain(&**error),
            _ => return None,
        };
        Some(self.evidence(site).for_people(&words))
    }

    /// Evidence without the passwords of its stack.
    pub(super) fn evidence(&self, site: &Site) -> Evidence {
        let mut secrets: Vec<_> = self.plan.passwords.values().collect();
        if let Some(Ok(world)) = self.outcome.get() {
            secrets.extend(world.stack.passwords.values());
        }
        site.evidence.without(secrets.into_iter().map(Password::reveal))
    }
}
