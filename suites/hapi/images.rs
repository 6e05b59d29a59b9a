//! The container images of workflows: who executes one needs the image and its digest (contract 5.7).

use kindwright::{Case, CaseResult, Ctx, Failure, case, cases, ensure};
use serde_json::Value;

use super::{
    catalog::{filters, found, search},
    incident, list, model, text,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let data = cases![
        every_workflow_that_is_found_has_a_container_image,
        every_workflow_that_is_found_has_the_digest_of_its_image,
        a_search_with_another_priority_finds_no_image,
    ];
    data.into_iter().chain([
        case!(the_model_is_told_the_image_of_what_it_finds).beyond("contract 5.7"),
        case!(the_chosen_workflow_has_the_image_of_the_catalog).beyond("contract 5.7"),
    ])
}

/// Fails unless a registry could be asked for the image.
fn complete(image: &str) -> Result<(), Failure> {
    let tagged = image.contains('/') && (image.contains(':') || image.contains('@'));
    ensure!(tagged, "`{image}` names no repository with a tag or digest");
    Ok(())
}

/// Fails unless this is a SHA-256 as images are named by.
fn hashed(digest: &str) -> Result<(), Failure> {
    let hash = digest.strip_prefix("sha256:").unwrap_or_default();
    let hex = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ensure!(hash.len() == 64 && hex, "`{digest}` is no SHA-256");
    Ok(())
}

async fn found_for(
    ctx: &Ctx,
    signal: &str,
    severity: &str,
    priority: &str,
) -> Result<Value, Failure> {
    let answer = search(ctx, &filters(signal, severity, priority)).await?;
    found(&answer)?;
    Ok(answer)
}

async fn every_workflow_that_is_found_has_a_container_image(ctx: Ctx) -> CaseResult {
    let answer = found_for(&ctx, "OOMKilled", "critical", "P0").await?;
    for workflow in list(&answer, "/workflows") {
        complete(text(workflow, "/container_image"))?;
    }
    Ok(())
}

async fn every_workflow_that_is_found_has_the_digest_of_its_image(ctx: Ctx) -> CaseResult {
    let answer = found_for(&ctx, "ImagePullBackOff", "high", "P1").await?;
    for workflow in list(&answer, "/workflows") {
        let digest = text(workflow, "/container_digest");
        hashed(digest)?;
        let image = text(workflow, "/container_image");
        let named = image.split_once('@').map(|(_, named)| named);
        ensure!(named.is_none_or(|named| named == digest), "{image} is not {digest}");
    }
    Ok(())
}

async fn a_search_with_another_priority_finds_no_image(ctx: Ctx) -> CaseResult {
    // The workflow for this signal and severity is registered as P0.
    let answer = search(&ctx, &filters("OOMKilled", "critical", "P1")).await?;
    ensure!(list(&answer, "/workflows").is_empty(), "something was found: {answer:#}");
    ensure!(answer["total_results"] == 0, "something was counted: {answer:#}");
    Ok(())
}

async fn the_model_is_told_the_image_of_what_it_finds(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "CrashLoopBackOff", "high", "production", "P1");
    model::advise(&ctx, &request).await?;
    let calls = model::searches(&ctx, &request, 1).await?;
    let told = &calls[0]["tool_result"]["data"];
    for workflow in found(told)? {
        complete(text(workflow, "/container_image"))?;
        hashed(text(workflow, "/container_digest"))?;
    }
    Ok(())
}

async fn the_chosen_workflow_has_the_image_of_the_catalog(ctx: Ctx) -> CaseResult {
    let catalog = found_for(&ctx, "OOMKilled", "critical", "P0").await?;
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    let answer = model::advise(&ctx, &request).await?;
    let chosen = &answer["selected_workflow"];
    let known = list(&catalog, "/workflows")
        .iter()
        .find(|workflow| workflow["workflow_id"] == chosen["workflow_id"]);
    let known = known.ok_or_else(|| Failure::new(format!("the catalog has no {chosen:#}")))?;
    ensure!(chosen["containerImage"] == known["container_image"], "{chosen:#}\n{known:#}");
    Ok(())
}
