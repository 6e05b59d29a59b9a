//! Malformed events: refused with the field, and never stored (scenario 10).

use kindwright::{Case, CaseResult, Ctx, Failure, cases, ensure};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{EVENTS, SERVICE, event, text, time};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_malformed_event_is_refused_with_its_field_and_not_stored,
        an_event_that_lacks_something_is_refused_with_its_field,
        an_event_whose_parent_nobody_knows_is_refused,
        a_body_that_is_no_json_is_refused,
        a_batch_that_is_no_list_or_empty_is_refused,
        a_batch_says_which_of_its_events_is_refused,
        a_problem_says_its_path_to_whoever_can_tell_requests_apart,
    ]
}

/// The problem of an event that is refused.
async fn refused(ctx: &Ctx, event: &Value) -> Result<Value, Failure> {
    let answer = ctx.post(SERVICE, EVENTS).json(event).send().await?.expect(400)?;
    let kind = answer.header("content-type").unwrap_or_default();
    ensure!(kind.starts_with("application/problem+json"), "the type is {kind:?}");
    let problem: Value = answer.json()?;
    for member in ["type", "title", "status", "detail"] {
        ensure!(problem.get(member).is_some(), "no `{member}`: {problem:#}");
    }
    Ok(problem)
}

async fn a_malformed_event_is_refused_with_its_field_and_not_stored(ctx: Ctx) -> CaseResult {
    let now = OffsetDateTime::now_utc();
    for (field, value) in [
        ("event_type", Value::Null),
        ("correlation_id", Value::Null),
        ("correlation_id", json!("")),
        ("event_type", json!("")),
        ("event_type", json!("x".repeat(101))),
        ("event_category", json!("tea")),
        ("event_outcome", json!("maybe")),
        ("event_timestamp", json!("yesterday")),
        // Of these two, the original says only that it is the timestamp.
        ("timestamp", json!(time(now + Duration::hours(2)))),
        ("timestamp", json!(time(now - Duration::days(8)))),
        ("event_data", json!("a text")),
        ("event_data", Value::Null),
        ("version", Value::Null),
    ] {
        let mut event = received(&ctx);
        event[if field == "timestamp" { "event_timestamp" } else { field }] = value.clone();
        let problem = refused(&ctx, &event).await?;
        let detail = text(&problem, "/detail");
        ensure!(detail.contains(field), "{field}={value}: the detail is {detail:?}");
    }
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}

async fn an_event_that_lacks_something_is_refused_with_its_field(ctx: Ctx) -> CaseResult {
    for field in ["event_type", "correlation_id", "event_outcome", "event_timestamp", "event_data"]
    {
        let mut event = received(&ctx);
        if let Some(fields) = event.as_object_mut() {
            fields.remove(field);
        }
        let problem = refused(&ctx, &event).await?;
        let detail = text(&problem, "/detail");
        ensure!(detail.contains(field), "without {field} the detail is {detail:?}");
    }
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}

async fn an_event_whose_parent_nobody_knows_is_refused(ctx: Ctx) -> CaseResult {
    let mut event = received(&ctx);
    event["parent_event_id"] = json!("00000000-0000-4000-8000-000000000000");
    let problem = refused(&ctx, &event).await?;
    let detail = text(&problem, "/detail");
    ensure!(detail.contains("does not exist"), "the detail is {detail:?}");
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}

async fn a_body_that_is_no_json_is_refused(ctx: Ctx) -> CaseResult {
    for body in ["{no json", "", "[]", "7"] {
        ctx.post(SERVICE, EVENTS).body("application/json", body).send().await?.expect(400)?;
    }
    Ok(())
}

async fn a_batch_that_is_no_list_or_empty_is_refused(ctx: Ctx) -> CaseResult {
    for body in [json!({}), json!([])] {
        ctx.post(SERVICE, &format!("{EVENTS}/batch")).json(&body).send().await?.expect(400)?;
    }
    Ok(())
}

async fn a_batch_says_which_of_its_events_is_refused(ctx: Ctx) -> CaseResult {
    // Of what its description of the API refuses, the original does not say which.
    let mut batch = vec![received(&ctx); 3];
    batch[1]["event_timestamp"] = json!(time(OffsetDateTime::now_utc() - Duration::days(8)));
    let answer = ctx.post(SERVICE, &format!("{EVENTS}/batch")).json(&batch).send().await?;
    let problem: Value = answer.expect(400)?.json()?;
    let detail = text(&problem, "/detail");
    ensure!(detail.contains("event at index 1"), "the detail is {detail:?}");
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}

async fn a_problem_says_its_path_to_whoever_can_tell_requests_apart(ctx: Ctx) -> CaseResult {
    let request = ctx.post(SERVICE, EVENTS).header("X-Request-ID", ctx.correlation_id());
    let problem: Value = request.json(&json!({})).send().await?.expect(400)?.json()?;
    ensure!(problem["instance"] == EVENTS, "the problem is {problem:#}");
    let problem = refused(&ctx, &json!({})).await?;
    ensure!(problem.get("instance").is_none(), "the problem is {problem:#}");
    Ok(())
}

/// An event that nothing is wrong with.
fn received(ctx: &Ctx) -> Value {
    event(ctx, "gateway", "gateway.signal.received", "received")
}
