//! Policies that change while the controller runs, and policies that are none (`docs/policies.md`).

use std::cell::Cell;

use kindwright::{Case, CaseResult, Ctx, Failure, Objects, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{CONTROLLER, KIND, SOON, VERSION, make_pod, signal};

const ENVIRONMENT: (&str, &str) = ("signalprocessing-environment-policy", "environment.rego");
const PRIORITY: (&str, &str) = ("signalprocessing-priority-policy", "priority.rego");
/// A policy that puts everything on the moon.
const MOON: &str = r#"package signalprocessing.environment

default result := {"environment": "moon", "source": "the case"}
"#;

pub(super) fn cases() -> [Case; 2] {
    [
        case!(a_policy_that_is_replaced_counts_from_then_on).alone(),
        case!(a_policy_that_does_not_compile_degrades_signals_and_stops_nothing).alone(),
    ]
}

/// Processes a signal about the pod `shop`, and another one after it, until the status of one is as it should be.
async fn until(
    ctx: &Ctx,
    objects: &Objects,
    what: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Result<Value, Failure> {
    let number = Cell::new(0);
    ctx.until(what, SOON, async || {
        number.set(number.get() + 1);
        let name = format!("signal-{}", number.get());
        let mut signal = signal(ctx, objects, "critical", "Pod", "shop");
        signal["metadata"]["name"] = json!(name);
        objects.create(signal).await?;
        let done = json!({"status": {"phase": "Completed"}});
        let mut done = objects.until_matching([VERSION, KIND, &name], done, SOON).await?;
        let status = done["status"].take();
        ensure!(is_so(&status), "the status is {status}");
        Ok(status)
    })
    .await
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

async fn a_policy_that_does_not_compile_degrades_signals_and_stops_nothing(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    make_pod(&ctx, objects).await?;
    let mark = ctx.mark().await?;
    let (config, file) = PRIORITY;
    ctx.disturb()?
        .replace_config(config, file, "package signalprocessing.priority\n\nresult := {")
        .await?;
    let falls_back = |status: &Value| status["priorityAssignment"]["source"] == "fallback-severity";
    let status = until(&ctx, objects, "a priority without a policy", falls_back).await?;
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
