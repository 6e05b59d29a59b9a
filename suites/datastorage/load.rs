//! More writes at once than there are connections to the database (scenario 11).

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure};

use super::{EVENTS, SERVICE, event};

/// The service has 25 connections (contract 2.5).
const WRITES: usize = 50;
/// How much slower than before a write may be, once the load is over.
const SLOWER: u32 = 10;
/// How long the load may be felt.
const SOON: Duration = Duration::from_secs(30);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(more_writes_than_connections_are_all_accepted_and_soon_forgotten).alone(),
        // The original's worker that drains the streams is never started.
        case!(what_is_accepted_under_load_is_stored).alone().beyond("contract 3.5"),
    ]
}

async fn more_writes_than_connections_are_all_accepted_and_soon_forgotten(ctx: Ctx) -> CaseResult {
    let before = usual(&ctx).await?;
    load(&ctx).await?;
    // Something else may take the processor during one look, but not during each of them.
    ctx.until("writes that are as fast as before", SOON, async || {
        let after = usual(&ctx).await?;
        ensure!(
            after < before * SLOWER,
            "a write takes {after:?} after the load, and took {before:?} before it"
        );
        Ok(())
    })
    .await
}

async fn what_is_accepted_under_load_is_stored(ctx: Ctx) -> CaseResult {
    load(&ctx).await?;
    ctx.audit().kinds(["gateway.signal.received"]).exactly(WRITES).holds().await?;
    Ok(())
}

/// Writes all at once, each of which must be accepted.
async fn load(ctx: &Ctx) -> CaseResult {
    let event = event(ctx, "gateway", "gateway.signal.received", "received");
    let writing = (0..WRITES).map(|_| ctx.post(SERVICE, EVENTS).json(&event).send());
    for answer in try_join_all(writing).await? {
        let accepted = matches!(answer.status(), 201 | 202);
        ensure!(accepted, "expected 201 or 202:\n{}", answer.exchange());
    }
    Ok(())
}

/// The median time of a write.
async fn usual(ctx: &Ctx) -> Result<Duration, Failure> {
    let mut times = Vec::new();
    for _ in 0..9 {
        let begun = Instant::now();
        let event = event(ctx, "gateway", "gateway.measured", "measured");
        let answer = ctx.post(SERVICE, EVENTS).json(&event).send().await?;
        let accepted = matches!(answer.status(), 201 | 202);
        ensure!(accepted, "expected 201 or 202:\n{}", answer.exchange());
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}
