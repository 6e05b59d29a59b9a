//! Environment, priority, business, and the labels of the user's own (BR-SP-051, 053, 070, 102, supplement 6.5).

use kindwright::{Case, CaseResult, Ctx, Failure, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{ENVIRONMENT, UNIT, process, signal};

const TEAM: &str = "kubernaut.ai/team";
/// Environments, how critical a business is in each, and what is promised to it.
const PROMISES: [[&str; 3]; 4] = [
    ["production", "high", "gold"],
    ["staging", "medium", "silver"],
    ["development", "low", "bronze"],
    ["unknown", "medium", "bronze"],
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let promises = PROMISES.map(|[environment, criticality, promise]| {
        let name = format!("a_business_in_{environment}_is_promised_{promise}");
        Case::named(name, move |ctx| is_promised(ctx, environment, [criticality, promise]))
    });
    cases![
        critical_in_production_is_p0,
        a_warning_in_production_is_p1,
        critical_in_staging_is_p2,
        a_warning_in_staging_is_p2,
        anything_in_development_is_p3,
        an_environment_is_that_of_the_label,
        an_environment_that_nothing_says_is_unknown,
        a_label_that_is_called_alike_counts_for_nothing,
        a_namespace_that_is_called_production_is_production,
        custom_labels_are_those_of_the_policy,
        a_business_is_that_of_its_namespace,
        a_business_without_a_unit_is_that_of_its_team,
    ]
    .into_iter()
    .chain(promises)
}

/// The status of a signal in a namespace of the case with these labels.
async fn classified(ctx: &Ctx, labels: &[(&str, &str)], severity: &str) -> Result<Value, Failure> {
    let plain = ctx.objects().clone();
    let objects = labels.iter().fold(plain, |objects, (name, value)| objects.label(name, value));
    objects.make_namespace().await?;
    process(&objects, signal(ctx, &objects, severity, "Pod", "gone")).await
}

async fn priority_is(ctx: &Ctx, [environment, severity]: [&str; 2], priority: &str) -> CaseResult {
    let status = classified(ctx, &[(ENVIRONMENT, environment)], severity).await?;
    let classification = &status["environmentClassification"];
    ensure_eq!(classification["environment"], json!(environment));
    ensure_eq!(classification["source"], json!("namespace-labels"));
    ensure_eq!(status["priorityAssignment"]["priority"], json!(priority));
    ensure_eq!(status["priorityAssignment"]["source"], json!("rego-policy"));
    Ok(())
}

async fn critical_in_production_is_p0(ctx: Ctx) -> CaseResult {
    priority_is(&ctx, ["production", "critical"], "P0").await
}

async fn a_warning_in_production_is_p1(ctx: Ctx) -> CaseResult {
    priority_is(&ctx, ["production", "warning"], "P1").await
}

async fn critical_in_staging_is_p2(ctx: Ctx) -> CaseResult {
    priority_is(&ctx, ["staging", "critical"], "P2").await
}

async fn a_warning_in_staging_is_p2(ctx: Ctx) -> CaseResult {
    priority_is(&ctx, ["staging", "warning"], "P2").await
}

async fn anything_in_development_is_p3(ctx: Ctx) -> CaseResult {
    priority_is(&ctx, ["development", "critical"], "P3").await
}

async fn an_environment_is_that_of_the_label(ctx: Ctx) -> CaseResult {
    let status = classified(&ctx, &[(ENVIRONMENT, "production")], "info").await?;
    ensure_eq!(status["environmentClassification"]["environment"], json!("production"));
    ensure_eq!(status["environmentClassification"]["source"], json!("namespace-labels"));
    Ok(())
}

async fn an_environment_that_nothing_says_is_unknown(ctx: Ctx) -> CaseResult {
    let status = classified(&ctx, &[], "critical").await?;
    ensure_eq!(status["environmentClassification"]["environment"], json!("unknown"));
    ensure_eq!(status["environmentClassification"]["source"], json!("default"));
    Ok(())
}

async fn a_label_that_is_called_alike_counts_for_nothing(ctx: Ctx) -> CaseResult {
    let status = classified(&ctx, &[("environment", "production")], "critical").await?;
    ensure_eq!(status["environmentClassification"]["environment"], json!("unknown"));
    ensure_eq!(status["priorityAssignment"]["priority"], json!("P3"));
    Ok(())
}

async fn a_namespace_that_is_called_production_is_production(ctx: Ctx) -> CaseResult {
    let production = ctx.objects().fixed("production").await?;
    let status = process(&production, signal(&ctx, &production, "warning", "Pod", "gone")).await?;
    ensure_eq!(status["environmentClassification"]["source"], json!("namespace-name"));
    ensure_eq!(status["priorityAssignment"]["priority"], json!("P1"));
    Ok(())
}

async fn custom_labels_are_those_of_the_policy(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects().label(TEAM, "payments");
    let objects = objects.annotation("kubernaut.ai/label-tier", "gold");
    objects.make_namespace().await?;
    let status = process(&objects, signal(&ctx, &objects, "critical", "Pod", "gone")).await?;
    let labels = &status["kubernetesContext"]["customLabels"];
    ensure_eq!(labels["team"], json!(["payments"]));
    // No code knows this name: only the policy does.
    ensure_eq!(labels["tier"], json!(["gold"]));
    Ok(())
}

async fn a_business_is_that_of_its_namespace(ctx: Ctx) -> CaseResult {
    let labels = [
        (ENVIRONMENT, "production"),
        (UNIT, "checkout"),
        (TEAM, "payments"),
        ("kubernaut.ai/service-owner", "ann"),
    ];
    let status = classified(&ctx, &labels, "critical").await?;
    let business = json!({
        "businessUnit": "checkout", "serviceOwner": "ann", "criticality": "high",
        "slaRequirement": "gold",
    });
    ensure_eq!(status["businessClassification"], business);
    ensure!(status["completionTime"].is_string(), "it has no end: {status}");
    Ok(())
}

async fn a_business_without_a_unit_is_that_of_its_team(ctx: Ctx) -> CaseResult {
    let status = classified(&ctx, &[(TEAM, "payments")], "critical").await?;
    ensure_eq!(status["businessClassification"]["businessUnit"], json!("payments"));
    Ok(())
}

/// Fails unless this is promised to a business in an environment, of which nothing else is known.
async fn is_promised(ctx: Ctx, environment: &str, promised: [&str; 2]) -> CaseResult {
    let labels = [(ENVIRONMENT, environment)];
    // A namespace is unknown if it does not say what it is.
    let said: &[(&str, &str)] = if environment == "unknown" { &[] } else { &labels };
    let status = classified(&ctx, said, "critical").await?;
    ensure_eq!(status["environmentClassification"]["environment"], json!(environment));
    let [criticality, promise] = promised;
    let business = json!({"criticality": criticality, "slaRequirement": promise});
    ensure_eq!(status["businessClassification"], business);
    Ok(())
}
