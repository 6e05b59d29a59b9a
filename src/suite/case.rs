//! A case, as a suite declares it.

use std::{any::Any, fmt, panic::Location, sync::Arc, time::Duration};

/// How long a case may take unless it says otherwise.
const LIMIT: Duration = Duration::from_mins(1);

/// A named test. Its name is a sentence that is true when it passes.
#[derive(Clone)]
pub struct Case {
    pub(crate) name: &'static str,
    pub(crate) limit: Duration,
    pub(crate) beyond: Option<&'static str>,
    pub(crate) ignored: bool,
    pub(crate) alone: bool,
    /// Where it is declared.
    pub(crate) place: &'static Location<'static>,
    /// What it does. Only the room that makes contexts for cases knows of what type that is.
    body: Arc<dyn Any + Send + Sync>,
}

impl Case {
    /// A case with a body of the type that whoever runs it expects.
    #[track_caller]
    pub(crate) fn declared(name: &'static str, body: impl Any + Send + Sync) -> Self {
        Self {
            name,
            limit: LIMIT,
            beyond: None,
            ignored: false,
            alone: false,
            place: Location::caller(),
            body: Arc::new(body),
        }
    }

    /// Its body, if it is of this type.
    pub(crate) fn body<B: Any>(&self) -> Option<&B> {
        self.body.downcast_ref()
    }

    /// Sets how long it may take; the default is a minute.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Says that it needs what the stand-ins fix; `section` names it in the contract.
    ///
    /// Where the suite is [real](crate::Suite::real) it is reported as ignored, with that reason.
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
