//! Malformed events: refused with the field, and never stored (scenario 10).

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{EVENTS, SERVICE, event, text, time};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_malformed_event_is_refused_with_its_field_and_not_stored,
        a_body_that_is_no_json_is_refused,
        a_batch_that_is_no_list_or_empty_is_refused,
    ]
    .into_iter()
    .chain([
        // The contract does not say with what the original fills `instance`.
        case!(a_request_that_was_named_is_named_in_its_problem).beyond("contract 4"),
    ])
}

async fn a_malformed_event_is_refused_with_its_field_and_not_stored(ctx: Ctx) -> CaseResult {
    let now = OffsetDateTime::now_utc();
    for (field, value) in [
        ("event_type", Value::Null),
        ("event_type", json!("")),
        ("event_type", json!("x".repeat(101))),
        ("event_category", json!("tea")),
        ("event_outcome", json!("maybe")),
        ("event_timestamp", json!("yesterday")),
        ("event_timestamp", json!(time(now + Duration::hours(1)))),
        ("event_timestamp", json!(time(now - Duration::days(8)))),
        ("event_data", json!("a text")),
        ("event_data", Value::Null),
        ("version", Value::Null),
        ("parent_event_id", json!("00000000-0000-4000-8000-000000000000")),
    ] {
        let mut event = event(&ctx, "gateway", "gateway.signal.received", "received");
        event[field] = value.clone();
        let answer = ctx.post(SERVICE, EVENTS).json(&event).send().await?.expect(400)?;
        let kind = answer.header("content-type").unwrap_or_default();
        ensure!(kind.starts_with("application/problem+json"), "{field}: the type is {kind:?}");
        let problem: Value = answer.json()?;
        let detail = text(&problem, "/detail");
        ensure!(detail.contains(field), "{field}={value}: the detail is {detail:?}");
        for member in ["type", "title", "status"] {
            ensure!(problem.get(member).is_some(), "no `{member}`: {problem:#}");
        }
    }
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

async fn a_request_that_was_named_is_named_in_its_problem(ctx: Ctx) -> CaseResult {
    let request = ctx.post(SERVICE, EVENTS).header("X-Request-ID", ctx.correlation_id());
    let problem: Value = request.json(&json!({})).send().await?.expect(400)?.json()?;
    ensure!(problem["instance"] == ctx.correlation_id(), "the problem is {problem:#}");
    Ok(())
}
