//! How the service says that it is there (scenario 07).

use std::time::Duration;

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::Value;

use super::{GATEWAY, text};

const RAPID: usize = 10;
/// An answer that comes later is none (contract 6.3).
const LATE: Duration = Duration::from_secs(5);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![it_says_that_it_is_healthy, it_says_that_it_is_ready, it_says_so_at_once_each_time]
}

async fn it_says_that_it_is_healthy(ctx: Ctx) -> CaseResult {
    for path in ["/health", "/healthz"] {
        let health: Value = ctx.get(GATEWAY, path).send().await?.expect(200)?.json()?;
        ensure!(health["status"] == "healthy", "{path}: {health}");
        ensure!(!text(&health, "/timestamp").is_empty(), "{path} has no timestamp: {health}");
    }
    Ok(())
}

async fn it_says_that_it_is_ready(ctx: Ctx) -> CaseResult {
    let ready: Value = ctx.get(GATEWAY, "/ready").send().await?.expect(200)?.json()?;
    ensure!(ready["status"] == "ready", "{ready}");
    Ok(())
}

async fn it_says_so_at_once_each_time(ctx: Ctx) -> CaseResult {
    for _ in 0..RAPID {
        for path in ["/health", "/ready"] {
            ctx.get(GATEWAY, path).limit(LATE).send().await?.expect(200)?;
        }
    }
    Ok(())
}
