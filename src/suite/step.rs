//! A step of a suite, as its author declares it.

use std::{any::Any, panic::Location, time::Duration};

use super::{Suite, Tier, body::Body};

/// How long a step may take unless it says otherwise.
const LIMIT: Duration = Duration::from_mins(1);

/// What a suite does once: between two tiers, when its stack is up, or after its cases.
///
/// [`step!`](crate::step!) makes it of a function. What the function returns reaches the steps and cases after it,
/// by its type, with [`Ctx::given`](crate::Ctx::given).
///
/// ```
/// use std::time::Duration;
///
/// use kindwright::{Ctx, Endpoint, Failure, Suite, Workload, step};
///
/// struct Catalog(Vec<String>);
///
/// async fn fill_the_catalog(ctx: Ctx) -> Result<Catalog, Failure> {
///     let answer = ctx.post("shop", "/catalog").send().await?.expect(201)?;
///     Ok(Catalog(answer.json()?))
/// }
///
/// let suite = Suite::new("shop", "shop-tests")
///     .tier([Workload::new("shop", "manifests/shop.yaml").endpoint(Endpoint::http("http"))])
///     .step(step!(fill_the_catalog).limit(Duration::from_secs(90)));
/// ```
#[derive(Clone, Debug)]
pub struct Step {
    pub(crate) name: String,
    pub(crate) limit: Duration,
    /// The type of what it returns, if that is something.
    pub(crate) gives: Option<&'static str>,
    /// Where it is declared.
    pub(crate) place: &'static Location<'static>,
    body: Body,
}

impl Step {
    /// A step with a body of the type that whoever performs it expects.
    #[track_caller]
    pub(crate) fn declared(
        name: impl Into<String>,
        gives: Option<&'static str>,
        body: impl Any + Send + Sync,
    ) -> Self {
        let (limit, place, body) = (LIMIT, Location::caller(), Body::new(body));
        Self { name: name.into(), limit, gives, place, body }
    }

    /// Its body, if it is of this type.
    pub(crate) fn body<B: Any>(&self) -> Option<&B> {
        self.body.of()
    }

    /// Sets how long it may take; the default is a minute.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, step};
    /// # async fn fill_the_catalog(ctx: Ctx) -> CaseResult { Ok(()) }
    /// let step = step!(fill_the_catalog).limit(Duration::from_mins(5));
    /// ```
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl Suite {
    /// Adds a step, done once all tiers before it are ready, and before any tier after it begins.
    ///
    /// It is done in every run, also on a stack that was kept: it must bear that what it makes is there already.
    /// What it makes by [`Ctx::objects`](crate::Ctx::objects) stays until the suite is released. A step that fails
    /// is a failed setup: no case is judged, and what explains it is in the evidence.
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, Endpoint, Suite, Workload, step};
    /// async fn open_the_shop(ctx: Ctx) -> CaseResult {
    ///     ctx.post("shop", "/open").send().await?.expect(200)?;
    ///     Ok(())
    /// }
    ///
    /// let suite = Suite::new("shop", "shop-tests")
    ///     .tier([Workload::new("shop", "manifests/shop.yaml").endpoint(Endpoint::http("http"))])
    ///     .step(step!(open_the_shop));
    /// ```
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.tiers.push(Tier::Step(step));
        self
    }

    /// Adds a step, done once all cases of the suite are over, however they ended.
    ///
    /// If it fails the run fails. It is not done where the setup failed, nor when the run is interrupted: what must
    /// go in any case is best made by [`Ctx::objects`](crate::Ctx::objects).
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, Suite, ensure, step};
    /// async fn every_order_was_billed(ctx: Ctx) -> CaseResult {
    ///     let open = ctx.default_database()?.query("SELECT id FROM orders WHERE bill IS NULL", &[]).await?;
    ///     ensure!(open.is_empty(), "orders without a bill: {open:?}");
    ///     Ok(())
    /// }
    ///
    /// let suite = Suite::new("shop", "shop-tests").after_cases(step!(every_order_was_billed));
    /// ```
    #[must_use]
    pub fn after_cases(mut self, step: Step) -> Self {
        self.after_cases.push(step);
        self
    }

    /// All its steps, in the order in which they are done.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        let between = self.tiers.iter().filter_map(|tier| match tier {
            Tier::Step(step) => Some(step),
            Tier::Workloads(_) | Tier::Migrations(_) => None,
        });
        between.chain(&self.after_cases)
    }
}
