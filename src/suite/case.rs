//! A case, as a suite declares it.

use std::{any::Any, collections::BTreeSet, fmt, panic::Location, time::Duration};

use super::{Suite, body::Body};

/// How long a case may take unless it or its suite says otherwise.
pub(super) const LIMIT: Duration = Duration::from_mins(1);

/// A named test. Its name is a sentence that is true when it passes.
///
/// ```
/// use std::time::Duration;
///
/// use kindwright::{CaseResult, Ctx, case};
///
/// async fn a_big_order_is_taken(ctx: Ctx) -> CaseResult {
///     ctx.post("shop", "/orders").json(&vec![0; 10_000]).send().await?.expect(201)?;
///     Ok(())
/// }
///
/// let case = case!(a_big_order_is_taken).limit(Duration::from_secs(90)).alone().ignored();
/// ```
#[derive(Clone)]
pub struct Case {
    pub(crate) name: String,
    pub(crate) labels: BTreeSet<String>,
    /// How long it may take, if not as long as its suite says.
    pub(crate) limit: Option<Duration>,
    pub(crate) beyond: Option<String>,
    pub(crate) ignored: bool,
    pub(crate) alone: bool,
    /// Where it is declared.
    pub(crate) place: &'static Location<'static>,
    /// What it does. Only the room that makes contexts for cases knows of what type that is.
    body: Body,
}

impl Case {
    /// A case with a body of the type that whoever runs it expects.
    #[track_caller]
    pub(crate) fn declared(name: impl Into<String>, body: impl Any + Send + Sync) -> Self {
        Self {
            name: name.into(),
            labels: BTreeSet::new(),
            limit: None,
            beyond: None,
            ignored: false,
            alone: false,
            place: Location::caller(),
            body: Body::new(body),
        }
    }

    /// Its body, if it is of this type.
    pub(crate) fn body<B: Any>(&self) -> Option<&B> {
        self.body.of()
    }

    /// Sets how long it may take; the default is what its suite [says](crate::Suite::case_limit), or a minute.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, case};
    /// # async fn a_year_is_reported(ctx: Ctx) -> CaseResult { Ok(()) }
    /// let case = case!(a_year_is_reported).limit(Duration::from_mins(3));
    /// ```
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Adds a label, by which `--label` selects cases: letters, digits and any of `_-.`.
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, case};
    /// # async fn an_order_is_taken(ctx: Ctx) -> CaseResult { Ok(()) }
    /// let case = case!(an_order_is_taken).label("smoke").label("orders");
    /// ```
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.labels.insert(label.into());
        self
    }

    /// Says that it asks for more than the real services promise; `what` names that, such as a
    /// section of their contract.
    ///
    /// Only stand-ins pass it: where the suite is [real](crate::Suite::real) it is set aside, and reported
    /// as ignored with that reason, unless `--include-ignored` is given.
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, case};
    /// # async fn a_problem_names_the_field(ctx: Ctx) -> CaseResult { Ok(()) }
    /// let case = case!(a_problem_names_the_field).beyond("contract 5.2");
    /// ```
    #[must_use]
    pub fn beyond(mut self, what: impl Into<String>) -> Self {
        self.beyond = Some(what.into());
        self
    }

    /// Leaves it out unless `--ignored` or `--include-ignored` is given.
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, case};
    /// # async fn a_million_orders_are_taken(ctx: Ctx) -> CaseResult { Ok(()) }
    /// let case = case!(a_million_orders_are_taken).ignored();
    /// ```
    #[must_use]
    pub fn ignored(mut self) -> Self {
        self.ignored = true;
        self
    }

    /// Says that no other case of the suite may run at the same time.
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, case};
    /// # async fn a_restart_loses_nothing(ctx: Ctx) -> CaseResult { Ok(()) }
    /// let case = case!(a_restart_loses_nothing).alone();
    /// ```
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

impl Suite {
    /// Says how long each of its cases may take that does not say it itself; a minute without it.
    ///
    /// Other suites run beside it, and on a busy machine a service has the processor that it requests, and no more.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use kindwright::Suite;
    /// let suite = Suite::new("shop", "shop-tests").case_limit(Duration::from_mins(3));
    /// ```
    #[must_use]
    pub fn case_limit(mut self, limit: Duration) -> Self {
        self.case_limit = limit;
        self
    }

    /// How long one of its cases may take.
    pub(crate) fn limit_of(&self, case: &Case) -> Duration {
        case.limit.unwrap_or(self.case_limit)
    }
}
