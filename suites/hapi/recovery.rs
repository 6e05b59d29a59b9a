//! What HAPI advises after a workflow failed (contract 5.4).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::{Value, json};

use super::{HAPI, RECOVER, analyze, failed, incident, list, number, recover, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_recovery_is_answered_for_its_own_incident,
        a_recovery_has_every_part_of_an_answer,
        the_parts_of_a_recovery_have_their_types,
        every_strategy_says_what_to_do_and_how_sure_it_is,
        the_previous_attempt_is_assessed,
        the_workflow_of_a_recovery_can_be_executed,
        a_mocked_recovery_says_that_it_is_mocked,
        an_attempt_before_the_first_is_refused,
        a_recovery_knows_what_to_do_without_the_previous_execution,
        an_incident_leads_to_a_recovery_under_the_same_ids,
    ]
}

async fn a_recovery_is_answered_for_its_own_incident(ctx: Ctx) -> CaseResult {
    let request = failed(&ctx, "OOMKilled");
    let answer = recover(&ctx, &request).await?;
    ensure!(answer["incident_id"] == request["incident_id"], "another incident: {answer:#}");
    Ok(())
}

async fn a_recovery_has_every_part_of_an_answer(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "CrashLoopBackOff")).await?;
    for key in [
        "can_recover",
        "strategies",
        "primary_recommendation",
        "analysis_confidence",
        "warnings",
        "metadata",
        "selected_workflow",
        "recovery_analysis",
    ] {
        ensure!(!answer[key].is_null(), "there is no `{key}`: {answer:#}");
    }
    for key in ["needs_human_review", "human_review_reason"] {
        ensure!(answer.get(key).is_some(), "there is no `{key}`: {answer:#}");
    }
    Ok(())
}

async fn the_parts_of_a_recovery_have_their_types(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "NodeNotReady")).await?;
    ensure!(answer["can_recover"].is_boolean(), "{answer:#}");
    ensure!(answer["needs_human_review"].is_boolean(), "{answer:#}");
    ensure!(answer["strategies"].is_array() && answer["warnings"].is_array(), "{answer:#}");
    for key in ["metadata", "selected_workflow", "recovery_analysis"] {
        ensure!(answer[key].is_object(), "`{key}` is no object: {answer:#}");
    }
    let confidence = number(&answer, "/analysis_confidence");
    ensure!((0.0..=1.0).contains(&confidence), "a confidence of {confidence}: {answer:#}");
    Ok(())
}

async fn every_strategy_says_what_to_do_and_how_sure_it_is(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "ImagePullBackOff")).await?;
    let strategies = list(&answer, "/strategies");
    ensure!(!strategies.is_empty(), "there is no strategy: {answer:#}");
    for strategy in strategies {
        for key in ["action_type", "rationale"] {
            let words = text(strategy, &format!("/{key}"));
            ensure!(!words.is_empty(), "the strategy has no `{key}`: {strategy:#}");
        }
        let risk = text(strategy, "/estimated_risk");
        ensure!(matches!(risk, "low" | "medium" | "high"), "a risk of `{risk}`: {strategy:#}");
        ensure!((0.0..=1.0).contains(&number(strategy, "/confidence")), "{strategy:#}");
        ensure!(strategy["prerequisites"].is_array(), "no prerequisites: {strategy:#}");
    }
    let recommended = &answer["primary_recommendation"];
    let known = strategies.iter().any(|strategy| strategy["action_type"] == *recommended);
    ensure!(known, "what is recommended is no strategy: {answer:#}");
    Ok(())
}

async fn the_previous_attempt_is_assessed(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "OOMKilled")).await?;
    let assessment = &answer["recovery_analysis"]["previous_attempt_assessment"];
    for key in ["failure_understood", "state_changed"] {
        ensure!(assessment[key].is_boolean(), "`{key}` is no yes or no: {answer:#}");
    }
    ensure!(!text(assessment, "/failure_reason_analysis").is_empty(), "{answer:#}");
    ensure!(assessment["current_signal_type"] == "OOMKilled", "another signal: {answer:#}");
    Ok(())
}

async fn the_workflow_of_a_recovery_can_be_executed(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "Evicted")).await?;
    let workflow = &answer["selected_workflow"];
    for key in ["workflow_id", "rationale"] {
        ensure!(!text(workflow, &format!("/{key}")).is_empty(), "no `{key}`: {workflow:#}");
    }
    ensure!(workflow["parameters"].is_object(), "the parameters are none: {workflow:#}");
    ensure!((0.0..=1.0).contains(&number(workflow, "/confidence")), "{workflow:#}");
    Ok(())
}

async fn a_mocked_recovery_says_that_it_is_mocked(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "FailedScheduling")).await?;
    let mut warnings = list(&answer, "/warnings").iter().filter_map(Value::as_str);
    ensure!(warnings.any(|warning| warning.contains("MOCK")), "no warning: {answer:#}");
    ensure!(answer["metadata"]["mock_mode"] == true, "{answer:#}");
    Ok(())
}

async fn an_attempt_before_the_first_is_refused(ctx: Ctx) -> CaseResult {
    let mut request = failed(&ctx, "OOMKilled");
    request["recovery_attempt_number"] = json!(0);
    let answer = ctx.post(HAPI, RECOVER).json(&request).send().await?;
    ensure!(matches!(answer.status(), 400 | 422), "expected 400 or 422:\n{}", answer.exchange());
    Ok(())
}

async fn a_recovery_knows_what_to_do_without_the_previous_execution(ctx: Ctx) -> CaseResult {
    let mut request = failed(&ctx, "OOMKilled");
    if let Some(fields) = request.as_object_mut() {
        fields.remove("previous_execution");
    }
    let answer = ctx.post(HAPI, RECOVER).json(&request).send().await?;
    // The contract leaves it open whether the service copes or refuses.
    if matches!(answer.status(), 400 | 422) {
        return Ok(());
    }
    let answer: Value = answer.expect(200)?.json()?;
    ensure!(answer["incident_id"] == request["incident_id"], "another incident: {answer:#}");
    ensure!(!text(&answer, "/selected_workflow/workflow_id").is_empty(), "{answer:#}");
    Ok(())
}

async fn an_incident_leads_to_a_recovery_under_the_same_ids(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    let first = analyze(&ctx, &request).await?;
    let mut again = failed(&ctx, "OOMKilled");
    let chosen = &first["selected_workflow"];
    again["previous_execution"]["selected_workflow"] = json!({
        "workflow_id": chosen["workflow_id"],
        "version": chosen["version"],
        "container_image": chosen["containerImage"],
        "parameters": chosen["parameters"],
        "rationale": chosen["rationale"],
    });
    let second = recover(&ctx, &again).await?;
    ensure!(first["incident_id"] == second["incident_id"], "{first:#}\n{second:#}");
    let workflow = &second["selected_workflow"]["workflow_id"];
    ensure!(workflow.is_string(), "there is no workflow: {second:#}");
    ensure!(*workflow != chosen["workflow_id"], "what failed is advised again: {second:#}");
    ctx.audit()
        .exactly(5)
        .in_order([
            "llm_request",
            "llm_response",
            "workflow_validation_attempt",
            "llm_request",
            "llm_response",
        ])
        .all_matching(super::envelope(&request))
        .holds()
        .await?;
    Ok(())
}
