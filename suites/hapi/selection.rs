//! How a model that can be scripted selects a workflow (contract 5.7).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::{Value, json};

use super::{
    ANALYZE, EMITTER, LLM, RECOVER, catalog, envelope, failed, incident, list,
    model::{advise, searches},
    number, text,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        an_incident_is_given_a_workflow_of_the_catalog,
        the_tool_is_asked_for_the_signal_and_its_severity,
        the_tool_is_told_of_the_resource_that_the_cause_is_in,
        the_custom_labels_of_a_request_reach_the_search,
        a_request_without_custom_labels_adds_none_to_the_search,
        a_node_is_given_a_workflow_for_nodes,
        a_deployment_in_staging_is_given_a_workflow_for_it,
        a_signal_without_a_workflow_needs_a_human,
        a_model_that_is_not_sure_needs_a_human,
        a_failed_recovery_is_given_a_workflow_of_the_catalog,
        a_conversation_leaves_its_whole_trail_in_order,
        an_incomplete_request_is_refused_before_a_model_is_asked,
    ]
    .map(|case| case.beyond("contract 5.7"))
}

/// Fails unless this workflow was chosen, and no human must look.
async fn chosen(ctx: &Ctx, answer: &Value, expected: &str) -> CaseResult {
    ensure!(answer["needs_human_review"] == false, "a human must look: {answer:#}");
    let workflow = &answer["selected_workflow"];
    let id = text(workflow, "/workflow_id");
    ensure!(catalog::uuid(id), "this is no UUID: {answer:#}");
    let name = catalog::name(ctx, id).await?;
    ensure!(name == expected, "{name} was chosen: {answer:#}");
    ensure!(number(workflow, "/confidence") > 0.7, "it is not confident: {answer:#}");
    ensure!(workflow["parameters"].is_object(), "the parameters are none: {answer:#}");
    ensure!(!text(workflow, "/rationale").is_empty(), "nobody knows why: {answer:#}");
    Ok(())
}

async fn an_incident_is_given_a_workflow_of_the_catalog(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "CrashLoopBackOff", "high", "production", "P1");
    let answer = advise(&ctx, &request).await?;
    ensure!(answer["incident_id"] == request["incident_id"], "another incident: {answer:#}");
    ensure!(!text(&answer, "/root_cause_analysis/summary").is_empty(), "no cause: {answer:#}");
    chosen(&ctx, &answer, "crashloop-fix-configuration").await
}

async fn the_tool_is_asked_for_the_signal_and_its_severity(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    advise(&ctx, &request).await?;
    let calls = searches(&ctx, &request, 1).await?;
    ensure!(calls[0]["tool_arguments"]["query"] == "OOMKilled critical", "{:#}", calls[0]);
    let filters = &calls[0]["tool_result"]["data"]["filters"];
    ensure!(*filters == with_labels(&request, "OOMKilled", "critical", "P0"), "{filters:#}");
    Ok(())
}

/// The filters of a search, with the custom labels of a request.
fn with_labels(request: &Value, signal: &str, severity: &str, priority: &str) -> Value {
    let mut filters = catalog::filters(signal, severity, priority);
    filters["custom_labels"] = request["enrichment_results"]["customLabels"].clone();
    filters
}

async fn the_tool_is_told_of_the_resource_that_the_cause_is_in(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    advise(&ctx, &request).await?;
    let calls = searches(&ctx, &request, 1).await?;
    let resource = &calls[0]["tool_arguments"]["rca_resource"];
    let expected = json!({
        "signal_type": "OOMKilled",
        "kind": request["resource_kind"],
        "namespace": request["resource_namespace"],
        "name": request["resource_name"],
    });
    ensure!(*resource == expected, "{resource:#} instead of {expected:#}");
    Ok(())
}

async fn the_custom_labels_of_a_request_reach_the_search(ctx: Ctx) -> CaseResult {
    let mut request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    let labels = json!({"constraint": ["cost-constrained", "stateful-safe"], "team": ["payments"]});
    request["enrichment_results"]["customLabels"] = labels.clone();
    advise(&ctx, &request).await?;
    let calls = searches(&ctx, &request, 1).await?;
    ensure!(calls[0]["tool_arguments"]["custom_labels"] == labels, "{:#}", calls[0]);
    let result = &calls[0]["tool_result"];
    ensure!(result["status"] == "SUCCESS", "the search failed: {result:#}");
    ensure!(result["data"]["filters"]["custom_labels"] == labels, "{result:#}");
    Ok(())
}

