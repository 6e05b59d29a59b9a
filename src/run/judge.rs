//! Runs the cases through libtest-mimic: each waits for its turn, runs, and tells how it ended.

use std::{
    collections::BTreeMap, panic::AssertUnwindSafe, path::PathBuf, sync::Arc, thread, time::Instant,
};

use libtest_mimic::{Arguments, Completion, Conclusion, Failed, Trial};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
};

use super::{
    body::{self, Ended, Patience, panic_words},
    desk::{Desk, Turn, desk},
    interrupt::{Interrupt, Level},
    output::Output,
    turns::Sharing,
    world::{Attempt as _, Finished, World},
};
use crate::{
    case::Failure,
    events::{CaseEnded, Events, Outcome, What},
    plan::{CasePlan, Plan, SuitePlan},
};

/// What each case needs to run.
pub(super) struct Bench<W: World> {
    pub(super) world: Arc<W>,
    pub(super) events: Events,
    pub(super) interrupt: Interrupt,
    pub(super) patience: Patience,
    /// How many bodies of cases run at once: each has a thread of its own.
    pub(super) bodies: Arc<Semaphore>,
    pub(super) runtime: Handle,
}

/// A case, and where it asks for its turn.
struct Seat<W: World> {
    bench: Arc<Bench<W>>,
    suite: Arc<SuitePlan>,
    case: CasePlan,
    desk: Desk<W::Stack>,
}

/// How a case ended, and what its suite and the reports must know of that.
struct Judgement {
    outcome: Outcome,
    cause: Option<String>,
    evidence: Option<PathBuf>,
    /// The turn that it had.
    turn: Option<Sharing>,
    spoiled: Option<String>,
}

/// Runs all cases of a plan on a thread of their own; the receiver gets nothing if it panics.
pub(super) fn begin<W: World>(
    bench: Bench<W>,
    plan: &Plan,
    mut desks: BTreeMap<String, Desk<W::Stack>>,
    arguments: Arguments,
) -> oneshot::Receiver<Conclusion> {
    let bench = Arc::new(bench);
    let mut trials = Vec::new();
    for suite in &plan.suites {
        // One without a desk is told to have been interrupted, and so is none that passed.
        let desk = desks.remove(&suite.name).unwrap_or_else(|| desk().0);
        let suite = Arc::new(suite.clone());
        for case in &suite.cases {
            let (bench, suite) = (Arc::clone(&bench), Arc::clone(&suite));
            trials.push(Seat { bench, suite, case: case.clone(), desk: desk.clone() }.trial());
        }
    }
    let (sender, receiver) = oneshot::channel();
    let judge = move || {
        let conclusion =
            Output::carry(arguments, |arguments| libtest_mimic::run(arguments, trials));
        // The run may have left in the meantime.
        let _ = sender.send(conclusion);
    };
    if thread::Builder::new().name("judge".to_owned()).spawn(judge).is_err() {
        // The receiver sees that nobody will send.
    }
    receiver
}

impl<W: World> Seat<W> {
    fn trial(self) -> Trial {
        let ignored = self.case.ignored;
        Trial::ignorable_test(self.case.full_name.clone(), move || self.judge())
            .with_ignored_flag(ignored)
    }

    fn judge(self) -> Result<Completion, Failed> {
        if let Some(reason) = self.case.set_aside.clone() {
            self.tell(Outcome::Ignored, 0.0, Some(reason.clone()), None);
            return Ok(Completion::ignored_with(reason));
        }
        let began = Instant::now();
        let judging = AssertUnwindSafe(|| self.bench.runtime.block_on(self.attempt()));
        // Whatever happens in there, others may wait for the turn, and the room, of the suite.
        let judged = std::panic::catch_unwind(judging).unwrap_or_else(|panic| {
            let words =
                format!("the runner panicked: {}; please report this", panic_words(&*panic));
            Judgement { spoiled: Some(words.clone()), ..Judgement::unjudged(words) }
        });
        let Judgement { outcome, cause, evidence, turn, spoiled } = judged;
        self.tell(outcome, began.elapsed().as_secs_f64(), cause.clone(), evidence);
        self.desk.ended(turn, outcome, spoiled);
        match outcome {
            Outcome::Passed => Ok(Completion::Completed),
            Outcome::Skipped => Ok(Completion::ignored_with(cause.unwrap_or_default())),
            Outcome::Failed | Outcome::Unjudged | Outcome::Ignored => {
                Err(Failed::from(cause.unwrap_or_default()))
            }
        }
    }

    async fn attempt(&self) -> Judgement {
        let Self { bench, suite, case, desk } = self;
        let sharing = if case.alone { Sharing::Alone } else { Sharing::Shared };
        let stack = match desk.turn(sharing).await {
            Turn::Run(stack) => stack,
            Turn::NoStack(what) => {
                // The cause is told once for all cases: when it is known, and on the last screen.
                let words = format!("not judged: the stack of `{}` {what}", suite.name);
                return Judgement::unjudged(words);
            }
            Turn::Interrupted => return Judgement::interrupted(None),
        };
        let permit = bench.interrupt.until(Level::Stop, bench.bodies.acquire()).await;
        let Some(_permit) = permit else {
            return Judgement::interrupted(Some(sharing));
        };
        bench.events.tell(What::CaseBegan {
            suite: suite.name.clone(),
            case: case.name.clone(),
            place: case.place.clone(),
        });
        let attempt = bench.world.attempt(&stack, suite, case);
        let own = attempt.clone();
        let begin = move || own.begin();
        let Bench { interrupt, patience, .. } = &**bench;
        let ended = body::run(&case.name, case.limit, begin, interrupt, *patience).await;
        // Whatever of it still runs may touch nothing from now on.
        attempt.close();
        let Ended::With(result) = ended else {
            attempt.abandon().await;
            return Judgement::interrupted(Some(sharing));
        };
        let Finished { result, spoiled, evidence } = attempt.finish(result).await;
        let outcome = match &result {
            Ok(()) => Outcome::Passed,
            Err(failure) if failure.skips() => Outcome::Skipped,
            Err(_) => Outcome::Failed,
        };
        let cause = result.err().map(Failure::into_text);
        Judgement { outcome, cause, evidence, turn: Some(sharing), spoiled }
    }

    fn tell(
        &self,
        outcome: Outcome,
        seconds: f64,
        cause: Option<String>,
        evidence: Option<PathBuf>,
    ) {
        self.bench.events.tell(What::CaseEnded(CaseEnded {
            suite: self.suite.name.clone(),
            case: self.case.name.clone(),
            labels: self.case.labels.clone(),
            place: self.case.place.clone(),
            outcome,
            seconds,
            cause,
            evidence,
        }));
    }
}

impl Judgement {
    fn interrupted(turn: Option<Sharing>) -> Self {
        Self { turn, ..Self::unjudged("the run was interrupted".to_owned()) }
    }

    fn unjudged(cause: String) -> Self {
        let (outcome, cause) = (Outcome::Unjudged, Some(cause));
        Self { outcome, cause, evidence: None, turn: None, spoiled: None }
    }
}
