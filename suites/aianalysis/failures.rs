//! A HAPI that fails the request of one incident: slow, cut off, away, in error; and nobody else notices.

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{CALLED, CONTROLLER, PROXY, analysis, answers, complete, condition, fail, make, until};
use crate::faults;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let beyond = [
        // The supplement has neither among what is asked for again.
        case!(a_hapi_that_is_too_busy_is_asked_again).beyond("supplement 6.4"),
        case!(an_answer_that_makes_no_sense_is_asked_for_again).beyond("supplement 6.4"),
        // The original's definition refuses the reason, so that it never fails.
        case!(a_hapi_that_never_answers_is_given_up).beyond("supplement 6.1"),
    ];
    let all = cases![
        a_hapi_that_answers_later_is_asked_again,
        a_question_that_hapi_refuses_is_not_asked_again,
        an_answer_that_is_slow_is_waited_for,
        an_answer_that_is_too_slow_is_asked_for_again,
        an_answer_that_is_cut_off_is_asked_for_again,
        a_hapi_that_is_away_is_asked_again,
        a_hapi_that_restarts_in_the_midst_is_asked_again,
        nobody_else_notices_that_hapi_fails,
    ];
    all.into_iter().chain(beyond)
}

/// An analysis is completed although HAPI fails; `expected` is how its requests are answered.
async fn completes(ctx: &Ctx, faults: Value, expected: &[Value]) -> CaseResult {
    fail(ctx, faults).await?;
    let status = complete(ctx, analysis(ctx, "failing", "OOMKilled", "staging")).await?;
    ensure_eq!(answers(ctx).await?, expected);
    // What went wrong before is forgotten.
    ensure!(status["consecutiveFailures"].is_null(), "it remembers: {status}");
    ensure_eq!(condition(&status, "InvestigationComplete")["status"], json!("True"));
    let (failed, all) = (expected.len() - 1, expected.len());
    let calls = ctx.audit().emitter(CONTROLLER).kinds([CALLED]).at_least(all).holds().await?;
    let failures = calls
        .iter()
        .filter(|call| call.get("event_outcome").is_some_and(|outcome| outcome == "failure"));
    ensure_eq!(failures.count(), failed);
    Ok(())
}

async fn a_hapi_that_answers_later_is_asked_again(ctx: Ctx) -> CaseResult {
    let faults = json!([{"mode": "answer", "status": 500, "times": 2}]);
    completes(&ctx, faults, &[json!(500), json!(500), json!(200)]).await
}

async fn a_hapi_that_never_answers_is_given_up(ctx: Ctx) -> CaseResult {
    fail(&ctx, json!([{"mode": "answer", "status": 500}])).await?;
    let name = make(&ctx, analysis(&ctx, "failing", "OOMKilled", "staging")).await?;
    let given_up = json!({
        "phase": "Failed", "reason": "APIError", "subReason": "MaxRetriesExceeded",
        "consecutiveFailures": 5,
    });
    let status = until(&ctx, &name, given_up).await?;
    ensure_eq!(answers(&ctx).await?, [500, 500, 500, 500, 500]);
    ensure!(status["completedAt"].is_string(), "it has no end: {status}");
    ensure_eq!(condition(&status, "InvestigationComplete")["reason"], json!("InvestigationFailed"));
    let failed = json!({"event_outcome": "failure"});
    ctx.audit().emitter(CONTROLLER).kinds([CALLED]).exactly(5).all_matching(failed).holds().await?;
    Ok(())
}

async fn a_question_that_hapi_refuses_is_not_asked_again(ctx: Ctx) -> CaseResult {
    let refusal = json!({"title": "Bad Request", "detail": "there is no such signal"});
    fail(&ctx, json!([{"mode": "answer", "status": 400, "body": refusal}])).await?;
    let name = make(&ctx, analysis(&ctx, "refused", "OOMKilled", "staging")).await?;
    let refused = json!({"phase": "Failed", "reason": "APIError", "subReason": "PermanentError"});
    until(&ctx, &name, refused).await?;
    ensure_eq!(answers(&ctx).await?, [400]);
    Ok(())
}

async fn a_hapi_that_is_too_busy_is_asked_again(ctx: Ctx) -> CaseResult {
    let faults = json!([{"mode": "answer", "status": 429, "times": 1}]);
    completes(&ctx, faults, &[json!(429), json!(200)]).await
}

async fn an_answer_that_is_slow_is_waited_for(ctx: Ctx) -> CaseResult {
    fail(&ctx, json!([{"mode": "slow", "seconds": 3, "times": 1}])).await?;
    let status = complete(&ctx, analysis(&ctx, "slow", "OOMKilled", "staging")).await?;
    ensure_eq!(answers(&ctx).await?, [200]);
    let took = status["investigationTime"].as_u64().unwrap_or_default();
    ensure!(took >= 3000, "it took {took} ms");
    Ok(())
}

async fn an_answer_that_is_too_slow_is_asked_for_again(ctx: Ctx) -> CaseResult {
    // Nobody waited for the first answer.
    let faults = json!([{"mode": "slow", "seconds": 600, "times": 1}]);
    completes(&ctx, faults, &[Value::Null, json!(200)]).await
}

async fn an_answer_that_is_cut_off_is_asked_for_again(ctx: Ctx) -> CaseResult {
    let faults = json!([{"mode": "cut-off", "times": 1}]);
    completes(&ctx, faults, &[json!(200), json!(200)]).await
}

async fn an_answer_that_makes_no_sense_is_asked_for_again(ctx: Ctx) -> CaseResult {
    let faults = json!([
        {"mode": "malformed-json", "times": 1}, {"mode": "empty-response", "times": 1},
    ]);
    completes(&ctx, faults, &[json!(200), json!(200), json!(200)]).await
}

async fn a_hapi_that_is_away_is_asked_again(ctx: Ctx) -> CaseResult {
    let faults = json!([{"mode": "away", "times": 2}]);
    completes(&ctx, faults, &[Value::Null, Value::Null, json!(200)]).await
}

async fn a_hapi_that_restarts_in_the_midst_is_asked_again(ctx: Ctx) -> CaseResult {
    // The answer that it had begun is lost, then nobody listens, then it is not ready yet.
    let faults = json!([
        {"mode": "cut-off", "times": 1},
        {"mode": "away", "times": 1},
        {"mode": "answer", "status": 503, "times": 1},
    ]);
    completes(&ctx, faults, &[json!(200), Value::Null, json!(503), json!(200)]).await
}

async fn nobody_else_notices_that_hapi_fails(ctx: Ctx) -> CaseResult {
    let own = |name: &str| ctx.objects().own_name(name);
    let always = json!([{"mode": "answer", "status": 500}]);
    faults::set(&ctx, PROXY, &own("failing"), &always).await?;
    let failing = make(&ctx, analysis(&ctx, "failing", "OOMKilled", "staging")).await?;
    until(&ctx, &failing, json!({"reason": "TransientError"})).await?;
    let status = complete(&ctx, analysis(&ctx, "fine", "OOMKilled", "staging")).await?;
    ensure_eq!(status["investigationId"], json!(own("fine")));
    ensure!(status["message"].as_str().is_some_and(|it| !it.contains("500")), "it is {status}");
    Ok(())
}
