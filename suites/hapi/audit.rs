//! The events that an analysis leaves behind (contract 5.6).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::json;

use super::{EMITTER, analyze, envelope, failed, incident, recover};

/// The events of one incident, in the order in which they are emitted.
pub(super) const TRAIL: [&str; 3] = ["llm_request", "llm_response", "workflow_validation_attempt"];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_request_to_the_model_is_audited,
        an_answer_of_the_model_is_audited,
        a_validation_of_the_workflow_is_audited,
        an_incident_leaves_its_whole_trail_in_order,
        an_incident_without_a_workflow_leaves_the_same_trail,
        a_recovery_leaves_a_request_and_a_response,
    ]
}

async fn a_request_to_the_model_is_audited(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
    let answer = analyze(&ctx, &request).await?;
    ensure!(
        answer.get("root_cause_analysis").is_some() || answer.get("selected_workflow").is_some(),
        "neither a root cause nor a workflow: {answer}"
    );
    let rows = ctx
        .audit()
        .emitter(EMITTER)
        .kinds(["llm_request"])
        .exactly(1)
        .all_matching(envelope(&request))
        .matching(
            "llm_request",
            json!({"event_action": "llm_request_sent", "event_outcome": "success"}),
        )
        .holds()
        .await?;
    let data = &rows[0].as_json()["event_data"];
    ensure!(
        data.get("prompt_length").is_some() || data.get("prompt_preview").is_some(),
        "the event says nothing of the prompt: {data}"
    );
    Ok(())
}

async fn an_answer_of_the_model_is_audited(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "CrashLoopBackOff", "high", "staging", "P2");
    analyze(&ctx, &request).await?;
    let rows = ctx
        .audit()
        .emitter(EMITTER)
        .kinds(["llm_response"])
        .exactly(1)
        .all_matching(envelope(&request))
        .matching("llm_response", json!({"event_action": "llm_response_received"}))
        .holds()
        .await?;
    let data = &rows[0].as_json()["event_data"];
    for key in ["has_analysis", "analysis_length"] {
        ensure!(data.get(key).is_some(), "the event has no `{key}`: {data}");
    }
    Ok(())
}

async fn a_validation_of_the_workflow_is_audited(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
    analyze(&ctx, &request).await?;
    let rows = ctx
        .audit()
        .emitter(EMITTER)
        .kinds(["workflow_validation_attempt"])
        .exactly(1)
        .all_matching(envelope(&request))
        .matching("workflow_validation_attempt", json!({"event_action": "validation_executed"}))
        .holds()
        .await?;
    let data = &rows[0].as_json()["event_data"];
    for key in ["attempt", "max_attempts", "is_valid"] {
        ensure!(data.get(key).is_some(), "the event has no `{key}`: {data}");
    }
    Ok(())
}

async fn an_incident_leaves_its_whole_trail_in_order(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
    analyze(&ctx, &request).await?;
    ctx.audit()
        .exactly(TRAIL.len())
        .in_order(TRAIL)
        .all_matching(envelope(&request))
        .holds()
        .await?;
    Ok(())
}

async fn an_incident_without_a_workflow_leaves_the_same_trail(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "MOCK_NO_WORKFLOW_FOUND", "high", "production", "P1");
    analyze(&ctx, &request).await?;
    // A mocked model is always believed: contract 5.6.
    let validated = json!({
        "event_outcome": "success",
        "event_data": {"attempt": 1, "max_attempts": 3, "is_valid": true, "errors": []},
    });
    ctx.audit()
        .exactly(TRAIL.len())
        .in_order(TRAIL)
        .all_matching(envelope(&request))
        .matching("workflow_validation_attempt", validated)
        .holds()
        .await?;
    Ok(())
}

async fn a_recovery_leaves_a_request_and_a_response(ctx: Ctx) -> CaseResult {
    let request = failed(&ctx, "OOMKilled");
    recover(&ctx, &request).await?;
    ctx.audit()
        .exactly(2)
        .in_order(["llm_request", "llm_response"])
        .all_matching(envelope(&request))
        .matching("llm_request", json!({"event_outcome": "success"}))
        .matching("llm_response", json!({"event_data": {"has_analysis": true}}))
        .holds()
        .await?;
    Ok(())
}
