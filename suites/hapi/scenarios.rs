//! What the mocked model says of each signal: every row of the table of contract 5.5.

use kindwright::{Case, CaseResult, Ctx, Failure, cases, ensure};
use serde_json::{Value, json};

use super::{analyze, failed, incident, list, number, recover, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        every_signal_has_its_workflow,
        a_signal_is_known_in_small_letters_too,
        every_signal_has_its_recovery,
    ]
}

/// What is known of a signal. `$namespace` and `$name` stand for those of the request's resource.
struct Scenario {
    signal: &'static str,
    workflow: &'static str,
    confidence: f64,
    severity: &'static str,
    parameters: &'static [(&'static str, &'static str)],
}

const fn row(
    signal: &'static str,
    workflow: &'static str,
    confidence: f64,
    severity: &'static str,
    parameters: &'static [(&'static str, &'static str)],
) -> Scenario {
    Scenario { signal, workflow, confidence, severity, parameters }
}

const SCENARIOS: [Scenario; 7] = [
    row(
        "OOMKilled",
        "oomkill-increase-memory-v1",
        0.92,
        "critical",
        &[("NAMESPACE", "$namespace"), ("MEMORY_LIMIT", "1Gi"), ("RESTART_POLICY", "Always")],
    ),
    row(
        "CrashLoopBackOff",
        "crashloop-config-fix-v1",
        0.88,
        "high",
        &[("NAMESPACE", "$namespace"), ("CONFIG_MAP", "app-config"), ("RESTART_DELAY", "30s")],
    ),
    row(
        "NodeNotReady",
        "node-drain-reboot-v1",
        0.90,
        "critical",
        &[("NODE_NAME", "$name"), ("GRACE_PERIOD", "300"), ("FORCE_DRAIN", "false")],
    ),
    row(
        "ImagePullBackOff",
        "image-fix-v1",
        0.85,
        "high",
        &[("NAMESPACE", "$namespace"), ("IMAGE_PULL_SECRET", "registry-creds")],
    ),
    row(
        "Evicted",
        "eviction-recovery-v1",
        0.87,
        "high",
        &[("NAMESPACE", "$namespace"), ("RESOURCE_REQUESTS", "increase")],
    ),
    row(
        "FailedScheduling",
        "scheduling-fix-v1",
        0.82,
        "medium",
        &[("NAMESPACE", "$namespace"), ("REDUCE_REQUESTS", "true")],
    ),
    row(
        "NobodyKnowsThis",
        "generic-restart-v1",
        0.75,
        "medium",
        &[("NAMESPACE", "$namespace"), ("ACTION", "restart")],
    ),
];
/// How far the one alternative lies behind.
const BEHIND: f64 = 0.15;
/// How much less sure a recovery is.
const LESS_SURE: f64 = 0.05;

/// Fails unless a number is this one, but for what reckoning in binary loses.
fn close(answer: &Value, pointer: &str, expected: f64) -> CaseResult {
    let found = number(answer, pointer);
    ensure!((found - expected).abs() < 1e-9, "{pointer} is {found}, not {expected}: {answer:#}");
    Ok(())
}

/// Fails unless a member of an answer is this.
fn same(answer: &Value, pointer: &str, expected: &Value) -> CaseResult {
    let found = answer.pointer(pointer).unwrap_or(&Value::Null);
    ensure!(found == expected, "{pointer} is {found}, not {expected}: {answer:#}");
    Ok(())
}

