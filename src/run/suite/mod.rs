//! A suite as one task, which owns its state as a value: planned, admitted, up, judging, released.
//!
//! Cases ask it for a turn and tell it how they ended; nothing of it is shared. Whatever happens,
//! it answers every case, and gives back what it holds, once, at its end.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;

mod task;

pub(super) use task::SuiteTask;

use super::{
    body::panic_words,
    desk::{Ask, Turn, answer},
    ground::Admitted,
    interrupt::Level,
    setup::SetupError,
    turns::Turns,
    world::World,
};
use crate::{
    cli::Keep,
    events::{Outcome, SuiteState},
    text::chain,
};

/// A suite that waits for its cluster and its images.
struct Planned<'a, W: World>(SuiteTask<'a, W>);

/// A suite that has its part of a cluster, and brings up its stack.
struct Admission<'a, W: World> {
    task: SuiteTask<'a, W>,
    part: Admitted<'a, W::Ground>,
}

/// A suite whose stack is up.
struct Up<'a, W: World> {
    task: SuiteTask<'a, W>,
    part: Admitted<'a, W::Ground>,
    stack: Arc<W::Stack>,
}

/// A suite that will have no stack.
struct Stranded<'a, W: World> {
    task: SuiteTask<'a, W>,
    part: Option<Admitted<'a, W::Ground>>,
    interrupted: bool,
}

/// A suite whose cases are over.
struct Judged<'a, W: World> {
    task: SuiteTask<'a, W>,
    part: Option<Admitted<'a, W::Ground>>,
    failed: bool,
    /// Whether what explains its failures is still to be collected.
    unexplained: bool,
}

/// Carries a suite from its plan to its release.
pub(super) async fn run<W: World>(task: SuiteTask<'_, W>) {
    task.moved(SuiteState::Planned);
    let judged = match Planned(task).admitted().await {
        Ok(admission) => match admission.up().await {
            Ok(up) => up.judged().await,
            Err(stranded) => stranded.judged().await,
        },
        Err(stranded) => stranded.judged().await,
    };
    judged.released().await;
}

impl<'a, W: World> Planned<'a, W> {
    /// Waits for the cluster and a part of it, or for the image that will never come.
    async fn admitted(self) -> Result<Admission<'a, W>, Stranded<'a, W>> {
        let Self(task) = self;
        let admitted = {
            let wanted = task.wanted();
            let admitting = async {
                tokio::select! {
                    admitted = task.door.admit(task.plan) => admitted,
                    why = task.shelf.failed(&wanted) => Err(SetupError::Image(why)),
                }
            };
            task.unless_stopped(admitting).await
        };
        match admitted {
            Ok(part) => {
                task.moved(SuiteState::Admitted);
                Ok(Admission { task, part })
            }
            Err(error) => {
                task.door.withdraw(&task.plan.name);
                Err(Stranded::of(task, None, error).await)
            }
        }
    }
}

impl<'a, W: World> Admission<'a, W> {
    /// Brings up the stack, unless an image of it will never come.
    async fn up(self) -> Result<Up<'a, W>, Stranded<'a, W>> {
        let Self { task, part } = self;
        let stack = {
            let wanted = task.wanted();
            let bringing = async {
                let stack = async {
                    let stack = task.world.bring_up(&part.ground, task.plan, &task.shelf).await?;
                    // What only cases name is there before they begin.
                    task.shelf.take(&wanted).await?;
                    Ok(stack)
                };
                tokio::select! {
                    stack = stack => stack,
                    why = task.shelf.failed(&wanted) => Err(SetupError::Image(why)),
                }
            };
            let bringing = AssertUnwindSafe(task.unless_stopped(bringing)).catch_unwind();
            bringing
                .await
                .unwrap_or_else(|panic| Err(SetupError::Panicked(panic_words(&*panic).to_owned())))
        };
        match stack {
            Ok(stack) => {
                task.moved(SuiteState::Up);
                task.settled.send_replace(true);
                Ok(Up { task, part, stack: Arc::new(stack) })
            }
            Err(error) => Err(Stranded::of(task, Some(part), error).await),
        }
    }
}

