//! What is told of errors, which are provoked here (scenario 06).

use kindwright::{Case, CaseResult, Ctx, Failure, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    CALLED, CONTROLLER, ERROR, MOVED, SOON, TRAIL, analysis, complete, envelope, fail, make, until,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_call_that_hapi_answers_with_an_error_is_told,
        an_analysis_that_is_tried_again_is_told_meanwhile,
        every_event_of_an_error_says_whose_it_is,
    ]
    .into_iter()
    .chain([
        // The original tells it practically never.
        case!(an_error_of_an_investigation_is_told_in_words).beyond("supplement 6.2"),
        case!(what_was_told_before_a_restart_is_there_after_it).alone(),
    ])
}

/// An analysis whose HAPI fails so often before it answers.
async fn fails_first(ctx: &Ctx, times: u32) -> Result<Value, Failure> {
    fail(ctx, json!([{"mode": "answer", "status": 500, "times": times}])).await?;
    complete(ctx, analysis(ctx, "failing", "OOMKilled", "production")).await
}

async fn a_call_that_hapi_answers_with_an_error_is_told(ctx: Ctx) -> CaseResult {
    fails_first(&ctx, 1).await?;
    let failed = json!({
        "event_outcome": "failure",
        "event_data": {"http_status_code": 500, "endpoint": "/api/v1/incident/analyze"},
    });
    let answered = json!({"event_outcome": "success", "event_data": {"http_status_code": 200}});
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds([CALLED])
        .at_least(2)
        .all_matching(envelope(&ctx))
        .matching(CALLED, failed)
        .matching(CALLED, answered)
        .holds()
        .await?;
    Ok(())
}

async fn an_analysis_that_is_tried_again_is_told_meanwhile(ctx: Ctx) -> CaseResult {
    // Longer than the case: it is asked anew until then.
    fail(&ctx, json!([{"mode": "answer", "status": 503}])).await?;
    let name = make(&ctx, analysis(&ctx, "retried", "CrashLoopBackOff", "staging")).await?;
    let tried = json!({
        "phase": "Investigating", "reason": "TransientError", "subReason": "TransientError",
    });
    let status = until(&ctx, &name, tried).await?;
    let message = status["message"].as_str().unwrap_or_default();
    ensure!(message.contains("503"), "it says: {message}");
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds([MOVED, CALLED])
        .at_least(2)
        .all_matching(envelope(&ctx))
        .holds()
        .await?;
    Ok(())
}

async fn an_error_of_an_investigation_is_told_in_words(ctx: Ctx) -> CaseResult {
    fails_first(&ctx, 2).await?;
    let error = json!({
        "event_action": "error", "event_outcome": "failure", "event_data": {"phase": "Investigating"},
    });
    let errors = ctx.audit().emitter(CONTROLLER).kinds([ERROR]).exactly(2);
    for error in errors.all_matching(envelope(&ctx)).all_matching(error).holds().await? {
        let words = error.get("event_data.error_message").and_then(Value::as_str);
        ensure!(words.is_some_and(|words| words.contains("500")), "it says: {words:?}");
    }
    Ok(())
}

async fn what_was_told_before_a_restart_is_there_after_it(ctx: Ctx) -> CaseResult {
    complete(&ctx, analysis(&ctx, "before", "HighMemoryUsage", "staging")).await?;
    let all = || ctx.audit().emitter(CONTROLLER).at_least(TRAIL.len());
    let before = all().holds().await?;
    ctx.disturb()?.kill(CONTROLLER).await?;
    // What it would do after its start comes before this.
    let mut after = analysis(&ctx, "after", "HighMemoryUsage", "staging");
    let other = format!("{}-after", ctx.correlation_id());
    after["spec"]["remediationId"] = json!(other);
    complete(&ctx, after).await?;
    ctx.audit_of(&other).emitter(CONTROLLER).at_least(TRAIL.len()).holds().await?;
    let ids = |rows: &[kindwright::Row]| -> Vec<_> {
        rows.iter().map(|row| row.get("event_id").cloned()).collect()
    };
    ensure_eq!(ids(&all().holds().await?), ids(&before));
    Ok(())
}

async fn every_event_of_an_error_says_whose_it_is(ctx: Ctx) -> CaseResult {
    let status = fails_first(&ctx, 1).await?;
    ensure!(status["investigationId"].is_string(), "HAPI did not answer: {status}");
    let events = ctx
        .audit()
        .emitter(CONTROLLER)
        .at_least(TRAIL.len() + 1)
        .all_matching(envelope(&ctx))
        .all_matching(json!({"resource_id": ctx.objects().own_name("failing")}))
        .within(SOON)
        .holds()
        .await?;
    for event in &events {
        for column in ["event_id", "event_timestamp", "event_action", "event_outcome"] {
            ensure!(event.get(column).is_some_and(Value::is_string), "no {column} in {event:?}");
        }
        let data = event.get("event_data").and_then(Value::as_object);
        ensure!(data.is_some_and(|data| !data.is_empty()), "nothing is inside {event:?}");
    }
    Ok(())
}
