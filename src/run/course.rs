//! The course of a run: its tasks side by side, from the first cluster to the last case.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future;
use libtest_mimic::{Arguments, Conclusion};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
};

use super::{
    body::Patience,
    desk::{Desk, desk},
    ground::{Door, Keeper},
    images,
    interrupt::{Interrupt, Level},
    judge::{self, Bench},
    suite::{self, SuiteTask},
    world::World,
};
use crate::{
    cluster::shelf,
    events::{Events, What},
    plan::{Plan, SuitePlan},
    report::{Counts, Tally},
    suite::Strategy,
    wait,
};

/// How many clusters exist at once: more of them exhaust a machine's inotify instances.
pub(super) const CLUSTERS: usize = 2;

/// What the course of a run is made of.
pub(super) struct Course<'a, W: World> {
    pub(super) world: &'a Arc<W>,
    pub(super) plan: &'a Plan,
    pub(super) events: &'a Events,
    pub(super) interrupt: &'a Interrupt,
    pub(super) tally: &'a Tally,
    pub(super) patience: Patience,
    /// How many clusters may exist at once.
    pub(super) clusters: usize,
    /// How many bodies of cases may run at once.
    pub(super) bodies: usize,
    /// What libtest-mimic is told.
    pub(super) arguments: Arguments,
}

impl<W: World> Course<'_, W> {
    /// Carries the plan out, until every case is over and nothing that a suite made is needed.
    pub(super) async fn run(self) {
        let Self { world, plan, events, interrupt, .. } = self;
        let slots = Arc::new(Semaphore::new(self.clusters));
        // Strategies differ only in who waits for whom.
        let images_built = watch::Sender::new(plan.strategy != Strategy::ImagesFirst);
        let first_clusters = plan.strategy == Strategy::ClusterFirst;
        let (mut desks, mut settled) = (BTreeMap::new(), Vec::new());
        let (mut stocks, mut grounds) = (BTreeMap::new(), Vec::new());
        let (mut keepers, mut suites) = (Vec::new(), Vec::new());
        for cluster in &plan.clusters {
            let members: Vec<_> =
                plan.suites_of(cluster.name()).filter(|suite| suite.runs() > 0).collect();
            if members.is_empty() {
                continue;
            }
            let (slots, several) = (Arc::clone(&slots), plan.clusters.len() > 1);
            let members_count = members.len();
            let (keeper, door) =
                Keeper::new(&**world, cluster, events, interrupt, slots, several, members_count);
            let (stock, shelf) = shelf();
            let built = images_built.subscribe();
            keepers.push(keeper.keep(reached(built)));
            stocks.insert(cluster.name().clone(), stock);
            for suite in members {
                let (desk, asks) = desk();
                let (sender, receiver) = watch::channel(false);
                desks.insert(suite.name.clone(), desk);
                settled.push(reached(receiver));
                suites.push(suite::run(SuiteTask {
                    world: &**world,
                    plan: suite,
                    keep: plan.keep,
                    owned: cluster.is_made(),
                    events,
                    interrupt,
                    door: door.clone(),
                    shelf: shelf.clone(),
                    cases: suite.runs(),
                    settled: sender,
                    desk: asks,
                }));
            }
            if first_clusters {
                grounds.push(door);
            }
        }
        let making = images::make_all(&**world, plan, stocks, first_ground(grounds), || {
            images_built.send_replace(true);
        });
        let making = interrupt.until(Level::Stop, making);
        let tasks = async {
            tokio::join!(making, future::join_all(keepers), future::join_all(suites));
        };
        let broken = watch::Sender::new(false);
        let judging = async {
            if !self.judge(desks, settled).await {
                broken.send_replace(true);
            }
        };
        // An interrupted run has no time for what is not done by then, and nobody needs it when
        // nobody judges any more.
        let needless = async {
            tokio::select! {
                () = reached(broken.subscribe()) => {}
                () = interrupt.reached(Level::Leave) => {}
                () = out_of_patience(interrupt, self.patience) => {}
            }
        };
        let tasks = async {
            tokio::select! {
                () = tasks => {}
                () = needless => {}
            }
        };
        tokio::join!(tasks, judging);
    }
}