async fn a_request_without_custom_labels_adds_none_to_the_search(ctx: Ctx) -> CaseResult {
    let mut request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    if let Some(fields) = request.as_object_mut() {
        fields.remove("enrichment_results");
    }
    advise(&ctx, &request).await?;
    let calls = searches(&ctx, &request, 1).await?;
    for place in ["/tool_arguments/custom_labels", "/tool_result/data/filters/custom_labels"] {
        ensure!(calls[0].pointer(place).is_none(), "there is {place}: {:#}", calls[0]);
    }
    Ok(())
}

async fn a_node_is_given_a_workflow_for_nodes(ctx: Ctx) -> CaseResult {
    let mut request = incident(&ctx, "NodeNotReady", "critical", "production", "P0");
    request["resource_kind"] = json!("Node");
    let answer = advise(&ctx, &request).await?;
    chosen(&ctx, &answer, "node-not-ready-drain-and-reboot").await?;
    let calls = searches(&ctx, &request, 1).await?;
    let filters = &calls[0]["tool_result"]["data"]["filters"];
    ensure!(filters["component"] == "node", "it searched for another: {filters:#}");
    Ok(())
}

async fn a_deployment_in_staging_is_given_a_workflow_for_it(ctx: Ctx) -> CaseResult {
    let mut request = incident(&ctx, "OOMKilled", "high", "staging", "P1");
    request["resource_kind"] = json!("Deployment");
    let answer = advise(&ctx, &request).await?;
    chosen(&ctx, &answer, "oomkill-scale-down-replicas").await
}

async fn a_signal_without_a_workflow_needs_a_human(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "NobodyKnowsThis", "critical", "production", "P0");
    let answer = advise(&ctx, &request).await?;
    ensure!(answer["needs_human_review"] == true, "no human must look: {answer:#}");
    ensure!(answer["human_review_reason"] == "no_matching_workflows", "{answer:#}");
    ensure!(answer["selected_workflow"].is_null(), "there is a workflow: {answer:#}");
    ensure!(number(&answer, "/confidence") == 0.0, "it is confident: {answer:#}");
    Ok(())
}

async fn a_model_that_is_not_sure_needs_a_human(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "SCRIPT_UNSURE", "critical", "production", "P0");
    let answer = advise(&ctx, &request).await?;
    ensure!(answer["needs_human_review"] == true, "no human must look: {answer:#}");
    ensure!(answer["human_review_reason"] == "low_confidence", "{answer:#}");
    // For the human to judge.
    let id = text(&answer, "/selected_workflow/workflow_id");
    ensure!(catalog::uuid(id), "there is no workflow: {answer:#}");
    Ok(())
}

async fn a_failed_recovery_is_given_a_workflow_of_the_catalog(ctx: Ctx) -> CaseResult {
    let request = failed(&ctx, "OOMKilled");
    let answer = ctx.post(LLM, RECOVER).json(&request).send().await?;
    let answer: Value = answer.expect(200)?.json()?;
    ensure!(answer["can_recover"] == true, "nothing can be done: {answer:#}");
    ensure!(answer["metadata"]["mock_mode"] == false, "it is mocked: {answer:#}");
    ensure!(!list(&answer, "/strategies").is_empty(), "there is no strategy: {answer:#}");
    chosen(&ctx, &answer, "oomkill-increase-memory-limits").await
}

async fn a_conversation_leaves_its_whole_trail_in_order(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    advise(&ctx, &request).await?;
    ctx.audit()
        .emitter(EMITTER)
        .exactly(4)
        .in_order(["llm_request", "llm_tool_call", "llm_response", "workflow_validation_attempt"])
        .all_matching(envelope(&request))
        .matching("llm_request", json!({"event_data": {"model": "openai/scripted-model"}}))
        .matching("llm_response", json!({"event_data": {"tool_call_count": 1}}))
        .matching(
            "workflow_validation_attempt",
            json!({"event_outcome": "success", "event_data": {"attempt": 1, "is_valid": true}}),
        )
        .holds()
        .await?;
    Ok(())
}

async fn an_incomplete_request_is_refused_before_a_model_is_asked(ctx: Ctx) -> CaseResult {
    let mut request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    if let Some(fields) = request.as_object_mut() {
        fields.remove("signal_type");
    }
    let answer = ctx.post(LLM, ANALYZE).json(&request).send().await?;
    super::errors::refused(&answer)?;
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}