impl<'a, W: World> Up<'a, W> {
    /// Gives turns until the last case is over.
    async fn judged(self) -> Judged<'a, W> {
        let Self { mut task, part, stack } = self;
        task.moved(SuiteState::Judging);
        let mut turns = Turns::new();
        let (mut left, mut failed, mut skipped) = (task.cases, false, 0);
        let mut spoiled = false;
        while left > 0 {
            let Some(ask) = task.next_ask().await else {
                turns.drain().for_each(|(_, reply)| answer(reply, Turn::Interrupted));
                if task.desk.is_closed() {
                    break;
                }
                continue;
            };
            match ask {
                Ask::Turn { reply, .. } if spoiled => {
                    answer(reply, Turn::NoStack("did not come back"));
                }
                Ask::Turn { sharing, reply } => turns.ask((sharing, reply), sharing),
                Ask::Ended { turn, outcome, spoiled: why } => {
                    left -= 1;
                    failed |= matches!(outcome, Outcome::Failed | Outcome::Unjudged);
                    skipped += usize::from(outcome == Outcome::Skipped);
                    if let Some(sharing) = turn {
                        turns.over(sharing);
                    }
                    if let Some(why) = why {
                        let cause = format!("its stack did not come back: {why}");
                        task.failed(&cause);
                        spoiled = true;
                        let no_stack = |reply| answer(reply, Turn::NoStack("did not come back"));
                        turns.drain().for_each(|(_, reply)| no_stack(reply));
                    }
                }
            }
            while let Some((sharing, reply)) = turns.next() {
                // A case that is gone takes no turn.
                if reply.send(Turn::Run(Arc::clone(&stack))).is_err() {
                    turns.over(sharing);
                }
            }
        }
        // Cases that nobody ran are no success, whyever that is.
        failed |= left > 0 && !task.interrupt.is(Level::Stop);
        if skipped == task.cases {
            let words = "no case of it was judged: all that ran skipped themselves";
            task.events.notice(&task.plan.name, words);
        }
        if let Err(cause) = task.world.after_cases(&stack, task.plan).await {
            task.failed(&cause);
            failed = true;
        }
        if !failed {
            let looking_back = task.world.look_back(&stack, task.plan);
            task.interrupt.until(Level::Stop, looking_back).await;
        }
        Judged { task, part: Some(part), failed, unexplained: failed }
    }
}

impl<'a, W: World> Stranded<'a, W> {
    /// Tells why there is no stack, and collects what explains it.
    async fn of(
        task: SuiteTask<'a, W>,
        part: Option<Admitted<'a, W::Ground>>,
        error: SetupError,
    ) -> Self {
        let interrupted = matches!(error, SetupError::Interrupted);
        if !interrupted {
            task.failed(&chain(&error));
        }
        if let Some(part) = &part {
            let collecting = task.world.collect(&part.ground, task.plan);
            task.interrupt.until(Level::Hurry, collecting).await;
        }
        task.settled.send_replace(true);
        Self { task, part, interrupted }
    }

    /// Answers every case that there is no stack.
    async fn judged(mut self) -> Judged<'a, W> {
        let mut left = self.task.cases;
        while left > 0 {
            match self.task.desk.recv().await {
                Some(Ask::Turn { reply, .. }) if self.interrupted => {
                    answer(reply, Turn::Interrupted);
                }
                Some(Ask::Turn { reply, .. }) => answer(reply, Turn::NoStack("did not come up")),
                Some(Ask::Ended { .. }) => left -= 1,
                None => break,
            }
        }
        Judged { task: self.task, part: self.part, failed: true, unexplained: false }
    }
}

impl<W: World> Judged<'_, W> {
    /// Collects evidence, undoes what nobody needs, and gives the room back, in this order.
    async fn released(self) {
        let Self { task, part, failed, unexplained } = self;
        let heard = task.door.judged();
        if let Some(part) = part {
            heard.await;
            if unexplained {
                let collecting = task.world.collect(&part.ground, task.plan);
                task.interrupt.until(Level::Hurry, collecting).await;
            }
            if task.stays(failed) {
                part.stay();
            } else {
                let needless = async {
                    task.door.all_judged().await;
                    // What nobody waits for goes with the cluster, unless that may be kept.
                    if task.keep != Keep::Never {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    biased;
                    () = needless => {}
                    () = task.interrupt.reached(Level::Stop) => {}
                    () = task.world.release(&part.ground, task.plan) => {}
                }
                part.give_back();
            }
        }
        task.moved(SuiteState::Released);
    }
}
