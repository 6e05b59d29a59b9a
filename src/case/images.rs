//! What a case is told about the images of its suite.

use thiserror::Error;

use super::Ctx;
use crate::text::listed;

/// The cluster has no such image.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, Failure, NoImage};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let worker = match ctx.image("worker") {
///     Err(NoImage { known, .. }) => return Err(Failure::skip(format_args!("only {known}"))),
///     Ok(worker) => worker,
/// };
/// ctx.attach("image.txt", worker)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "no image `{image}` was brought to the cluster for the suite (it has {known}); declare it with `.image(..)`, and with `Image::for_cases` if no manifest names it"
)]
#[non_exhaustive]
pub struct NoImage {
    /// What was asked for.
    pub image: String,
    /// What there is, in words.
    pub known: String,
}

impl Ctx {
    /// The reference under which the cluster has an image of the suite, for objects that a case creates.
    ///
    /// The nodes have it already, and no registry does: a `imagePullPolicy` beside it is `Never` or
    /// `IfNotPresent`. An image that no manifest names is there if it is declared with
    /// [`Image::for_cases`](crate::Image::for_cases).
    ///
    /// # Errors
    ///
    /// The suite has no such image, or nothing of it needs the image.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// async fn a_workflow_runs(ctx: Ctx) -> CaseResult {
    ///     let image = ctx.image("worker")?;
    ///     let workflow = json!({"apiVersion": "example.io/v1", "kind": "Workflow",
    ///         "metadata": {"name": "once"}, "spec": {"image": image}});
    ///     ctx.objects().create(workflow).await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn image(&self, name: &str) -> Result<String, NoImage> {
        let stack = self.stack();
        stack.image(name).ok_or_else(|| {
            let known = stack.plan().images.keys().filter(|name| stack.image(name).is_some());
            let known = listed(known.map(|name| format!("`{name}`")));
            NoImage { image: name.to_owned(), known }
        })
    }
}
