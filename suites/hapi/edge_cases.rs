//! The mocked model's edge cases, each asked for by a signal of its own (contract 5.5).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::Value;

use super::{analyze, failed, incident, list, number, recover, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        no_matching_workflow_needs_a_human,
        a_choice_of_low_confidence_needs_a_human,
        exhausted_retries_need_a_human_and_show_every_attempt,
        a_known_signal_needs_no_human,
        a_failure_that_does_not_reproduce_needs_no_recovery,
        a_recovery_without_a_workflow_needs_a_human,
        a_recovery_of_low_confidence_needs_a_human,
        a_known_recovery_needs_no_human,
    ]
}

/// Fails unless a human must look, for this reason.
fn reviewed(answer: &Value, reason: &str) -> CaseResult {
    ensure!(answer["needs_human_review"] == true, "no human must look: {answer:#}");
    ensure!(answer["human_review_reason"] == reason, "not for {reason}: {answer:#}");
    Ok(())
}

/// Fails if a human must look.
fn unreviewed(answer: &Value) -> CaseResult {
    ensure!(answer["needs_human_review"] == false, "a human must look: {answer:#}");
    ensure!(answer["human_review_reason"].is_null(), "there is a reason to: {answer:#}");
    Ok(())
}

/// Fails unless the answer says, in this word, that a mocked model gave it.
fn mocked(answer: &Value, word: &str) -> CaseResult {
    let mut warnings = list(answer, "/warnings").iter().filter_map(Value::as_str);
    ensure!(warnings.any(|warning| warning.contains(word)), "no warning: {answer:#}");
    Ok(())
}

async fn no_matching_workflow_needs_a_human(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "MOCK_NO_WORKFLOW_FOUND", "high", "production", "P1");
    let answer = analyze(&ctx, &request).await?;
    reviewed(&answer, "no_matching_workflows")?;
    ensure!(answer["selected_workflow"].is_null(), "there is a workflow: {answer:#}");
    ensure!(answer["confidence"] == 0.0, "it is confident: {answer:#}");
    mocked(&answer, "MOCK_MODE")
}

async fn a_choice_of_low_confidence_needs_a_human(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "MOCK_LOW_CONFIDENCE", "high", "production", "P1");
    let answer = analyze(&ctx, &request).await?;
    reviewed(&answer, "low_confidence")?;
    let workflow = text(&answer, "/selected_workflow/workflow_id");
    ensure!(workflow == "mock-low-confidence-workflow-v1", "another workflow: {answer:#}");
    ensure!(answer["confidence"] == 0.45, "it is confident: {answer:#}");
    let others: Vec<_> = list(&answer, "/alternative_workflows")
        .iter()
        .map(|other| number(other, "/confidence"))
        .collect();
    ensure!(others == [0.42, 0.40], "the alternatives are {others:?}: {answer:#}");
    mocked(&answer, "MOCK_MODE")
}

async fn exhausted_retries_need_a_human_and_show_every_attempt(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "MOCK_MAX_RETRIES_EXHAUSTED", "high", "production", "P1");
    let answer = analyze(&ctx, &request).await?;
    reviewed(&answer, "llm_parsing_error")?;
    ensure!(answer["selected_workflow"].is_null(), "there is a workflow: {answer:#}");
    let attempts = list(&answer, "/validation_attempts_history");
    ensure!(attempts.len() == 3, "there are {} attempts: {answer:#}", attempts.len());
    for (attempt, number) in attempts.iter().zip(1_u64..) {
        ensure!(attempt["attempt"] == number, "this is not attempt {number}: {attempt:#}");
        ensure!(attempt["is_valid"] == false, "this was valid: {attempt:#}");
        ensure!(!list(attempt, "/errors").is_empty(), "nobody knows why: {attempt:#}");
        for key in ["workflow_id", "timestamp"] {
            ensure!(attempt.get(key).is_some(), "the attempt has no `{key}`: {attempt:#}");
        }
    }
    mocked(&answer, "MOCK_MODE")
}

async fn a_known_signal_needs_no_human(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "OOMKilled", "critical", "production", "P0");
    let answer = analyze(&ctx, &request).await?;
    unreviewed(&answer)?;
    let workflow = text(&answer, "/selected_workflow/workflow_id");
    ensure!(workflow.contains("mock-oomkill"), "another workflow: {answer:#}");
    ensure!(number(&answer, "/confidence") > 0.8, "it is not confident: {answer:#}");
    ensure!(
        answer["selected_workflow"]["parameters"]["NAMESPACE"] == request["resource_namespace"],
        "the parameters are another incident's: {answer:#}"
    );
    mocked(&answer, "MOCK_MODE")
}

async fn a_failure_that_does_not_reproduce_needs_no_recovery(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "MOCK_NOT_REPRODUCIBLE")).await?;
    unreviewed(&answer)?;
    ensure!(answer["can_recover"] == false, "there is something to recover: {answer:#}");
    ensure!(answer["selected_workflow"].is_null(), "there is a workflow: {answer:#}");
    ensure!(answer["analysis_confidence"] == 0.95, "it is not confident: {answer:#}");
    let assessment = &answer["recovery_analysis"]["previous_attempt_assessment"];
    ensure!(assessment["state_changed"] == true, "the state is the same: {answer:#}");
    ensure!(assessment["current_signal_type"].is_null(), "there is a signal: {answer:#}");
    mocked(&answer, "MOCK")
}

async fn a_recovery_without_a_workflow_needs_a_human(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "MOCK_NO_WORKFLOW_FOUND")).await?;
    reviewed(&answer, "no_matching_workflows")?;
    // By hand it can be.
    ensure!(answer["can_recover"] == true, "nothing can be done: {answer:#}");
    ensure!(answer["selected_workflow"].is_null(), "there is a workflow: {answer:#}");
    mocked(&answer, "MOCK")
}

async fn a_recovery_of_low_confidence_needs_a_human(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "MOCK_LOW_CONFIDENCE")).await?;
    reviewed(&answer, "low_confidence")?;
    ensure!(answer["can_recover"] == true, "nothing can be done: {answer:#}");
    let workflow = &answer["selected_workflow"];
    ensure!(workflow["workflow_id"] == "mock-low-confidence-recovery-v1", "{workflow:#}");
    ensure!(workflow["parameters"]["RECOVERY_MODE"] == "cautious", "{workflow:#}");
    ensure!(answer["analysis_confidence"] == 0.35, "it is confident: {answer:#}");
    ensure!(answer["primary_recommendation"] == "cautious_recovery_v1", "{answer:#}");
    let strategies: Vec<_> = list(&answer, "/strategies")
        .iter()
        .map(|it| (text(it, "/estimated_risk"), number(it, "/confidence")))
        .collect();
    ensure!(strategies == [("high", 0.35), ("high", 0.32)], "the strategies: {strategies:?}");
    let assessment = &answer["recovery_analysis"]["previous_attempt_assessment"];
    ensure!(assessment["failure_understood"] == false, "it is understood: {answer:#}");
    mocked(&answer, "MOCK")
}

async fn a_known_recovery_needs_no_human(ctx: Ctx) -> CaseResult {
    let answer = recover(&ctx, &failed(&ctx, "OOMKilled")).await?;
    unreviewed(&answer)?;
    ensure!(answer["can_recover"] == true, "nothing can be done: {answer:#}");
    let workflow = text(&answer, "/selected_workflow/workflow_id");
    ensure!(workflow.contains("mock-oomkill"), "another workflow: {answer:#}");
    ensure!(number(&answer, "/analysis_confidence") > 0.8, "it is not confident: {answer:#}");
    mocked(&answer, "MOCK")
}
