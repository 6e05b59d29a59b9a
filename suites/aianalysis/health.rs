//! How the controller is, and what it needs (scenario 01).

use std::time::{Duration, Instant};

use kindwright::{Case, CaseResult, Ctx, Failure, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{CONTROLLER, HAPI, SOON};

/// Where the controller says how it is.
const HEALTH: &str = "aianalysis-controller:health";
/// How long HAPI is away.
const WITHOUT_HAPI: Duration = Duration::from_secs(8);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        the_controller_says_that_it_lives,
        it_says_so_within_a_second,
        the_controller_says_that_it_is_ready,
        whoever_asks_for_more_hears_something_of_its_readiness,
        hapi_is_healthy,
        the_data_service_is_healthy,
    ]
    .into_iter()
    .chain([case!(it_lives_and_is_ready_without_hapi).alone()])
}

async fn the_controller_says_that_it_lives(ctx: Ctx) -> CaseResult {
    let answer = ctx.get(HEALTH, "/healthz").send().await?.expect(200)?;
    let lives = ["ok", "healthy", "alive"].iter().any(|word| answer.text().contains(word));
    ensure!(lives, "it says: {}", answer.text());
    Ok(())
}

async fn it_says_so_within_a_second(ctx: Ctx) -> CaseResult {
    // A busy machine may hold up one answer, but not each of them.
    ctx.until("an answer within a second", SOON, async || {
        let begun = Instant::now();
        ctx.get(HEALTH, "/healthz").send().await?.expect(200)?;
        let took = begun.elapsed();
        ensure!(took < Duration::from_secs(1), "it took {took:?}");
        Ok(())
    })
    .await
}

async fn the_controller_says_that_it_is_ready(ctx: Ctx) -> CaseResult {
    ctx.get(HEALTH, "/readyz").send().await?.expect(200)?;
    Ok(())
}

async fn whoever_asks_for_more_hears_something_of_its_readiness(ctx: Ctx) -> CaseResult {
    let answer = ctx.get(HEALTH, "/readyz?verbose=true").send().await?.expect(200)?;
    ensure!(!answer.text().is_empty(), "it says nothing");
    Ok(())
}

async fn hapi_is_healthy(ctx: Ctx) -> CaseResult {
    let answer = ctx.get(HAPI, "/health").send().await?.expect(200)?;
    answer.matching(json!({"status": "healthy"}))?;
    Ok(())
}

async fn the_data_service_is_healthy(ctx: Ctx) -> CaseResult {
    ctx.get("datastorage", "/health").send().await?.expect(200)?;
    Ok(())
}

/// The pods of the controller, and how often each was restarted.
async fn pods(ctx: &Ctx) -> Result<Vec<Value>, Failure> {
    let all = ctx.suite_objects().list(["v1", "Pod"]).await?;
    let own = all.into_iter().filter(|pod| pod["metadata"]["labels"]["app"] == CONTROLLER);
    // One before it may still end.
    let own = own.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    let told = own.map(|pod| {
        let container = &pod["status"]["containerStatuses"][0];
        json!([pod["metadata"]["name"], container["restartCount"]])
    });
    Ok(told.collect())
}

async fn it_lives_and_is_ready_without_hapi(ctx: Ctx) -> CaseResult {
    let before = pods(&ctx).await?;
    ensure_eq!(before.len(), 1);
    ctx.disturb()?.stop(HAPI).await?;
    ctx.stays("life and readiness", WITHOUT_HAPI, async || {
        for path in ["/healthz", "/readyz"] {
            ctx.get(HEALTH, path).send().await?.expect(200)?;
        }
        let pods = pods(&ctx).await?;
        ensure_eq!(pods, before);
        Ok(pods)
    })
    .await
}
