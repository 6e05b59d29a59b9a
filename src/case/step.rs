//! What steps do with what they are given, and what they give to cases.

use std::{
    any::{Any, TypeId, type_name},
    collections::BTreeMap,
    pin::Pin,
    sync::Arc,
};

use thiserror::Error;

use super::{Ctx, Failure, Running};
use crate::{
    case::CaseResult,
    suite::{Body, Step, Suite},
};

/// The whole of a step, to what it returns.
pub(crate) type Performing = Pin<Box<dyn Future<Output = Result<Gift, Failure>>>>;

/// What a step returned.
pub(crate) struct Gift {
    id: TypeId,
    value: Arc<dyn Any + Send + Sync>,
}

/// What the steps up to now have returned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(BTreeMap<TypeId, (Arc<dyn Any + Send + Sync>, &'static str)>);

/// No step of the suite has returned this.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, Failure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// struct Voucher(String);
/// // A run of stand-ins has no step that makes one.
/// let Ok(Voucher(code)) = ctx.given::<Voucher>() else {
///     return Err(Failure::skip("nobody made a voucher"));
/// };
/// ctx.get("shop", &format!("/vouchers/{code}")).send().await?.expect(200)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "no step of the suite has returned a `{wanted}` by now; they have returned {known} (`Suite::step` adds one)"
)]
#[non_exhaustive]
pub struct NotGiven {
    /// The type that was asked for.
    pub wanted: &'static str,
    /// The types that steps have returned.
    pub known: String,
}

/// What a step does. It need not be `Send`: it stays on one thread.
struct Perform(Box<dyn Fn(Ctx) -> Performing + Send + Sync>);

/// What is done around each case.
struct Around(Box<dyn Fn(Ctx) -> Running + Send + Sync>);

