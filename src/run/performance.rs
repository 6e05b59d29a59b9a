//! What is done on a stack by a case or a step, and what explains that it failed.

use std::{
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::interrupt::{Interrupt, Level};
use crate::{
    case::{Ctx, Exchange, Exchanges, Shared},
    evidence::{CaseEvidence, Evidence},
    rows,
    wait::{self, Limit, Poll},
};

/// How long the node may take to notice that a container has ended.
const NOTICED: Limit = Limit { total: Duration::from_secs(10), every: Duration::from_millis(250) };

/// What is done on a stack.
#[derive(Clone)]
pub(super) struct Performance {
    pub(super) ctx: Ctx,
    exchanges: Exchanges,
    began: Instant,
    evidence: Evidence,
    folder: CaseEvidence,
    interrupt: Interrupt,
}

impl Performance {
    /// Of a case or a step called so, whose evidence goes into `folder`; `alone` says that nothing runs beside it.
    pub(super) fn new(
        shared: Arc<Shared>,
        called: &str,
        alone: bool,
        (evidence, folder): (Evidence, CaseEvidence),
        interrupt: Interrupt,
    ) -> Self {
        let exchanges = Exchanges::default();
        let ctx = Ctx::new(shared, called, alone, Arc::clone(&exchanges));
        Self { ctx, exchanges, began: Instant::now(), evidence, folder, interrupt }
    }

    /// Words without secrets.
    pub(super) fn for_people(&self, words: &str) -> String {
        self.evidence.for_people(words)
    }

    /// Where its evidence is, if there is any.
    pub(super) fn found(&self) -> Option<PathBuf> {
        self.folder.found().map(ToOwned::to_owned)
    }

    /// Collects what explains a failure; its words for people.
    pub(super) async fn explain(&self, mut failure: String) -> String {
        let mut ends = self.ends().await;
        ends.extend(self.ctx.objects().waits());
        let refused = self.ctx.stack().refused(self.began.elapsed());
        ends.extend(self.interrupt.until(Level::Stop, refused).await.unwrap_or_default());
        if !ends.is_empty() {
            failure = format!("{failure}\nin the meantime:\n    {}", ends.join("\n    "));
        }
        let failure = self.evidence.for_people(&failure);
        self.collect(&failure).await;
        failure
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
    async fn collect(&self, failure: &str) {
        let case = &self.folder;
        let exchanges: String = self.exchanges().iter().map(Exchange::whole).collect();
        case.failure(failure);
        let collecting = async {
            case.exchanges(exchanges).await;
            case.attachments(self.ctx.attachments().take()).await;
            let stack = self.ctx.stack();
            for table in stack.plan().tables.iter().filter(|table| table.id.is_some()) {
                if let Some(database) = stack.login_of(table) {
                    let rows = rows::rows(&database, table, self.ctx.correlation_id());
                    Box::pin(case.rows(table, rows)).await;
                }
            }
            let (client, own) = (stack.client(), stack.plan().namespaces.clone());
            for namespace in own.into_iter().chain(self.ctx.objects().namespaces()) {
                case.namespace(&client, &namespace, self.began.elapsed()).await;
            }
        };
        self.interrupt.until(Level::Hurry, collecting).await;
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
