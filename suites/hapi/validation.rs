//! A model that errs is corrected, three attempts at most; every attempt is audited (contract 5.6).

use kindwright::{Case, CaseResult, Ctx, Failure, cases, ensure};
use serde_json::{Value, json};

use super::{EMITTER, catalog, envelope, incident, list, model, text};

/// How often a model may try.
const ATTEMPTS: u64 = 3;
const ATTEMPT: &str = "workflow_validation_attempt";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_workflow_that_the_catalog_does_not_have_is_corrected,
        a_workflow_that_stays_wrong_needs_a_human,
        an_answer_that_is_no_json_needs_a_human,
        an_image_that_is_not_the_catalogs_needs_a_human,
        a_search_that_fails_is_told_to_the_model,
    ]
    .map(|case| case.beyond("contract 5.7"))
}

/// What the validation of this attempt says if it fails.
fn wrong(number: u64) -> Value {
    let last = number == ATTEMPTS;
    json!({
        "event_outcome": if last { "failure" } else { "pending" },
        "event_data": {
            "attempt": number,
            "max_attempts": ATTEMPTS,
            "is_valid": false,
            "is_final_attempt": last,
        },
    })
}

async fn a_workflow_that_the_catalog_does_not_have_is_corrected(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "SCRIPT_RETRY_ONCE", "critical", "production", "P0");
    let answer = model::advise(&ctx, &request).await?;
    ensure!(answer["needs_human_review"] == false, "a human must look: {answer:#}");
    let chosen = text(&answer, "/selected_workflow/workflow_id");
    let name = catalog::name(&ctx, chosen).await?;
    ensure!(name == "oomkill-increase-memory-limits", "{name} was chosen: {answer:#}");
    let judged: Vec<_> =
        list(&answer, "/validation_attempts_history").iter().map(|it| &it["is_valid"]).collect();
    ensure!(judged == [false, true], "it was judged {judged:?}: {answer:#}");

    let right = json!({
        "event_outcome": "success",
        "event_data": {
            "attempt": 2,
            "is_valid": true,
            "is_final_attempt": true,
            "errors": [],
            "validation_errors": null,
            "workflow_id": chosen,
        },
    });
    ctx.audit()
        .emitter(EMITTER)
        .exactly(7)
        .in_order([
            "llm_request",
            "llm_tool_call",
            "llm_response",
            ATTEMPT,
            "llm_request",
            "llm_response",
            ATTEMPT,
        ])
        .all_matching(envelope(&request))
        .matching(ATTEMPT, wrong(1))
        .matching(ATTEMPT, right)
        .holds()
        .await?;
    Ok(())
}

/// Fails unless the model erred to the end, and a human must look for this reason.
async fn exhausted(ctx: &Ctx, signal: &str, reason: &str) -> Result<Value, Failure> {
    let request = incident(ctx, signal, "critical", "production", "P0");
    let answer = model::advise(ctx, &request).await?;
    ensure!(answer["needs_human_review"] == true, "no human must look: {answer:#}");
    ensure!(answer["human_review_reason"] == reason, "not for {reason}: {answer:#}");
    ensure!(answer["selected_workflow"].is_null(), "there is a workflow: {answer:#}");
    let attempts = list(&answer, "/validation_attempts_history");
    let numbers: Vec<_> = attempts.iter().filter_map(|it| it["attempt"].as_u64()).collect();
    ensure!(numbers == [1, 2, ATTEMPTS], "the attempts are {numbers:?}: {answer:#}");
    for attempt in attempts {
        ensure!(attempt["is_valid"] == false, "this was valid: {attempt:#}");
        ensure!(!list(attempt, "/errors").is_empty(), "nobody knows why: {attempt:#}");
        ensure!(!text(attempt, "/timestamp").is_empty(), "nobody knows when: {attempt:#}");
    }
    let mut last = wrong(ATTEMPTS);
    last["event_data"]["human_review_reason"] = json!(reason);
    last["event_data"]["errors"] = attempts[2]["errors"].clone();
    ctx.audit()
        .emitter(EMITTER)
        .kinds([ATTEMPT])
        .exactly(3)
        .all_matching(envelope(&request))
        .matching(ATTEMPT, wrong(1))
        .matching(ATTEMPT, wrong(2))
        .matching(ATTEMPT, last)
        .holds()
        .await?;
    Ok(answer)
}

async fn a_workflow_that_stays_wrong_needs_a_human(ctx: Ctx) -> CaseResult {
    let answer = exhausted(&ctx, "SCRIPT_NEVER_VALID", "workflow_not_found").await?;
    for attempt in list(&answer, "/validation_attempts_history") {
        let named = text(attempt, "/workflow_id");
        let errors = attempt["errors"].to_string();
        ensure!(!named.is_empty() && errors.contains(named), "it is not named: {attempt:#}");
    }
    Ok(())
}

async fn an_answer_that_is_no_json_needs_a_human(ctx: Ctx) -> CaseResult {
    let answer = exhausted(&ctx, "SCRIPT_NO_JSON", "llm_parsing_error").await?;
    ensure!(answer["confidence"] == 0.0, "it is confident: {answer:#}");
    Ok(())
}

async fn an_image_that_is_not_the_catalogs_needs_a_human(ctx: Ctx) -> CaseResult {
    exhausted(&ctx, "SCRIPT_WRONG_IMAGE", "image_mismatch").await?;
    Ok(())
}

async fn a_search_that_fails_is_told_to_the_model(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "SCRIPT_BAD_QUERY", "critical", "production", "P0");
    let answer = model::advise(&ctx, &request).await?;
    let calls = model::searches(&ctx, &request, 1).await?;
    let result = &calls[0]["tool_result"];
    ensure!(result["status"] == "ERROR", "the search succeeded: {result:#}");
    ensure!(text(result, "/error").contains("query"), "nobody knows why: {result:#}");
    // The model can only know this from the result.
    ensure!(answer["human_review_reason"] == "investigation_inconclusive", "{answer:#}");
    ensure!(answer["selected_workflow"].is_null(), "there is a workflow: {answer:#}");
    Ok(())
}
