//! What the data service finds for the tool: nothing else than what was asked for, and the best first (contract 4.6).

use kindwright::{Case, CaseResult, Ctx, Failure, HttpError, cases, ensure};
use serde_json::{Value, json};

use super::{
    catalog::{filters, found, search},
    list, number, text,
};
use crate::workflows;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        every_workflow_that_is_found_is_for_what_was_asked,
        the_workflow_with_the_labels_that_were_asked_for_comes_first,
        a_search_for_what_nobody_registered_finds_nothing,
        a_search_in_another_environment_finds_other_workflows,
        no_more_workflows_are_found_than_were_asked_for,
    ]
}

/// A signal that only this case has.
fn signal(ctx: &Ctx) -> String {
    format!("Signal-{}", ctx.correlation_id())
}

/// Registers a workflow for the case's own signal, and returns its id.
async fn registered(ctx: &Ctx, number: u8, labels: &Value) -> Result<Value, HttpError> {
    let name = format!("workflow-{number}-{}", ctx.correlation_id());
    let mut workflow = workflows::workflow(&name, "1.0.0", &filters(&signal(ctx), "high", "P1"));
    workflow["custom_labels"] = labels.clone();
    let request = ctx.post("datastorage", "/api/v1/workflows").json(&workflow);
    let answer: Value = request.send().await?.expect(201)?.json()?;
    Ok(answer["workflow_id"].clone())
}

/// The ids of what was found, best first.
fn ids(answer: &Value) -> Vec<Value> {
    list(answer, "/workflows").iter().map(|workflow| workflow["workflow_id"].clone()).collect()
}

async fn every_workflow_that_is_found_is_for_what_was_asked(ctx: Ctx) -> CaseResult {
    let asked = filters("ImagePullBackOff", "high", "P1");
    let answer = search(&ctx, &asked).await?;
    for workflow in found(&answer)? {
        let path = format!("/api/v1/workflows/{}", text(workflow, "/workflow_id"));
        let known: Value = ctx.get("datastorage", &path).send().await?.expect(200)?.json()?;
        for label in ["signal_type", "severity", "environment", "priority"] {
            ensure!(known["labels"][label] == asked[label], "another {label}: {known:#}");
        }
        let component = text(&known, "/labels/component");
        ensure!(matches!(component, "pod" | "*"), "another component: {known:#}");
        ensure!(known["status"] == "active", "it is not active: {known:#}");
    }
    let total = answer["total_results"].as_u64().unwrap_or_default();
    ensure!(usize::try_from(total)? == ids(&answer).len(), "{total} were counted: {answer:#}");
    Ok(())
}

async fn the_workflow_with_the_labels_that_were_asked_for_comes_first(ctx: Ctx) -> CaseResult {
    let labels = json!({"team": ["payments"]});
    // The newer of two that are equally good would come first, so the better one is the older.
    let better = registered(&ctx, 1, &labels).await?;
    let other = registered(&ctx, 2, &json!({})).await?;
    let mut asked = filters(&signal(&ctx), "high", "P1");
    let plain = search(&ctx, &asked).await?;
    ensure!(ids(&plain) == [other.clone(), better.clone()], "the newer is not first: {plain:#}");
    asked["custom_labels"] = labels;
    let answer = search(&ctx, &asked).await?;
    ensure!(ids(&answer) == [better, other], "the better is not first: {answer:#}");
    let confidence = |place: usize| number(&answer, &format!("/workflows/{place}/confidence"));
    ensure!(confidence(0) > confidence(1), "it is not better: {answer:#}");
    Ok(())
}

async fn a_search_for_what_nobody_registered_finds_nothing(ctx: Ctx) -> CaseResult {
    let answer = search(&ctx, &filters(&signal(&ctx), "high", "P1")).await?;
    ensure!(answer["workflows"] == json!([]), "something was found: {answer:#}");
    ensure!(answer["total_results"] == 0, "something was counted: {answer:#}");
    Ok(())
}

async fn a_search_in_another_environment_finds_other_workflows(ctx: Ctx) -> CaseResult {
    let mut asked = filters("OOMKilled", "high", "P1");
    asked["component"] = json!("deployment");
    let production = search(&ctx, &asked).await?;
    ensure!(ids(&production).is_empty(), "something was found: {production:#}");
    asked["environment"] = json!("staging");
    let staging = search(&ctx, &asked).await?;
    found(&staging)?;
    Ok(())
}

async fn no_more_workflows_are_found_than_were_asked_for(ctx: Ctx) -> CaseResult {
    registered(&ctx, 1, &json!({})).await?;
    registered(&ctx, 2, &json!({})).await?;
    let asked = json!({"filters": filters(&signal(&ctx), "high", "P1"), "top_k": 1});
    let request = ctx.post("datastorage", "/api/v1/workflows/search").json(&asked);
    let answer: Value = request.send().await?.expect(200)?.json()?;
    let [only] = list(&answer, "/workflows") else {
        return Err(Failure::new(format!("not one was found: {answer:#}")));
    };
    ensure!(only["rank"] == 1, "it is not the first: {answer:#}");
    Ok(())
}
