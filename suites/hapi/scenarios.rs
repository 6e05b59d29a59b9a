//! What the mocked model says of each signal: every row of the table of contract 5.5.

use kindwright::{Case, CaseResult, Ctx, ensure};
use serde_json::{Value, json};

use super::{analyze, failed, incident, list, number, recover, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    SCENARIOS.iter().flat_map(|scenario| {
        let signal = scenario.signal.to_lowercase();
        [
            Case::named(format!("{signal}_has_its_workflow"), move |ctx| chosen(ctx, scenario)),
            Case::named(format!("{signal}_has_its_recovery"), move |ctx| recovered(ctx, scenario)),
        ]
    })
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

static SCENARIOS: [Scenario; 7] = [
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
        UNKNOWN,
        "generic-restart-v1",
        0.75,
        "medium",
        &[("NAMESPACE", "$namespace"), ("ACTION", "restart")],
    ),
];
/// A signal that has no row of its own.
const UNKNOWN: &str = "NobodyKnowsThis";
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

/// The answer to an incident is that of the row, however the signal is written.
async fn chosen(ctx: Ctx, scenario: &Scenario) -> CaseResult {
    let mut request = incident(&ctx, scenario.signal, "high", "production", "P1");
    selected(scenario, &request, &analyze(&ctx, &request).await?)?;
    request["signal_type"] = json!(scenario.signal.to_lowercase());
    selected(scenario, &request, &analyze(&ctx, &request).await?)
}

fn selected(scenario: &Scenario, request: &Value, answer: &Value) -> CaseResult {
    let workflow = scenario.workflow;
    let image = format!("kubernaut/mock-workflow-{workflow}:v1.0.0");
    for (pointer, expected) in [
        ("/selected_workflow/workflow_id", json!(format!("mock-{workflow}"))),
        ("/selected_workflow/version", json!("1.0.0")),
        ("/selected_workflow/containerImage", json!(image)),
        ("/selected_workflow/parameters", parameters(scenario, request)),
        ("/root_cause_analysis/severity", json!(scenario.severity)),
        ("/alternative_workflows/0/workflow_id", json!("mock-alternative-workflow-v1")),
        ("/target_in_owner_chain", json!(true)),
        ("/needs_human_review", json!(false)),
        ("/human_review_reason", Value::Null),
    ] {
        same(answer, pointer, &expected)?;
    }
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

/// The parameters of a row, for the resource of a request.
fn parameters(scenario: &Scenario, request: &Value) -> Value {
    let value = |value: &str| match value {
        "$namespace" => request["resource_namespace"].clone(),
        "$name" => request["resource_name"].clone(),
        value => json!(value),
    };
    scenario.parameters.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect()
}

/// The answer to a recovery is that of the row.
async fn recovered(ctx: Ctx, scenario: &Scenario) -> CaseResult {
    let request = failed(&ctx, scenario.signal);
    let answer = recover(&ctx, &request).await?;
    for (pointer, expected) in [
        ("/can_recover", json!(true)),
        ("/selected_workflow/workflow_id", json!(format!("mock-{}-recovery", scenario.workflow))),
        ("/selected_workflow/parameters/NAMESPACE", request["resource_namespace"].clone()),
        ("/selected_workflow/parameters/RECOVERY_MODE", json!("true")),
        ("/strategies/0/estimated_risk", json!("medium")),
        ("/metadata", json!({"analysis_time_ms": 150, "mock_mode": true})),
    ] {
        same(&answer, pointer, &expected)?;
    }
    // Of a signal that it does not know, the original's strategy has another name.
    if scenario.signal != UNKNOWN {
        let action = json!(format!("recovery_{}_v1", scenario.signal.to_lowercase()));
        same(&answer, "/primary_recommendation", &action)?;
        same(&answer, "/strategies/0/action_type", &action)?;
    }
    let previous = text(&answer, "/selected_workflow/parameters/PREVIOUS_WORKFLOW");
    ensure!(!previous.is_empty(), "it does not know what failed: {answer:#}");
    for pointer in
        ["/analysis_confidence", "/selected_workflow/confidence", "/strategies/0/confidence"]
    {
        close(&answer, pointer, scenario.confidence - LESS_SURE)?;
    }
    let strategies = list(&answer, "/strategies");
    ensure!(strategies.len() == 1, "there are {} strategies: {answer:#}", strategies.len());
    Ok(())
}
