//! What becomes of notifications and their events while the controller or the data service is away.

use futures_util::future::{join, try_join_all};
use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure_eq};
use serde_json::json;

use super::{
    ACKNOWLEDGED, CONTROLLER, KIND, SENT, VERSION,
    files::{folder, written},
    send, until,
};
use crate::expect::told_once;

const DATA_SERVICE: &str = "datastorage";
/// How many notifications flow meanwhile.
const MANY: usize = 20;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(a_controller_that_is_killed_delivers_every_notification_and_tells_it_once),
        case!(events_outlive_the_data_service_and_are_stored_once),
        case!(events_outlive_the_controller_while_the_data_service_is_away),
        case!(events_of_a_notification_that_is_gone_are_stored_all_the_same),
    ]
    // The original's client gives up after three attempts, and forgets what it has when it ends.
    .map(|case| case.beyond("contract 4.7").alone())
}

/// Sends many notifications into files of a folder, one after the other; returns their names.
async fn flow(ctx: &Ctx, mounted: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for number in 0..MANY {
        let more = json!({
            "channels": ["console", "file"], "fileDeliveryConfig": {"outputDirectory": mounted},
        });
        names.push(send(ctx, &format!("flow-{number}"), more).await?);
    }
    Ok(names)
}

async fn all_sent(ctx: &Ctx, names: &[String]) -> Result<(), Failure> {
    try_join_all(names.iter().map(|name| until(ctx, name, json!({"phase": "Sent"})))).await?;
    Ok(())
}

/// Every notification was sent by two channels and acknowledged, and each of that was stored once.
async fn once(ctx: &Ctx, names: &[String]) -> CaseResult {
    told_once(ctx.audit(), names, &[SENT, SENT, ACKNOWLEDGED]).await
}

async fn a_controller_that_is_killed_delivers_every_notification_and_tells_it_once(
    ctx: Ctx,
) -> CaseResult {
    let (folder, mounted) = folder(&ctx)?;
    let stack = ctx.disturb()?;
    let first = ctx.objects().own_name("flow-0");
    let killing = async {
        // It is killed in the midst of them, not before.
        until(&ctx, &first, json!({"phase": "Sent"})).await?;
        Ok::<_, Failure>(stack.kill(CONTROLLER).await?)
    };
    let (names, killed) = join(flow(&ctx, &mounted), killing).await;
    killed?;
    let names = names?;
    all_sent(&ctx, &names).await?;
    for name in &names {
        ensure_eq!((name, written(&folder, name, "json")?.len()), (name, 1));
    }
    once(&ctx, &names).await
}

async fn events_outlive_the_data_service_and_are_stored_once(ctx: Ctx) -> CaseResult {
    let (_, mounted) = folder(&ctx)?;
    let stack = ctx.disturb()?;
    let (names, stopped) = join(flow(&ctx, &mounted), stack.stop(DATA_SERVICE)).await;
    stopped?;
    let names = names?;
    // Nothing waits for its events.
    all_sent(&ctx, &names).await?;
    stack.start(DATA_SERVICE).await?;
    once(&ctx, &names).await
}

async fn events_outlive_the_controller_while_the_data_service_is_away(ctx: Ctx) -> CaseResult {
    let (_, mounted) = folder(&ctx)?;
    let stack = ctx.disturb()?;
    stack.stop(DATA_SERVICE).await?;
    let names = flow(&ctx, &mounted).await?;
    all_sent(&ctx, &names).await?;
    stack.kill(CONTROLLER).await?;
    stack.start(DATA_SERVICE).await?;
    once(&ctx, &names).await
}

async fn events_of_a_notification_that_is_gone_are_stored_all_the_same(ctx: Ctx) -> CaseResult {
    let (_, mounted) = folder(&ctx)?;
    let stack = ctx.disturb()?;
    stack.stop(DATA_SERVICE).await?;
    let names = flow(&ctx, &mounted).await?;
    all_sent(&ctx, &names).await?;
    for name in &names {
        ctx.objects().delete([VERSION, KIND, name]).await?;
    }
    stack.kill(CONTROLLER).await?;
    stack.start(DATA_SERVICE).await?;
    once(&ctx, &names).await
}
