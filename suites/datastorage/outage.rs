//! What the service accepts while its database is away, and what becomes of it (scenario 02).

use std::time::Duration;

use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{EVENTS, SERVICE, event, events::notification, store, text};

const DATABASE: &str = "postgresql";
const STREAMS: &str = "redis";
const NOTIFICATIONS: &str = "/api/v1/audit/notifications";
/// How long the service may take to notice that its database is away or back.
const NOTICED: Duration = Duration::from_secs(30);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let kept = [
        case!(what_is_accepted_while_the_database_goes_and_comes_is_stored_exactly_once),
        case!(what_is_accepted_without_a_database_outlives_the_service_and_redis),
        case!(a_notification_accepted_without_a_database_is_recorded_once),
        case!(a_service_without_a_database_is_not_ready_until_it_is_back),
        case!(an_event_that_nobody_can_take_is_refused),
    ]
    // The original's worker that drains the streams is never started.
    .map(|case| case.beyond("contract 3.5"));
    [case!(an_event_is_accepted_without_a_database)].into_iter().chain(kept).map(Case::alone)
}

/// Sends an event, which must be accepted; whether it was put aside.
async fn accepted(ctx: &Ctx, number: usize) -> Result<bool, Failure> {
    let mut event = event(ctx, "gateway", "gateway.signal.received", "received");
    event["event_data"]["number"] = json!(number);
    let answer = ctx.post(SERVICE, EVENTS).json(&event).send().await?;
    match answer.status() {
        201 => Ok(false),
        202 => {
            let words: Value = answer.json()?;
            ensure!(text(&words, "/status") == "accepted", "it says {words}");
            Ok(true)
        }
        _ => Err(Failure::new(format_args!("expected 201 or 202:\n{}", answer.exchange()))),
    }
}

async fn an_event_is_accepted_without_a_database(ctx: Ctx) -> CaseResult {
    const AGAIN: &str = "gateway.again";
    let stack = ctx.disturb()?;
    store(&ctx, &event(&ctx, "gateway", "gateway.before", "received")).await?;
    stack.stop(DATABASE).await?;
    for number in 1..=3 {
        accepted(&ctx, number).await?;
    }
    stack.start(DATABASE).await?;
    let event = event(&ctx, "gateway", AGAIN, "received");
    let stored = ctx.until("an event that is stored again", NOTICED, async || {
        Ok(ctx.post(SERVICE, EVENTS).json(&event).send().await?.expect(201)?)
    });
    stored.await?;
    ctx.audit().kinds([AGAIN]).at_least(1).holds().await?;
    ctx.audit().kinds(["gateway.before"]).exactly(1).holds().await?;
    Ok(())
}

async fn what_is_accepted_while_the_database_goes_and_comes_is_stored_exactly_once(
    ctx: Ctx,
) -> CaseResult {
    let stack = ctx.disturb()?;
    store(&ctx, &event(&ctx, "gateway", "gateway.before", "received")).await?;
    // One writer goes on while the database is stopped, and another while it is started.
    let mut sent = 0;
    let mut aside = 0;
    for going in [true, false] {
        let disturbing =
            async { if going { stack.stop(DATABASE).await } else { stack.start(DATABASE).await } };
        let mut disturbing = std::pin::pin!(disturbing);
        loop {
            sent += 1;
            aside += usize::from(accepted(&ctx, sent).await?);
            let moment = tokio::time::timeout(Duration::from_millis(100), &mut disturbing).await;
            if let Ok(disturbed) = moment {
                disturbed?;
                break;
            }
        }
    }
    ensure!(aside > 0, "all of {sent} events were stored at once: was the database away?");
    let rows = ctx.audit().kinds(["gateway.signal.received"]).exactly(sent).holds().await?;
    let mut numbers: Vec<_> =
        rows.iter().filter_map(|row| row.get("event_data.number")?.as_u64()).collect();
    numbers.sort_unstable();
    let all = (1..=sent as u64).collect::<Vec<_>>();
    ensure!(numbers == all, "{sent} were accepted, and these are there: {numbers:?}");
    Ok(())
}

async fn what_is_accepted_without_a_database_outlives_the_service_and_redis(
    ctx: Ctx,
) -> CaseResult {
    let stack = ctx.disturb()?;
    stack.stop(DATABASE).await?;
    let mut aside = 0;
    for number in 1..=5 {
        aside += usize::from(accepted(&ctx, number).await?);
    }
    ensure!(aside == 5, "{aside} of 5 events were put aside");
    stack.kill(STREAMS).await?;
    // Redis is another process now, and the service notices that by itself.
    ensure!(accepted(&ctx, 6).await?, "it was stored without a database");
    stack.stop(SERVICE).await?;
    stack.start(DATABASE).await?;
    stack.start(SERVICE).await?;
    ctx.audit().exactly(6).holds().await?;
    Ok(())
}

async fn a_notification_accepted_without_a_database_is_recorded_once(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let record = notification(&ctx);
    let post = || ctx.post(SERVICE, NOTIFICATIONS).json(&record).send();
    stack.stop(DATABASE).await?;
    post().await?.expect(202)?;
    stack.start(DATABASE).await?;
    // There is no question about notifications; a second one of the same id is refused.
    let recorded = ctx.until("the record of the notification", NOTICED, async || {
        let stream = [("stream", "audit:dlq:notifications")];
        let depth = ctx.metrics(SERVICE).await?.value("datastorage_dlq_depth", &stream)?;
        ensure!(depth < 1.0, "{depth} notifications wait");
        Ok(())
    });
    recorded.await?;
    post().await?.expect(409)?;
    Ok(())
}

async fn a_service_without_a_database_is_not_ready_until_it_is_back(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let says = async |status: u16, words: Value| {
        ctx.until(format_args!("{status} {words}"), NOTICED, async || {
            let answer = ctx.get(SERVICE, "/health/ready").send().await?.expect(status)?;
            ensure_eq!(answer.json::<Value>()?, words);
            Ok(())
        })
        .await
    };
    says(200, json!({"status": "ready"})).await?;
    stack.stop(DATABASE).await?;
    says(503, json!({"status": "not_ready", "reason": "database_unreachable"})).await?;
    let health = ctx.get(SERVICE, "/health").send().await?.expect(503)?;
    let words: Value = health.json()?;
    ensure!(words["database"] == "unreachable", "the health is {words}");
    ctx.get(SERVICE, "/health/live").send().await?.expect(200)?;
    stack.start(DATABASE).await?;
    says(200, json!({"status": "ready"})).await?;
    Ok(())
}

async fn an_event_that_nobody_can_take_is_refused(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    stack.stop(STREAMS).await?;
    stack.stop(DATABASE).await?;
    let event = event(&ctx, "gateway", "gateway.signal.received", "received");
    let problem: Value =
        ctx.post(SERVICE, EVENTS).json(&event).send().await?.expect(500)?.json()?;
    ensure!(text(&problem, "/type").ends_with("database_error"), "the problem is {problem:#}");
    stack.start(STREAMS).await?;
    stack.start(DATABASE).await?;
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}
