//! Policies that change while the controller runs, and policies that are none (`docs/policies.md`).

use kindwright::{Case, CaseResult, Ctx, Failure, Objects, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{CONTROLLER, KIND, SOON, VERSION, make_pod, signal};
use crate::expect::until_one;

const ENVIRONMENT: (&str, &str) = ("signalprocessing-environment-policy", "environment.rego");
const PRIORITY: (&str, &str) = ("signalprocessing-priority-policy", "priority.rego");
/// A policy that puts everything on the moon.
const MOON: &str = r#"package signalprocessing.environment

default result := {"environment": "moon", "source": "the case"}
"#;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    // What is right without a policy, and how that is said, is the stand-in's own.
    let degraded = [
        case!(a_policy_that_does_not_compile_degrades_signals_and_stops_nothing),
        case!(a_policy_that_is_missing_degrades_signals_and_stops_nothing),
    ]
    .map(|case| case.beyond("supplement 6.5"));
    let all = [case!(a_policy_that_is_replaced_counts_from_then_on)].into_iter().chain(degraded);
    all.map(Case::alone)
}

/// Processes a signal about the pod `shop`, and another one after it, until the status of one is as it should be.
async fn until(
    ctx: &Ctx,
    objects: &Objects,
    what: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Result<Value, Failure> {
    let processed = async |number| {
        let mut signal = signal(ctx, objects, "critical", "Pod", "shop");
        let name = format!("signal-{number}");
        signal["metadata"]["name"] = json!(name);
        objects.create(signal).await?;
        let done = json!({"status": {"phase": "Completed"}});
        let mut done = objects.until_matching([VERSION, KIND, &name], done, SOON).await?;
        Ok(done["status"].take())
    };
    until_one(ctx, what, SOON, processed, is_so).await
}

async fn a_policy_that_is_replaced_counts_from_then_on(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    make_pod(&ctx, objects).await?;
    let (config, file) = ENVIRONMENT;
    ctx.disturb()?.replace_config(config, file, MOON).await?;
    let on_the_moon = |status: &Value| status["environmentClassification"]["environment"] == "moon";
    let status = until(&ctx, objects, "an environment on the moon", on_the_moon).await?;
    ensure_eq!(status["environmentClassification"]["source"], json!("the case"));
    // What the other policies do not know is not theirs to refuse.
    ensure_eq!(status["priorityAssignment"]["priority"], json!("P3"));
    Ok(())
}

/// Fails unless a policy that is none, or no policy, degrades a signal and is told everywhere.
async fn degrades(ctx: &Ctx, policy: Option<&str>) -> CaseResult {
    let objects = ctx.objects();
    make_pod(ctx, objects).await?;
    let mark = ctx.mark().await?;
    let (config, file) = PRIORITY;
    let stack = ctx.disturb()?;
    match policy {
        Some(policy) => stack.replace_config(config, file, policy).await?,
        None => stack.remove_config(config, file).await?,
    }
    let falls_back = |status: &Value| status["priorityAssignment"]["source"] == "fallback-severity";
    let status = until(ctx, objects, "a priority without a policy", falls_back).await?;
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let degraded = conditions.into_iter().find(|it| it["reason"] == "PolicyDegraded");
    let message = degraded.and_then(|it| it["message"].as_str()).unwrap_or_default();
    ensure!(message.contains(file), "no condition names {file}: {status}");
    let labels = [("policy", "priority"), ("result", "degraded")];
    let metrics = ctx.metrics(CONTROLLER).await?;
    let count = metrics.value("signalprocessing_policy_evaluations_total", &labels)?;
    ensure!(count >= 1.0, "none is counted: {count}");
    let log = ctx.logs(CONTROLLER)?.since(&mark);
    log.until("a warning of the policy", SOON, |line| line.text().contains(file)).await?;
    ctx.audit().kinds(["signalprocessing.error.occurred"]).at_least(1).holds().await?;
    Ok(())
}

async fn a_policy_that_does_not_compile_degrades_signals_and_stops_nothing(ctx: Ctx) -> CaseResult {
    degrades(&ctx, Some("package signalprocessing.priority\n\nresult := {")).await
}

async fn a_policy_that_is_missing_degrades_signals_and_stops_nothing(ctx: Ctx) -> CaseResult {
    degrades(&ctx, None).await
}
