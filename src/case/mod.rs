//! What a case is given, and what it may do: requests, rows, databases, objects, logs, metrics, waiting, and disturbing
//! its own stack.

mod attachments;
mod ctx;
mod database;
mod disturb;
mod endpoints;
mod equal;
mod events;
mod failure;
mod http;
mod images;
mod logs;
mod metrics;
mod objects;
mod permission;
mod rows;
mod step;
mod subject;
mod waiting;

pub use crate::pod_logs::{LogLine, Mark};
pub use attachments::AttachError;
pub use ctx::Ctx;
pub(crate) use ctx::Shared;
pub use database::{DatabaseError, Postgres};
pub use disturb::{Disturb, DisturbError};
pub use endpoints::{EndpointError, NoPassword};
#[doc(hidden)]
pub use equal::{shown, unequal};
pub use failure::{CaseResult, Failure};
pub(crate) use http::Exchanges;
use http::Http;
pub use http::{Answer, Exchange, HttpError, Request};
pub use images::NoImage;
pub use logs::Logs;
pub use metrics::{Metrics, MetricsError};
pub use objects::{Objects, ObjectsError};
pub use permission::GivenUp;
pub use step::NotGiven;
pub(crate) use step::{Gift, Given, all};
pub use subject::ReadError;
pub use waiting::Unmet;

use std::pin::Pin;

use crate::suite::Case;

/// The whole of a case, from its first step to its result.
pub(crate) type Running = Pin<Box<dyn Future<Output = CaseResult>>>;

/// What a case does with what it is given. It need not be `Send`: it stays on one thread.
struct Body(Box<dyn Fn(Ctx) -> Running + Send + Sync>);

impl Case {
    /// A case that runs `body`, under a name that may be made at run time.
    ///
    /// For a function that is a case as it is, [`case!`](crate::case!) takes the name from it. This is for one
    /// function and a table of rows, each of which is a case of its own:
    ///
    /// ```
    /// use kindwright::{Case, CaseResult, Ctx, Suite};
    ///
    /// const REFUSED: [(&str, u16); 2] = [("/orders", 401), ("/orders/none", 404)];
    ///
    /// async fn is_refused(ctx: Ctx, path: &str, status: u16) -> CaseResult {
    ///     ctx.get("shop", path).send().await?.expect(status)?;
    ///     Ok(())
    /// }
    ///
    /// let cases = REFUSED.map(|(path, status)| {
    ///     let name = format!("{} is refused with {status}", path.replace('/', " ").trim());
    ///     Case::named(name, move |ctx| is_refused(ctx, path, status))
    /// });
    /// let suite = Suite::new("shop", "shop-tests").cases(cases);
    /// ```
    ///
    /// A name consists of letters, digits, spaces and any of `_-.(),='`, and is its suite's only one of
    /// that name; the plan says where that is not so.
    #[track_caller]
    pub fn named<F, Fut>(name: impl Into<String>, body: F) -> Self
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