/// The workflow of an answer is that of the row.
fn chosen(scenario: &Scenario, request: &Value, answer: &Value) -> CaseResult {
    let workflow = scenario.workflow;
    for (pointer, expected) in [
        ("/selected_workflow/workflow_id", json!(format!("mock-{workflow}"))),
        ("/selected_workflow/version", json!("1.0.0")),
        (
            "/selected_workflow/containerImage",
            json!(format!("kubernaut/mock-workflow-{workflow}:v1.0.0")),
        ),
        ("/root_cause_analysis/severity", json!(scenario.severity)),
        ("/alternative_workflows/0/workflow_id", json!("mock-alternative-workflow-v1")),
        ("/target_in_owner_chain", json!(true)),
        ("/needs_human_review", json!(false)),
        ("/human_review_reason", Value::Null),
    ] {
        same(answer, pointer, &expected)?;
    }
    let parameters: Value = scenario
        .parameters
        .iter()
        .map(|(name, value)| {
            let value = match *value {
                "$namespace" => text(request, "/resource_namespace"),
                "$name" => text(request, "/resource_name"),
                value => value,
            };
            ((*name).to_owned(), json!(value))
        })
        .collect();
    same(answer, "/selected_workflow/parameters", &parameters)?;
    close(answer, "/confidence", scenario.confidence)?;
    close(answer, "/selected_workflow/confidence", scenario.confidence)?;
    close(answer, "/alternative_workflows/0/confidence", scenario.confidence - BEHIND)?;
    let alternatives = list(answer, "/alternative_workflows");
    ensure!(alternatives.len() == 1, "there are {} alternatives: {answer:#}", alternatives.len());
    let warnings: Vec<_> = list(answer, "/warnings").iter().filter_map(Value::as_str).collect();
    let mocked = warnings.iter().all(|warning| warning.starts_with("MOCK_MODE:"));
    ensure!(warnings.len() == 2 && mocked, "the warnings are {warnings:?}");
    Ok(())
}

async fn every_signal_has_its_workflow(ctx: Ctx) -> CaseResult {
    for scenario in &SCENARIOS {
        let request = incident(&ctx, scenario.signal, "high", "production", "P1");
        let answer = analyze(&ctx, &request).await?;
        chosen(scenario, &request, &answer).map_err(|failure| about(scenario, failure))?;
    }
    Ok(())
}

async fn a_signal_is_known_in_small_letters_too(ctx: Ctx) -> CaseResult {
    for scenario in &SCENARIOS {
        let signal = scenario.signal.to_lowercase();
        let request = incident(&ctx, &signal, "high", "production", "P1");
        let answer = analyze(&ctx, &request).await?;
        chosen(scenario, &request, &answer).map_err(|failure| about(scenario, failure))?;
    }
    Ok(())
}

/// The recovery of an answer is that of the row.
fn recovered(scenario: &Scenario, request: &Value, answer: &Value) -> CaseResult {
    let confidence = scenario.confidence - LESS_SURE;
    for (pointer, expected) in [
        ("/can_recover", json!(true)),
        ("/selected_workflow/workflow_id", json!(format!("mock-{}-recovery", scenario.workflow))),
        ("/selected_workflow/parameters/NAMESPACE", request["resource_namespace"].clone()),
        ("/selected_workflow/parameters/RECOVERY_MODE", json!("true")),
        ("/strategies/0/estimated_risk", json!("medium")),
        ("/metadata", json!({"analysis_time_ms": 150, "mock_mode": true})),
    ] {
        same(answer, pointer, &expected)?;
    }
    let previous = text(answer, "/selected_workflow/parameters/PREVIOUS_WORKFLOW");
    ensure!(!previous.is_empty(), "no workflow was there before: {answer:#}");
    for pointer in
        ["/analysis_confidence", "/selected_workflow/confidence", "/strategies/0/confidence"]
    {
        close(answer, pointer, confidence)?;
    }
    let strategies = list(answer, "/strategies");
    ensure!(strategies.len() == 1, "there are {} strategies: {answer:#}", strategies.len());
    Ok(())
}

async fn every_signal_has_its_recovery(ctx: Ctx) -> CaseResult {
    for scenario in &SCENARIOS {
        let request = failed(&ctx, scenario.signal);
        let answer = recover(&ctx, &request).await?;
        let known = scenario.signal != "NobodyKnowsThis";
        let action = json!(format!("recovery_{}_v1", scenario.signal.to_lowercase()));
        recovered(scenario, &request, &answer)
            // Of a signal that it does not know, the original's action has another name.
            .and_then(|()| if known { same(&answer, "/primary_recommendation", &action) } else { Ok(()) })
            .map_err(|failure| about(scenario, failure))?;
    }
    Ok(())
}
