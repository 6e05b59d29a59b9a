//! The workflow catalog, as the tool of the model finds it (contract 5.7).

use kindwright::{Case, CaseResult, Ctx, Failure, HttpError, case, cases, ensure};
use serde_json::{Value, json};

use super::{
    incident, list,
    model::{advise, searches},
    number, text,
};

/// How a UUID is divided by its dashes.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let data = cases![
        a_search_finds_the_workflows_for_a_container_without_memory,
        a_search_finds_the_workflows_for_a_crash_loop,
    ];
    data.into_iter().chain([
        case!(a_search_without_a_match_is_a_success_without_a_workflow).beyond("contract 5.7"),
        case!(a_refined_search_finds_what_the_first_did_not).beyond("contract 5.7"),
    ])
}

/// The filters that the tool makes of the query `SIGNAL SEVERITY`.
pub(super) fn filters(signal: &str, severity: &str, priority: &str) -> Value {
    json!({
        "signal_type": signal,
        "severity": severity,
        "component": "pod",
        "environment": "production",
        "priority": priority,
    })
}

/// What the data service finds for these filters.
pub(super) async fn search(ctx: &Ctx, filters: &Value) -> Result<Value, HttpError> {
    let request = ctx.post("datastorage", "/api/v1/workflows/search");
    request.json(&json!({"filters": filters, "top_k": 10})).send().await?.expect(200)?.json()
}

/// The workflows of a search that must have found some.
pub(super) fn found(answer: &Value) -> Result<&[Value], Failure> {
    let workflows = list(answer, "/workflows");
    ensure!(!workflows.is_empty(), "nothing was found: {answer:#}");
    Ok(workflows)
}

/// The catalog's name of a workflow.
pub(super) async fn name(ctx: &Ctx, id: &str) -> Result<String, HttpError> {
    let request = ctx.get("datastorage", &format!("/api/v1/workflows/{id}"));
    let workflow: Value = request.send().await?.expect(200)?.json()?;
    Ok(text(&workflow, "/workflow_name").to_owned())
}

/// Whether this is a UUID as the catalog draws them.
pub(super) fn uuid(id: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    id.split('-').map(str::len).eq(UUID) && id.split('-').all(hex)
}

/// Fails unless all that is found is for this signal, and what is expected is among it.
async fn finds(ctx: &Ctx, signal: &str, severity: &str, priority: &str, name: &str) -> CaseResult {
    let answer = search(ctx, &filters(signal, severity, priority)).await?;
    let mut names = Vec::new();
    for workflow in found(&answer)? {
        let id = text(workflow, "/workflow_id");
        ensure!(uuid(id), "this is no UUID: {workflow:#}");
        ensure!(workflow["signal_type"] == signal, "this is for another signal: {workflow:#}");
        let confidence = number(workflow, "/confidence");
        ensure!(confidence > 0.0 && confidence <= 1.0, "a confidence of {confidence}");
        ensure!(!text(workflow, "/title").is_empty(), "it has no title: {workflow:#}");
        names.push(self::name(ctx, id).await?);
    }
    ensure!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
    let confidences = || list(&answer, "/workflows").iter().map(|it| number(it, "/confidence"));
    ensure!(confidences().is_sorted_by(|a, b| a >= b), "the best is not the first: {answer:#}");
    Ok(())
}

async fn a_search_finds_the_workflows_for_a_container_without_memory(ctx: Ctx) -> CaseResult {
    finds(&ctx, "OOMKilled", "critical", "P0", "oomkill-increase-memory-limits").await
}

async fn a_search_finds_the_workflows_for_a_crash_loop(ctx: Ctx) -> CaseResult {
    finds(&ctx, "CrashLoopBackOff", "high", "P1", "crashloop-fix-configuration").await
}

async fn a_search_without_a_match_is_a_success_without_a_workflow(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "NobodyKnowsThis", "critical", "production", "P0");
    advise(&ctx, &request).await?;
    let calls = searches(&ctx, &request, 1).await?;
    let told = &calls[0];
    ensure!(told["tool_result"]["status"] == "SUCCESS", "the search failed: {told:#}");
    ensure!(told["tool_result"]["data"]["workflows"] == json!([]), "something was found: {told:#}");
    ensure!(told["tool_result"]["data"]["total_results"] == 0, "something was counted: {told:#}");
    Ok(())
}

async fn a_refined_search_finds_what_the_first_did_not(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "SCRIPT_SEARCH_TWICE", "critical", "production", "P0");
    let answer = advise(&ctx, &request).await?;
    let calls = searches(&ctx, &request, 2).await?;
    for (call, (query, hits)) in
        calls.iter().zip([("OOMKilled low", false), ("OOMKilled critical", true)])
    {
        ensure!(call["tool_arguments"]["query"] == query, "not {query}: {call:#}");
        ensure!(call["tool_result"]["status"] == "SUCCESS", "the search failed: {call:#}");
        let found = list(call, "/tool_result/data/workflows");
        ensure!(found.is_empty() != hits, "{query} found {} workflows: {call:#}", found.len());
    }
    let chosen = text(&answer, "/selected_workflow/workflow_id");
    let name = name(&ctx, chosen).await?;
    ensure!(name == "oomkill-increase-memory-limits", "{name} was chosen: {answer:#}");
    Ok(())
}
