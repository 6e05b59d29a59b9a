//! Services that fail requests of one case, and of no other.

use kindwright::{Ctx, HttpError, Method};
use serde_json::Value;

/// Lets requests to a service about something of the case meet these faults, one after the other, in place of those
/// before.
pub(crate) async fn set(
    ctx: &Ctx,
    service: &str,
    about: &str,
    faults: &Value,
) -> Result<(), HttpError> {
    let path = format!("/faults/{about}");
    ctx.request(Method::PUT, service, &path).json(faults).send().await?.expect(204)?;
    Ok(())
}

/// The requests about the case that came to a service, the oldest first: the `body` of each, and the `status` of its
/// answer, which is null while there is none.
pub(crate) async fn exchanges(ctx: &Ctx, service: &str) -> Result<Vec<Value>, HttpError> {
    let about = [("about", ctx.correlation_id())];
    ctx.get(service, "/exchanges").query(&about).send().await?.expect(200)?.json()
}

/// The statuses of their answers.
pub(crate) async fn answers(ctx: &Ctx, service: &str) -> Result<Vec<Value>, HttpError> {
    Ok(exchanges(ctx, service).await?.into_iter().map(|mut it| it["status"].take()).collect())
}
