//! A case, as a suite declares it.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use super::{CaseResult, Ctx};

/// How long a case may take unless it says otherwise.
const LIMIT: Duration = Duration::from_mins(1);

type Body = dyn Fn(Ctx) -> Pin<Box<dyn Future<Output = CaseResult>>> + Send + Sync;

/// A named test. Its name is a sentence that is true when it passes.
#[derive(Clone)]
pub struct Case {
    pub(crate) name: &'static str,
    pub(crate) limit: Duration,
    pub(crate) beyond: Option<&'static str>,
    pub(crate) ignored: bool,
    pub(crate) alone: bool,
    pub(crate) body: Arc<Body>,
}

impl Case {
    /// A case that runs `body`.
    pub fn new<F, Fut>(name: &'static str, body: F) -> Self
    where
        F: Fn(Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CaseResult> + 'static,
    {
        Self {
            name,
            limit: LIMIT,
            beyond: None,
            ignored: false,
            alone: false,
            body: Arc::new(move |ctx| Box::pin(body(ctx))),
        }
    }

    /// Sets how long it may take; the default is a minute.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Says that it needs what the stand-ins fix; `section` names it in the contract.
    ///
    /// Where an image of the suite is overridden it is reported as ignored,
    /// with that reason.
    #[must_use]
    pub fn beyond(mut self, section: &'static str) -> Self {
        self.beyond = Some(section);
        self
    }

    /// Leaves it out unless `--ignored` or `--include-ignored` is given.
    #[must_use]
    pub fn ignored(mut self) -> Self {
        self.ignored = true;
        self
    }

    /// Says that no other case of the suite may run at the same time.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}
