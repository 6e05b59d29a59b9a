//! Runs the cases through libtest-mimic, each under its own limit.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::FutureExt as _;
use libtest_mimic::{Arguments, Completion, Conclusion, Failed, Trial};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
};

use super::{
    site::Site,
    suites::{Running, Suites},
};
use crate::{
    report::Phase,
    selection::full_name,
    suite::{Case, Ctx, Exchanges, Failure, Suite},
    wait,
};

/// How long after its limit, or after a stop, a case may take to yield.
const YIELD: Duration = Duration::from_secs(5);

/// Why a case has no other result.
const INTERRUPTED: &str = "the run was interrupted";

/// How many cases ended how.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: AtomicUsize,
    pub(super) failed: AtomicUsize,
    pub(super) unjudged: AtomicUsize,
}

/// What each case needs to run.
#[derive(Clone, Debug)]
pub(super) struct Bench {
    pub(super) site: Arc<Site>,
    tally: Arc<Tally>,
    pub(super) threads: Arc<Semaphore>,
    runtime: Handle,
}

/// Runs the cases on a thread of their own; the receiver gets nothing if it panics.
pub(super) fn begin(
    site: &Arc<Site>,
    suites: &Suites,
    declared: &[Suite],
    arguments: Arguments,
    threads: usize,
    tally: &Arc<Tally>,
) -> oneshot::Receiver<Conclusion> {
    let bench = Bench {
        site: Arc::clone(site),
        tally: Arc::clone(tally),
        threads: Arc::new(Semaphore::new(threads)),
        runtime: Handle::current(),
    };
    let mut trials = Vec::new();
    for (running, suite) in suites.running.iter().zip(declared) {
        for case in &suite.cases {
            trials.push(trial(&bench, running, suite, case));
        }
    }
    let (sender, receiver) = oneshot::channel();
    let judge = move || {
        let conclusion = libtest_mimic::run(&arguments, trials);
        // The run may have left in the meantime.
        let _ = sender.send(conclusion);
    };
    if thread::Builder::new().name("judge".to_owned()).spawn(judge).is_err() {
        // The receiver sees that nobody will send.
    }
    receiver
}

/// Whether a case is reported as ignored although it was selected, and why.
pub(super) fn set_aside(case: &Case, overridden: bool) -> Option<String> {
    let section = case.beyond.filter(|_| overridden)?;
    Some(format!("beyond {section}, and an image of the suite is overridden"))
}

fn trial(bench: &Bench, suite: &Arc<Running>, declared: &Suite, case: &Case) -> Trial {
    let name = full_name(declared, case);
    let ignored = case.ignored;
    let (bench, suite, case) = (bench.clone(), Arc::clone(suite), case.clone());
    Trial::ignorable_test(name, move || {
        if let Some(reason) = set_aside(&case, suite.plan.overridden) {
            return Ok(Completion::ignored_with(reason));
        }
        let judging = std::panic::catch_unwind(AssertUnwindSafe(|| bench.judge(&suite, &case)));
        // Whatever happens in there, others may wait for the room of the suite.
        bench.runtime.block_on(suite.ended(&bench.site));
        match judging {
            Ok(result) => result.map(|()| Completion::Completed),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
    .with_ignored_flag(ignored)
}

impl Bench {
    fn judge(&self, suite: &Arc<Running>, case: &Case) -> Result<(), Failed> {
        let Ok(world) = suite.outcome.wait() else {
            return Err(self.unjudged(suite, "did not come up"));
        };
        let exchanges = Exchanges::default();
        let ctx = Ctx::new(Arc::clone(world), &suite.plan.name, case.alone, Arc::clone(&exchanges));
        let Some(turn) = self.runtime.block_on(self.turn(suite, case)) else {
            self.tally.unjudged.fetch_add(1, Ordering::SeqCst);
            return Err(INTERRUPTED.into());
        };
        if suite.spoiled.get().is_some() {
            return Err(self.unjudged(suite, "did not come back"));
        }
        let result = self.runtime.block_on(self.run(case, ctx.clone()));
        let result = self.runtime.block_on(self.restored(suite, &ctx, result));
        let result = self.runtime.block_on(self.explained(&ctx, &exchanges, result));
        let result = result.map_err(|words| suite.evidence(&self.site).for_people(&words));
        if let Err(failure) = &result {
            self.tally.failed.fetch_add(1, Ordering::SeqCst);
            suite.failed.store(true, Ordering::SeqCst);
            self.runtime.block_on(self.collect(suite, case, &ctx, failure, &exchanges));
        } else {
            self.tally.passed.fetch_add(1, Ordering::SeqCst);
        }
        self.runtime.block_on(ctx.objects().release());
        drop(turn);
        result.map_err(Failed::from)
    }

    /// The cause is told once for all cases: when it is known, and on the last screen.
    fn unjudged(&self, suite: &Running, what: &str) -> Failed {
        self.tally.unjudged.fetch_add(1, Ordering::SeqCst);
        format!("not judged: the stack of `{}` {what}", suite.plan.name).into()
    }

    async fn run(&self, case: &Case, ctx: Ctx) -> Result<(), String> {
        let stop = &self.site.interrupt.stop;
        let _phase = self.site.progress.quiet_phase(Phase::Cases);
        let (sender, ended) = oneshot::channel();
        let (body, limit, runtime) = (Arc::clone(&case.body), case.limit, self.runtime.clone());
        let cancelled = stop.clone();
        // A thread of its own: a case need not be `Send`, and one that blocks can be left behind.
        let spawned = thread::Builder::new().name(case.name.to_owned()).spawn(move || {
            let result = runtime.block_on(async {
                let running = async { AssertUnwindSafe(async { body(ctx).await }).catch_unwind().await };
                tokio::select! {
                    () = cancelled.cancelled() => Err(INTERRUPTED.to_owned()),
                    result = tokio::time::timeout(limit, running) => match result {
                        Ok(Ok(result)) => result.map_err(Failure::into_text),
                        Ok(Err(panic)) => Err(format!("the case panicked: {}", panic_words(&*panic))),
                        Err(_) => Err(format!("the case was not done within its limit of {} s", limit.as_secs())),
                    },
                }
            });
            // Nobody may wait for it any more.
            let _ = sender.send(result);
        });
        if let Err(error) = spawned {
            return Err(format!("start a thread for the case: {error}"));
        }
        let abandoned = async {
            tokio::select! {
                () = wait::pause(limit) => {}
                () = stop.cancelled() => {}
            }
            wait::pause(YIELD).await;
        };
        tokio::select! {
            result = ended => result.unwrap_or_else(|_| Err("the case ended without a result".to_owned())),
            () = abandoned => Err(format!(
                "`{}` was told to end and did not yield within {} s; it is abandoned (does it block its thread?)",
                case.name,
                YIELD.as_secs()
            )),
        }
    }
}

pub(super) fn panic_words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it did not say why")
}
