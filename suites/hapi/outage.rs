//! HAPI while the data service is away, and when it is told to end with events that it has not sent.

use std::{collections::BTreeSet, time::Duration};

use kindwright::{Case, CaseResult, Ctx, case, ensure};
use serde_json::json;

use super::{HAPI, analyze, audit::TRAIL, envelope, failed, incident, recover, text};

const DATA: &str = "datastorage";
/// How long what could not be sent may hold up what comes after it: five seconds an event, and
/// five events (contract 5.6).
const HELD_UP: Duration = Duration::from_mins(1);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(it_answers_while_the_data_service_is_away),
        case!(it_goes_on_after_it_was_told_to_end_with_events_unsent),
        // The original loses what it has not sent.
        case!(what_was_not_sent_when_it_was_told_to_end_is_stored).beyond("contract 5.6"),
    ]
    .map(Case::alone)
}

/// Fails unless an incident of another id than the case's leaves its whole trail.
async fn goes_on(ctx: &Ctx) -> CaseResult {
    let mut request = incident(ctx, "OOMKilled", "critical", "production", "P1");
    request["remediation_id"] = json!(format!("{}-after", ctx.correlation_id()));
    analyze(ctx, &request).await?;
    ctx.audit_of(text(&request, "/remediation_id"))
        .within(HELD_UP)
        .exactly(TRAIL.len())
        .in_order(TRAIL)
        .all_matching(envelope(&request))
        .holds()
        .await?;
    Ok(())
}

async fn it_answers_while_the_data_service_is_away(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    stack.stop(DATA).await?;
    ctx.get(HAPI, "/health").send().await?.expect(200)?;
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
    let answer = analyze(&ctx, &request).await?;
    ensure!(answer["selected_workflow"].is_object(), "there is no workflow: {answer:#}");
    let answer = recover(&ctx, &failed(&ctx, "OOMKilled")).await?;
    ensure!(answer["can_recover"] == true, "nothing can be done: {answer:#}");
    stack.start(DATA).await?;
    goes_on(&ctx).await
}

async fn it_goes_on_after_it_was_told_to_end_with_events_unsent(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
    analyze(&ctx, &request).await?;
    stack.stop(HAPI).await?;
    stack.start(HAPI).await?;
    goes_on(&ctx).await?;
    // What was sent before the end was sent once.
    let rows = ctx.audit().at_least(0).all_matching(envelope(&request)).holds().await?;
    let types: Vec<_> = rows.iter().map(|row| row.as_json()["event_type"].to_string()).collect();
    let once = types.iter().collect::<BTreeSet<_>>().len() == types.len();
    ensure!(once, "events are there twice: {types:?}");
    Ok(())
}

async fn what_was_not_sent_when_it_was_told_to_end_is_stored(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
    analyze(&ctx, &request).await?;
    stack.stop(HAPI).await?;
    ctx.audit()
        .exactly(TRAIL.len())
        .in_order(TRAIL)
        .all_matching(envelope(&request))
        .holds()
        .await?;
    Ok(())
}
