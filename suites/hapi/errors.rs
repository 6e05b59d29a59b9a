//! What HAPI refuses, and how it says so (contract 5.2).

use kindwright::{Answer, Case, CaseResult, Ctx, Failure, case, cases, ensure};
use serde_json::{Value, json};

use super::{ANALYZE, HAPI, RECOVER, failed, incident};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let promised = cases![
        an_incomplete_request_is_refused_as_a_problem,
        a_request_that_is_no_json_is_refused,
        a_mocked_signal_does_not_excuse_an_incomplete_request,
        a_recovery_without_a_remediation_is_refused,
        an_unknown_path_is_not_found,
        a_request_id_is_given_back,
    ];
    promised.into_iter().chain([
        // Of the original, only some versions say so.
        case!(a_problem_names_the_field_that_is_missing).beyond("contract 5.2"),
        case!(an_answer_has_a_request_id_of_its_own).beyond("contract 5.2"),
    ])
}

/// The body of an answer that refuses a request, which says that it is a problem.
pub(super) fn refused(answer: &Answer) -> Result<Value, Failure> {
    ensure!(matches!(answer.status(), 400 | 422), "expected 400 or 422:\n{}", answer.exchange());
    let kind = answer.header("content-type").unwrap_or_default();
    ensure!(kind.starts_with("application/problem+json"), "the content type is `{kind}`");
    let problem: Value = answer.json()?;
    for key in ["type", "title", "detail", "status"] {
        ensure!(problem.get(key).is_some(), "the problem has no `{key}`: {problem}");
    }
    ensure!(problem["status"] == answer.status(), "the problem has another status: {problem}");
    Ok(problem)
}

fn without(mut request: Value, field: &str) -> Value {
    if let Some(fields) = request.as_object_mut() {
        fields.remove(field);
    }
    request
}

async fn an_incomplete_request_is_refused_as_a_problem(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
    let request = without(request, "signal_type");
    refused(&ctx.post(HAPI, ANALYZE).json(&request).send().await?)?;
    Ok(())
}

async fn a_problem_names_the_field_that_is_missing(ctx: Ctx) -> CaseResult {
    for field in ["signal_type", "incident_id"] {
        let request = without(incident(&ctx, "OOMKilled", "critical", "production", "P1"), field);
        let problem = refused(&ctx.post(HAPI, ANALYZE).json(&request).send().await?)?;
        let detail = problem["detail"].as_str().unwrap_or_default();
        ensure!(detail.contains(field), "{field} is not named: {problem}");
    }
    let mut request = failed(&ctx, "OOMKilled");
    request["recovery_attempt_number"] = json!(0);
    let problem = refused(&ctx.post(HAPI, RECOVER).json(&request).send().await?)?;
    let detail = problem["detail"].as_str().unwrap_or_default();
    ensure!(detail.contains("recovery_attempt_number"), "the field is not named: {problem}");
    Ok(())
}

async fn a_request_that_is_no_json_is_refused(ctx: Ctx) -> CaseResult {
    let answer = ctx.post(HAPI, ANALYZE).body("application/json", "{no json").send().await?;
    ensure!(matches!(answer.status(), 400 | 422), "expected 400 or 422:\n{}", answer.exchange());
    Ok(())
}

async fn a_mocked_signal_does_not_excuse_an_incomplete_request(ctx: Ctx) -> CaseResult {
    let mut request = incident(&ctx, "MOCK_NO_WORKFLOW_FOUND", "high", "production", "P1");
    request["remediation_id"] = json!("");
    refused(&ctx.post(HAPI, ANALYZE).json(&request).send().await?)?;
    Ok(())
}

async fn a_recovery_without_a_remediation_is_refused(ctx: Ctx) -> CaseResult {
    let request = without(failed(&ctx, "OOMKilled"), "remediation_id");
    refused(&ctx.post(HAPI, RECOVER).json(&request).send().await?)?;
    Ok(())
}

async fn an_unknown_path_is_not_found(ctx: Ctx) -> CaseResult {
    ctx.get(HAPI, "/api/v1/nothing").send().await?.expect(404)?;
    Ok(())
}

async fn a_request_id_is_given_back(ctx: Ctx) -> CaseResult {
    let id = ctx.correlation_id();
    let request = ctx.post(HAPI, ANALYZE).header("X-Request-ID", id);
    let answer = request.json(&json!({})).send().await?;
    let problem = refused(&answer)?;
    ensure!(answer.header("x-request-id") == Some(id), "another id:\n{}", answer.exchange());
    ensure!(problem["request_id"] == id, "the problem has another id: {problem}");
    Ok(())
}

async fn an_answer_has_a_request_id_of_its_own(ctx: Ctx) -> CaseResult {
    let healthy = ctx.get(HAPI, "/health").send().await?.expect(200)?;
    let drawn = healthy.header("x-request-id").unwrap_or_default();
    ensure!(!drawn.is_empty(), "no id was drawn:\n{}", healthy.exchange());
    Ok(())
}