impl Step {
    /// A step that runs `body`, under a name that may be made at run time; [`step!`](crate::step!) takes it from
    /// a function.
    ///
    /// What the body returns, unless that is `()`, reaches what comes after by [`Ctx::given`].
    ///
    /// ```
    /// use kindwright::{Ctx, Failure, Step, Suite};
    ///
    /// struct Orders(u32);
    ///
    /// async fn order(ctx: Ctx, count: u32) -> Result<Orders, Failure> {
    ///     for _ in 0..count {
    ///         ctx.post("shop", "/orders").send().await?.expect(201)?;
    ///     }
    ///     Ok(Orders(count))
    /// }
    ///
    /// let step = Step::named("order 7 times", |ctx| order(ctx, 7));
    /// let suite = Suite::new("shop", "shop-tests").step(step);
    /// ```
    #[track_caller]
    pub fn named<F, Fut, T>(name: impl Into<String>, body: F) -> Self
    where
        F: Fn(Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, Failure>> + 'static,
        T: Send + Sync + 'static,
    {
        let gives = (TypeId::of::<T>() != TypeId::of::<()>()).then(type_name::<T>);
        let perform = move |ctx| -> Performing {
            let performing = body(ctx);
            Box::pin(async move {
                let value = performing.await?;
                Ok(Gift { id: TypeId::of::<T>(), value: Arc::new(value) })
            })
        };
        Self::declared(name, gives, Perform(Box::new(perform)))
    }

    /// Begins its body; nothing if it was declared without one.
    pub(crate) fn begin(&self, ctx: Ctx) -> Option<Performing> {
        let Perform(perform) = self.body()?;
        Some(perform(ctx))
    }
}

impl Suite {
    /// Does `body` before each case, with what the case is given and within its limit.
    ///
    /// If it fails the case fails, and if it [skips](Failure::skip) the case skips; both before the case has begun.
    /// Several are done in the order in which they are declared.
    ///
    /// ```
    /// use kindwright::{CaseResult, Ctx, Suite};
    ///
    /// async fn open_a_till(ctx: Ctx) -> CaseResult {
    ///     ctx.post("shop", &format!("/tills/{}", ctx.correlation_id())).send().await?.expect(201)?;
    ///     Ok(())
    /// }
    ///
    /// async fn close_the_till(ctx: Ctx) -> CaseResult {
    ///     ctx.post("shop", &format!("/tills/{}/end", ctx.correlation_id())).send().await?.expect(200)?;
    ///     Ok(())
    /// }
    ///
    /// let suite = Suite::new("shop", "tests").before_each(open_a_till).after_each(close_the_till);
    /// ```
    #[must_use]
    pub fn before_each<F, Fut>(mut self, body: F) -> Self
    where
        F: Fn(Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CaseResult> + 'static,
    {
        self.before_each.push(around(body));
        self
    }

    /// Does `body` after each case that had its turn, however it ended, when what the case disturbed is put back.
    ///
    /// It has the same correlation id and the same objects, and a limit of its own, which is that of the case. If it
    /// fails the case fails. It is not done when the run is interrupted, nor on a stack that did not come back.
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, Suite};
    /// async fn close_the_till(ctx: Ctx) -> CaseResult {
    ///     ctx.post("shop", &format!("/tills/{}/end", ctx.correlation_id())).send().await?.expect(200)?;
    ///     Ok(())
    /// }
    ///
    /// let suite = Suite::new("shop", "shop-tests").after_each(close_the_till);
    /// ```
    #[must_use]
    pub fn after_each<F, Fut>(mut self, body: F) -> Self
    where
        F: Fn(Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CaseResult> + 'static,
    {
        self.after_each.push(around(body));
        self
    }
}

fn around<F, Fut>(body: F) -> Body
where
    F: Fn(Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = CaseResult> + 'static,
{
    Body::new(Around(Box::new(move |ctx| Box::pin(body(ctx)))))
}

/// Does one after another of what is done around a case.
pub(crate) async fn all(bodies: &[Body], ctx: &Ctx) -> CaseResult {
    for Around(body) in bodies.iter().filter_map(Body::of) {
        body(ctx.clone()).await?;
    }
    Ok(())
}

impl Ctx {
    /// What a [step](crate::Suite::step) of the suite has returned, by its type.
    ///
    /// # Errors
    ///
    /// No step before this one, or before the cases, has returned something of this type.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// struct Catalog(Vec<String>);
    ///
    /// async fn the_first_is_sold(ctx: Ctx) -> CaseResult {
    ///     let Catalog(all) = ctx.given()?;
    ///     ctx.get("shop", &format!("/catalog/{}", all[0])).send().await?.expect(200)?;
    ///     Ok(())
    /// }
    /// ```
    pub fn given<T: Send + Sync + 'static>(&self) -> Result<&T, NotGiven> {
        self.all_given().get()
    }
}

impl Given {
    /// These, and what one more step has returned.
    pub(crate) fn with(mut self, step: &Step, gift: Gift) -> Self {
        if let Some(name) = step.gives {
            self.0.insert(gift.id, (gift.value, name));
        }
        self
    }

    fn get<T: Send + Sync + 'static>(&self) -> Result<&T, NotGiven> {
        let found = self.0.get(&TypeId::of::<T>()).and_then(|(value, _)| value.downcast_ref());
        found.ok_or_else(|| {
            let mut known: Vec<_> = self.0.values().map(|(_, name)| format!("`{name}`")).collect();
            known.sort_unstable();
            let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            NotGiven { wanted: type_name::<T>(), known }
        })
    }
}

impl std::fmt::Debug for Gift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gift").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Orders(u32);

    fn gift<T: Send + Sync + 'static>(value: T) -> Gift {
        Gift { id: TypeId::of::<T>(), value: Arc::new(value) }
    }

    #[test]
    fn what_a_step_returned_is_found_by_its_type() {
        let orders = Step::declared("order", Some(type_name::<Orders>()), ());
        let nothing = Step::declared("open", None, ());
        let given = Given::default().with(&orders, gift(Orders(7))).with(&nothing, gift(()));
        assert_eq!(given.get(), Ok(&Orders(7)));
        let missing = given.get::<u32>().unwrap_err().to_string();
        assert!(
            missing.starts_with("no step of the suite has returned a `u32` by now"),
            "{missing}"
        );
        assert!(missing.contains("::Orders`"), "{missing}");
        assert!(given.get::<()>().is_err());
    }
}
