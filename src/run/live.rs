//! A run from its first effect to its verdict.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt as _, future};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Refusal, clusters, finish, images,
    interrupt::Interrupt,
    judge::{self, Tally},
    release,
    site::Site,
    suites::Suites,
};
use crate::{
    cli::{Cli, Strategy},
    cluster, docker,
    evidence::Evidence,
    inventory::Project,
    janitor::Janitor,
    ledger::{self, Ledger, LedgerError, Notes},
    plan::{ClusterName, Kept, Plan},
    report::{self, Facts, Progress, Verdict},
    selection::{self, Selection},
    settings::Settings,
    suite::chain,
    wait,
};

/// How long cases may take to end after a stop.
const GRACE: Duration = Duration::from_secs(10);

/// What a live run takes from before it began.
pub(super) struct Live<'a> {
    pub(super) cli: &'a Cli,
    pub(super) project: &'a Project,
    pub(super) selection: &'a Selection,
    pub(super) settings: &'a Settings,
    pub(super) threads: usize,
}

impl Live<'_> {
    /// Carries the plan out, and undoes what it made.
    pub(super) async fn run(&self, plan: Plan, kept: Option<&Kept>) -> Result<Verdict, Refusal> {
        let settings = self.settings;
        let (endpoint, kind) = tokio::join!(
            docker::Endpoint::resolve(settings.docker_host.as_deref()),
            cluster::check_kind()
        );
        let endpoint = endpoint?;
        let docker = endpoint.connect().await?;
        kind?;
        endpoint.has_room(&docker).await?;
        // Nobody may reap the kept run while its cluster is used.
        let _lock = kept
            .map(|kept| ledger::take(&settings.state.join(kept.run.as_str()), &kept.run))
            .transpose()?;
        let progress = Progress::new();
        tokio::spawn(progress.clone().remind());
        let interrupt = Interrupt::listen(&progress)?;
        let ledger = Ledger::begin(&settings.state, &plan.run, &endpoint)?;
        let janitor = match Janitor::start(ledger.directory(), &plan.run, settings).await {
            Ok(janitor) => janitor,
            Err(error) => {
                ledger::forget(ledger.directory())?;
                return Err(error.into());
            }
        };
        let target = settings.target.clone().unwrap_or_else(|| self.project.root().join("target"));
        let evidence = Evidence::new(target.join("kindwright").join(plan.run.as_str()));
        let (releases, released) = mpsc::unbounded_channel();
        let site = Arc::new(Site {
            notes: Mutex::new(self.notes(&plan)),
            plan,
            docker,
            endpoint,
            ledger,
            progress,
            interrupt,
            evidence,
            state: settings.state.clone(),
            releases,
        });
        let judging = async {
            tokio::select! {
                judged = self.judge(&site) => judged,
                () = release::release_all(released) => Ok(Facts::default()),
            }
        };
        // Whatever happens in there, what was made is undone.
        let facts = match AssertUnwindSafe(judging).catch_unwind().await {
            Ok(Ok(facts)) => facts,
            Ok(Err(error)) => broken(&chain(&error)),
            Err(panic) => broken(&format!("the runner panicked: {}", judge::panic_words(&*panic))),
        };
        Ok(finish::finish(site, janitor, facts).await)
    }

    async fn judge(&self, site: &Arc<Site>) -> Result<Facts, LedgerError> {
        site.note(|_| {})?;
        site.promise_images()?;
        site.progress.line(&format!("run {}: {}", site.plan.run, self.selected()));
        let suites = Suites::new(site, &self.selection.suites, |suite| {
            let overridden =
                site.plan.suites.iter().any(|plan| plan.name == suite.name && plan.overridden);
            let counted = suite.cases.iter().filter(|case| selection::runs(self.cli, case));
            counted.filter(|case| judge::set_aside(case, overridden).is_none()).count()
        });
        let gate = CancellationToken::new();
        let setup = self.set_up(site, &suites, &gate);
        let tally = Arc::new(Tally::default());
        // An interrupted run has no time for what is not done by then, and nobody needs it after a panic.
        let needless = site.interrupt.leave.child_token();
        let judging = async {
            let panicked = self.run_cases(site, &suites, &tally).await;
            if panicked {
                needless.cancel();
            }
            panicked
        };
        let (_, panicked) = tokio::join!(needless.run_until_cancelled(setup), judging);
        let mut facts = Facts { panicked, ..Facts::default() };
        facts.interrupted = site.interrupt.stop.is_cancelled();
        facts.passed = tally.passed.load(Ordering::SeqCst);
        facts.failed = tally.failed.load(Ordering::SeqCst);
        facts.unjudged = tally.unjudged.load(Ordering::SeqCst);
        facts.causes = suites.causes(site);
        Ok(facts)
    }

    /// Makes images, clusters and stacks; the strategy says which of the first two waits for the other.
    async fn set_up(&self, site: &Site, suites: &Suites, gate: &CancellationToken) {
        let wanted = |name: &ClusterName| {
            suites.running.iter().any(|suite| suite.wanted && suite.plan.cluster == *name)
        };
        let (clusters, creating) = clusters::begin(site, self.settings.host_ports, wanted, gate);
        let (deliveries, shelves, delivering) = images::Deliveries::begin(site, &clusters);
        let bringing = suites.begin(site, &clusters, &shelves);
        let strategy = site.plan.strategy;
        if strategy != Strategy::ImagesFirst {
            gate.cancel();
        }
        let building = site.until_stopped(async move {
            if strategy == Strategy::ClusterFirst {
                let mut there = false;
                for cluster in clusters.values() {
                    there = there || cluster.ground().await.is_ok();
                }
                // Suites report why none is; then nothing needs to be built.
                if !there {
                    return;
                }
            }
            deliveries.build_all(site).await;
            gate.cancel();
        });
        let making = [building].into_iter().chain(delivering).chain(creating);
        // Once every suite has what it needs, or never will, nothing more is made.
        let settled = CancellationToken::new();
        let bringing = async {
            future::join_all(bringing).await;
            settled.cancel();
        };
        tokio::join!(bringing, settled.run_until_cancelled(future::join_all(making)));
    }

    /// Runs the cases from the moment at which the first suite is settled; whether the runner panicked.
    async fn run_cases(&self, site: &Arc<Site>, suites: &Suites, tally: &Arc<Tally>) -> bool {
        suites.first(&site.interrupt.stop).await;
        if site.interrupt.stop.is_cancelled() {
            return false;
        }
        site.progress.settle();
        let arguments = self.selection.arguments(self.cli);
        let ended =
            judge::begin(site, suites, &self.selection.suites, arguments, self.threads, tally);
        let out_of_patience = async {
            site.interrupt.stop.cancelled().await;
            wait::pause(GRACE).await;
        };
        tokio::select! {
            conclusion = ended => conclusion.is_err(),
            () = out_of_patience => false,
            () = site.interrupt.leave.cancelled() => false,
        }
    }

    fn selected(&self) -> String {
        let suites = self.selection.suites.iter();
        let words: Vec<_> =
            suites.map(|suite| format!("{} ({} cases)", suite.name, suite.cases.len())).collect();
        words.join(", ")
    }

    fn notes(&self, plan: &Plan) -> Notes {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Notes {
            project: self.project.root().to_owned(),
            process: std::process::id(),
            began: since.unwrap_or_default().as_secs(),
            suites: plan.suites.iter().map(|suite| suite.name.clone()).collect(),
            ..Notes::default()
        }
    }
}

/// What is known when the runner itself could not go on.
fn broken(words: &str) -> Facts {
    report::error(words);
    Facts { panicked: true, ..Facts::default() }
}
