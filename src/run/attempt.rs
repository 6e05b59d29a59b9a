//! A case on a real stack: what it is given, and what is done around it.

use std::sync::Arc;

use super::{
    body::{self, Ended, Patience},
    interrupt::{Interrupt, Level},
    performance::Performance,
    world::{Attempt, Body, Finished},
};
use crate::{
    case::{self, CaseResult, Ctx, Failure, Shared},
    evidence::Evidence,
    plan::CasePlan,
    suite::{Case, Suite},
    text::chain,
};

/// A case on a real stack.
#[derive(Clone)]
pub(super) struct StackAttempt {
    plan: CasePlan,
    /// The case, and the suite that says what is done around it.
    declared: Option<(Case, Suite)>,
    performance: Performance,
    interrupt: Interrupt,
}

impl StackAttempt {
    pub(super) fn new(
        shared: &Arc<Shared>,
        plan: &CasePlan,
        declared: Option<(Case, Suite)>,
        evidence: Evidence,
        interrupt: Interrupt,
    ) -> Self {
        let folder = evidence.of_case(&shared.stack.plan().name, &plan.name);
        let (shared, evidence) = (Arc::clone(shared), (evidence, folder));
        let performance =
            Performance::new(shared, &plan.full_name, plan.alone, evidence, interrupt.clone());
        Self { plan: plan.clone(), declared, performance, interrupt }
    }

    /// Puts the stack back to what it was; why it did not come back, if it did not.
    async fn restore(&self, ctx: &Ctx) -> Option<String> {
        let disturb = ctx.disturb().ok()?;
        let Some(restored) = self.interrupt.until(Level::Stop, disturb.restore()).await else {
            disturb.abandon().await;
            return None;
        };
        restored.err().map(|error| chain(&error))
    }

    /// Does what the suite does after each case; why the stack did not come back after that, if it did not.
    async fn after_each(&self) -> (CaseResult, Option<String>) {
        let bodies = self.declared.as_ref().map(|(_, suite)| suite.after_each.clone());
        let Some(bodies) = bodies.filter(|bodies| !bodies.is_empty()) else {
            return (Ok(()), None);
        };
        let ctx = self.performance.ctx.renewed(&self.plan.full_name);
        let own = ctx.clone();
        let begin = move || -> Option<Body> {
            Some(Box::pin(async move { case::all(&bodies, &own).await }))
        };
        let CasePlan { name, limit, .. } = &self.plan;
        let ended = body::run(name, *limit, begin, &self.interrupt, Patience::default()).await;
        ctx.close();
        let spoiled = self.restore(&ctx).await;
        ctx.objects().release().await;
        match ended {
            Ended::With(Err(failure)) => (Err(failure.at("after the case")), spoiled),
            Ended::With(Ok(())) | Ended::Interrupted => (Ok(()), spoiled),
        }
    }

    /// What a case comes to after which something failed too.
    async fn failed_after(&self, result: CaseResult, words: String) -> CaseResult {
        let words = match result {
            // The case itself was explained before.
            Err(failure) if !failure.skips() => {
                format!("{}\n{}", failure.into_text(), self.performance.for_people(&words))
            }
            Err(_) | Ok(()) => self.performance.explain(words).await,
        };
        Err(Failure::new(words))
    }
}

impl Attempt for StackAttempt {
    fn begin(&self) -> Option<Body> {
        let ((case, suite), ctx) = (self.declared.clone()?, self.performance.ctx.clone());
        Some(Box::pin(async move {
            let before = case::all(&suite.before_each, &ctx).await;
            before.map_err(|failure| failure.at("before the case"))?;
            let running = case.begin(ctx).ok_or_else(|| {
                Failure::new("the case was declared without a body; please report this")
            })?;
            running.await
        }))
    }

    fn close(&self) {
        self.performance.ctx.close();
    }

    async fn abandon(&self) {
        let ctx = &self.performance.ctx;
        if let Ok(disturb) = ctx.disturb() {
            disturb.abandon().await;
        }
        ctx.objects().release().await;
    }

    async fn finish(&self, result: CaseResult) -> Finished {
        let performance = &self.performance;
        // What explains a failure goes when the stack is put back.
        let mut result = match result {
            Err(failure) if failure.skips() => {
                Err(Failure::skip(performance.for_people(&failure.into_text())))
            }
            Err(failure) => Err(Failure::new(performance.explain(failure.into_text()).await)),
            Ok(()) => Ok(()),
        };
        let mut spoiled = self.restore(&performance.ctx).await;
        if spoiled.is_none() {
            let (after, spoiled_after) = self.after_each().await;
            spoiled = spoiled_after;
            if let Err(failure) = after {
                result = self.failed_after(result, failure.into_text()).await;
            }
        }
        if let Some(words) = &spoiled {
            let words = format!("after the case its stack did not come back: {words}");
            let before = result.err().map_or_else(String::new, |it| it.into_text() + "\n");
            result = Err(Failure::new(before + &performance.for_people(&words)));
        }
        performance.ctx.objects().release().await;
        Finished { result, spoiled, evidence: performance.found() }
    }
}
