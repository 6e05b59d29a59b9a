//! Does the steps of a suite on its real stack.

use std::sync::Arc;

use super::{
    body::{self, Ended, Patience},
    performance::Performance,
    real::Real,
    setup::SetupError,
};
use crate::{
    case::{Gift, Given, Shared},
    events::Phase,
    plan::{StepPlan, SuitePlan, TierPlan},
    stack::{Rising, StackError},
};

impl Real {
    /// Brings up all tiers of a stack, and does the steps between them.
    pub(super) async fn raise(
        &self,
        mut rising: Rising,
        suite: &SuitePlan,
    ) -> Result<Shared, SetupError> {
        let failed = |error: StackError| SetupError::Stack(Arc::new(error));
        let (mut given, settle) = (Given::default(), suite.settle);
        for (place, tier) in suite.tiers.iter().enumerate() {
            let TierPlan::Step(step) = tier else {
                Box::pin(rising.raise(place)).await.map_err(failed)?;
                continue;
            };
            let stack = Arc::new(rising.so_far().clone());
            let shared = Shared { stack, settle, given: given.clone() };
            if let Some(gift) = self.perform(Arc::new(shared), suite, step).await?
                && let Some(declared) = self.selection.step(&suite.name, &step.name)
            {
                given = given.with(declared, gift);
            }
        }
        Ok(Shared { stack: Arc::new(rising.up().await), settle, given })
    }

    /// Does a step; nothing where the run is interrupted.
    pub(super) async fn perform(
        &self,
        shared: Arc<Shared>,
        suite: &SuitePlan,
        step: &StepPlan,
    ) -> Result<Option<Gift>, SetupError> {
        let StepPlan { name, limit, place } = step;
        let _phase = self.events.phase(Phase::Step, &format!("{name} of {}", suite.name));
        let evidence = self.redacted();
        let folder = evidence.of_step(&suite.name, name);
        let called = format!("{}::{name}", suite.name);
        let evidence = (evidence, folder);
        let performance =
            Performance::new(shared, &called, false, evidence, self.interrupt.clone());
        let (ctx, declared) = (performance.ctx.clone(), self.selection.step(&suite.name, name));
        let declared = declared.cloned();
        let begin = move || declared?.begin(ctx);
        let ended = body::run(name, *limit, begin, &self.interrupt, Patience::default()).await;
        performance.ctx.close();
        match ended {
            Ended::With(Ok(gift)) => Ok(Some(gift)),
            Ended::Interrupted => Ok(None),
            Ended::With(Err(failure)) => {
                let words = performance.explain(failure.into_text()).await;
                Err(SetupError::Step { name: name.clone(), place: place.clone(), words })
            }
        }
    }
}
