//! What is done around a case: its turn before it, and after it the stack as it was and the
//! explanation of a failure.

use std::{convert::Infallible, sync::PoisonError, time::Duration};

use tokio::sync::{AcquireError, RwLockReadGuard, RwLockWriteGuard, SemaphorePermit};

use super::{judge::Bench, suites::Running};
use crate::{
    suite::{Case, Ctx, Exchange, Exchanges, chain},
    wait::{self, Limit, Poll},
};

/// How long the node may take to notice that a container has ended.
const NOTICED: Limit = Limit { total: Duration::from_secs(4), every: Duration::from_millis(250) };

/// What a case holds while it runs.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _alone: (Option<RwLockReadGuard<'a, ()>>, Option<RwLockWriteGuard<'a, ()>>),
    _permit: Result<SemaphorePermit<'a>, AcquireError>,
}

impl Bench {
    /// A thread, and the stack, alone if the case needs that; none once the run is to stop.
    pub(super) async fn turn<'a>(&'a self, suite: &'a Running, case: &Case) -> Option<Turn<'a>> {
        let turn = async {
            let alone = if case.alone {
                (None, Some(suite.alone.write().await))
            } else {
                (Some(suite.alone.read().await), None)
            };
            Turn { _permit: self.threads.acquire().await, _alone: alone }
        };
        let stop = &self.site.interrupt.stop;
        stop.run_until_cancelled(turn).await
    }

    /// The result of a case, after its stack is again as it was.
    pub(super) async fn restored(
        &self,
        suite: &Running,
        ctx: &Ctx,
        result: Result<(), String>,
    ) -> Result<(), String> {
        let Ok(disturb) = ctx.disturb() else {
            return result;
        };
        let restoring = self.site.interrupt.stop.run_until_cancelled(disturb.restore());
        let Some(Err(error)) = restoring.await else {
            return result;
        };
        let words = chain(&error);
        // Nobody else sets it: the case is alone.
        let _ = suite.spoiled.set(words.clone());
        let before = result.err().map_or_else(String::new, |words| words + "\n");
        Err(format!("{before}after the case its stack did not come back: {words}"))
    }

    /// The result of a case; if services of its stack have ended in the meantime, with that.
    pub(super) async fn explained(
        &self,
        ctx: &Ctx,
        exchanges: &Exchanges,
        result: Result<(), String>,
    ) -> Result<(), String> {
        let Err(failure) = result else { return Ok(()) };
        let silent = exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(Exchange::is_silent);
        let looking = wait::until("the end of a container", NOTICED, async || {
            let ends = ctx.stack().ends().await;
            // Where everything was answered nothing is expected, and one look is enough.
            Ok::<_, Infallible>(if silent && ends.is_empty() {
                Poll::NotYet("none".to_owned())
            } else {
                Poll::Ready(ends)
            })
        });
        let stop = &self.site.interrupt.stop;
        let ends = stop.run_until_cancelled(looking).await;
        let ends = ends.and_then(Result::ok).unwrap_or_default();
        if ends.is_empty() {
            return Err(failure);
        }
        Err(format!("{failure}\nin the meantime:\n    {}", ends.join("\n    ")))
    }

    pub(super) async fn collect(
        &self,
        suite: &Running,
        case: &Case,
        ctx: &Ctx,
        failure: &str,
        exchanges: &Exchanges,
    ) {
        let stack = ctx.stack();
        let evidence = suite.evidence(&self.site);
        evidence.of_case(&suite.plan.name, case.name, failure, exchanges);
        let collecting = async {
            if let Some(database) = stack.database() {
                let id = ctx.correlation_id();
                evidence.of_audit(&suite.plan.name, case.name, database, id).await;
            }
            let client = stack.client();
            for namespace in ctx.objects().namespaces() {
                evidence.of_namespace(&client, &namespace).await;
            }
        };
        self.site.interrupt.hurry.run_until_cancelled(collecting).await;
    }
}
