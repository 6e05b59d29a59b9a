//! A case on a real stack: what it is given, and what is done after it.

use std::{
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    interrupt::{Interrupt, Level},
    world::{Attempt, Body, Finished},
};
use crate::{
    case::{CaseResult, Ctx, Exchange, Exchanges, Failure, Shared},
    evidence::Evidence,
    plan::{CasePlan, SuitePlan},
    rows,
    stack::Stack,
    suite::Case,
    text::chain,
    wait::{self, Limit, Poll},
};

/// How long the node may take to notice that a container has ended.
const NOTICED: Limit = Limit { total: Duration::from_secs(4), every: Duration::from_millis(250) };

/// A case on a real stack.
#[derive(Clone)]
pub(super) struct StackAttempt {
    case: Option<Case>,
    name: String,
    suite: String,
    ctx: Ctx,
    exchanges: Exchanges,
    began: Instant,
    evidence: Evidence,
    interrupt: Interrupt,
}

impl StackAttempt {
    pub(super) fn new(
        stack: &Arc<Stack>,
        suite: &SuitePlan,
        plan: &CasePlan,
        case: Option<Case>,
        evidence: Evidence,
        interrupt: Interrupt,
    ) -> Self {
        let exchanges = Exchanges::default();
        let shared = Arc::new(Shared { stack: Arc::clone(stack), settle: suite.settle });
        let ctx = Ctx::new(shared, &suite.name, plan, Arc::clone(&exchanges));
        Self {
            case,
            name: plan.name.clone(),
            suite: suite.name.clone(),
            ctx,
            exchanges,
            began: Instant::now(),
            evidence,
            interrupt,
        }
    }

    /// Puts the stack back to what it was; why it did not come back, if it did not.
    async fn restore(&self) -> Option<String> {
        let disturb = self.ctx.disturb().ok()?;
        let Some(restored) = self.interrupt.until(Level::Stop, disturb.restore()).await else {
            disturb.abandon().await;
            return None;
        };
        restored.err().map(|error| chain(&error))
    }

    /// The words of a failure for people, and the folder of what explains it.
    async fn explain(&self, mut failure: String) -> (String, Option<PathBuf>) {
        let mut ends = self.ends().await;
        ends.extend(self.ctx.objects().waits());
        if !ends.is_empty() {
            failure = format!("{failure}\nin the meantime:\n    {}", ends.join("\n    "));
        }
        let failure = self.evidence.for_people(&failure);
        let folder = self.collect(&failure).await;
        (failure, folder)
    }

    /// How services of the stack have ended in the meantime, for the words of a failure.
    async fn ends(&self) -> Vec<String> {
        let silent = self.exchanges().iter().any(Exchange::is_silent);
        let looking = wait::until("the end of a container", NOTICED, async || {
            let ends = self.ctx.stack().ends().await;
            // Where everything was answered nothing is expected, and one look is enough.
            Ok::<_, Infallible>(if silent && ends.is_empty() {
                Poll::NotYet("none".to_owned())
            } else {
                Poll::Ready(ends)
            })
        });
        let looked = self.interrupt.until(Level::Stop, looking).await;
        looked.and_then(Result::ok).unwrap_or_default()
    }

    /// Writes what explains a failure: exchanges, rows, and how the stack stands right now.
    async fn collect(&self, failure: &str) -> Option<PathBuf> {
        let case = self.evidence.of_case(&self.suite, &self.name);
        let exchanges: String = self.exchanges().iter().map(Exchange::whole).collect();
        case.failure(failure);
        let collecting = async {
            case.exchanges(exchanges).await;
            case.attachments(self.ctx.attachments().take()).await;
            let stack = self.ctx.stack();
            for table in stack.plan().tables.iter().filter(|table| table.id.is_some()) {
                if let Some(database) = stack.login_of(table) {
                    let rows = rows::rows(database, table, self.ctx.correlation_id());
                    Box::pin(case.rows(table, rows)).await;
                }
            }
            let (client, own) = (stack.client(), stack.plan().namespaces.clone());
            for namespace in own.into_iter().chain(self.ctx.objects().namespaces()) {
                case.namespace(&client, &namespace, self.began.elapsed()).await;
            }
        };
        self.interrupt.until(Level::Hurry, collecting).await;
        case.found().map(ToOwned::to_owned)
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt for StackAttempt {
    fn begin(&self) -> Option<Body> {
        self.case.as_ref()?.begin(self.ctx.clone())
    }

    fn close(&self) {
        self.ctx.close();
    }

    async fn abandon(&self) {
        if let Ok(disturb) = self.ctx.disturb() {
            disturb.abandon().await;
        }
        self.ctx.objects().release().await;
    }

    async fn finish(&self, result: CaseResult) -> Finished {
        // What explains a failure goes when the stack is put back.
        let (result, evidence) = match result {
            Err(failure) if failure.skips() => {
                (Err(Failure::skip(self.evidence.for_people(&failure.into_text()))), None)
            }
            Err(failure) => {
                let (failure, folder) = self.explain(failure.into_text()).await;
                (Err(Failure::new(failure)), folder)
            }
            Ok(()) => (Ok(()), None),
        };
        let spoiled = self.restore().await;
        let result = match &spoiled {
            None => result,
            Some(words) => {
                let before =
                    result.err().map_or_else(String::new, |words| words.into_text() + "\n");
                let words = self.evidence.for_people(words);
                let words = format!("{before}after the case its stack did not come back: {words}");
                Err(Failure::new(words))
            }
        };
        self.ctx.objects().release().await;
        Finished { result, spoiled, evidence }
    }
}
