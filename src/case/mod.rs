//! What a case is given, and what it may do: requests, rows, objects, and disturbing its own stack.

mod ctx;
mod disturb;
mod failure;
mod http;
mod images;
mod objects;
mod permission;

pub use ctx::Ctx;
pub(crate) use ctx::Shared;
pub use disturb::{Disturb, DisturbError};
pub use failure::{CaseResult, Failure};
pub use http::{Answer, Http, HttpError, Request};
pub(crate) use http::{Exchange, Exchanges};
pub use images::NoImage;
pub use objects::{Objects, ObjectsError};
pub use permission::GivenUp;

use std::pin::Pin;

use crate::suite::Case;

/// The whole of a case, from its first step to its result.
pub(crate) type Running = Pin<Box<dyn Future<Output = CaseResult>>>;

/// What a case does with what it is given. It need not be `Send`: it stays on one thread.
struct Body(Box<dyn Fn(Ctx) -> Running + Send + Sync>);

impl Case {
    /// A case that runs `body`.
    ///
    /// ```
    /// use kindwright::{Case, CaseResult, Ctx};
    ///
    /// async fn the_shop_is_open(ctx: Ctx) -> CaseResult {
    ///     ctx.get("shop", "/open").send().await?.expect(200)?;
    ///     Ok(())
    /// }
    ///
    /// let case = Case::new("the_shop_is_open", the_shop_is_open);
    /// ```
    #[track_caller]
    pub fn new<F, Fut>(name: &'static str, body: F) -> Self
    where
        F: Fn(Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CaseResult> + 'static,
    {
        Self::declared(name, Body(Box::new(move |ctx| Box::pin(body(ctx)))))
    }

    /// Begins its body; nothing if it was declared without one.
    pub(crate) fn begin(&self, ctx: Ctx) -> Option<Running> {
        let Body(body) = self.body()?;
        Some(body(ctx))
    }
}