impl<W: World> Course<'_, W> {
    /// Runs the cases from the moment at which the first suite is settled; false if that broke.
    async fn judge(
        &self,
        desks: BTreeMap<String, Desk<W::Stack>>,
        settled: Vec<impl Future<Output = ()>>,
    ) -> bool {
        let settled: Vec<_> = settled.into_iter().map(Box::pin).collect();
        let first = async {
            if !settled.is_empty() {
                future::select_all(settled).await;
            }
        };
        if self.interrupt.until(Level::Stop, first).await.is_none() {
            return true;
        }
        self.events.tell(What::CasesBegan);
        let bench = Bench {
            world: Arc::clone(self.world),
            events: self.events.clone(),
            interrupt: self.interrupt.clone(),
            patience: self.patience,
            bodies: Arc::new(Semaphore::new(self.bodies)),
            runtime: Handle::current(),
        };
        let ended = judge::begin(bench, self.plan, desks, self.arguments.clone());
        let ended = tokio::select! {
            conclusion = ended => conclusion,
            () = out_of_patience(self.interrupt, self.patience) => return true,
            () = self.interrupt.reached(Level::Leave) => return true,
        };
        let words = match ended {
            Ok(conclusion) => disagreement(&conclusion, self.tally.counts(), self.plan),
            Err(_) => Some("the runner panicked while it judged; please report this".to_owned()),
        };
        let Some(words) = words else { return true };
        self.events.tell(What::RunnerFailed { words });
        false
    }
}

/// What is wrong if libtest-mimic's conclusion, what was counted and what was planned differ.
fn disagreement(conclusion: &Conclusion, counts: Counts, plan: &Plan) -> Option<String> {
    let planned: usize = plan.suites.iter().map(SuitePlan::runs).sum();
    let selected: usize = plan.suites.iter().map(|suite| suite.cases.len()).sum();
    let (passed, failed) = (counts.passed, counts.failed + counts.unjudged);
    // To libtest-mimic a case that skips itself is ignored, as those are that never run.
    let (skipped, idle) = (counts.skipped, selected - planned);
    let same = |concluded: u64, counted: usize| u64::try_from(counted) == Ok(concluded);
    let agree = same(conclusion.num_passed, passed)
        && same(conclusion.num_failed, failed)
        && same(conclusion.num_ignored, skipped + idle)
        && passed + failed + skipped == planned;
    (!agree).then(|| {
        format!(
            "of {planned} cases {passed} were counted as passed, {failed} as failed and {skipped} as skipped, beside {idle} that are ignored, and libtest-mimic concluded {} passed, {} failed and {} ignored; please report this",
            conclusion.num_passed, conclusion.num_failed, conclusion.num_ignored
        )
    })
}

/// Waits until something is so, or until it never will be.
async fn reached(mut signal: watch::Receiver<bool>) {
    let _ = signal.wait_for(|reached| *reached).await;
}

/// Waits until one of the clusters is there, if there are any to wait for.
async fn first_ground<G>(doors: Vec<Door<'_, G>>) {
    let grounds: Vec<_> = doors
        .into_iter()
        .map(|door| Box::pin(async move { door.ground().await.map(drop) }))
        .collect();
    if !grounds.is_empty() && future::select_ok(grounds).await.is_err() {
        // Suites tell why none is there; nobody needs what would come next.
        future::pending::<()>().await;
    }
}

/// Waits until a stop has lasted so long that nobody waits for cases any more.
async fn out_of_patience(interrupt: &Interrupt, patience: Patience) {
    interrupt.reached(Level::Stop).await;
    wait::pause(patience.to_stop).await;
}
