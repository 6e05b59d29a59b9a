//! A signal about a namespace that does not exist waits for it, and never fails (supplement 6.5).

use kindwright::{Case, CaseResult, Ctx, Failure, Objects, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{CONTROLLER, SIGNAL, SOON, processed, signal};
use crate::expect::counted;

const COUNT: &str = "signalprocessing_processing_total";

pub(super) fn cases() -> [Case; 2] {
    [
        // That it was tried is only counted, for all signals together.
        case!(a_signal_waits_for_the_namespace_of_its_target).alone(),
        // The contract has these fields and this event, and does not say when.
        case!(a_signal_says_why_it_waits).beyond("supplement 6.5"),
    ]
}

/// Makes a signal about a pod in a namespace that does not exist yet.
async fn make_early(ctx: &Ctx, later: &Objects) -> CaseResult {
    let objects = ctx.objects();
    let mut early = signal(ctx, objects, "critical", "Pod", "gone");
    early["spec"]["signal"]["targetResource"]["namespace"] = json!(later.namespace());
    objects.create(early).await?;
    Ok(())
}

/// Makes the namespace, and fails unless the signal is processed then; returns its status.
async fn make_late(ctx: &Ctx, later: &Objects) -> Result<Value, Failure> {
    later.make_namespace().await?;
    let status = processed(ctx.objects()).await?;
    ensure_eq!(status["kubernetesContext"]["namespace"]["name"], json!(later.namespace()));
    Ok(status)
}

async fn a_signal_waits_for_the_namespace_of_its_target(ctx: Ctx) -> CaseResult {
    let later = ctx.objects().beside("later");
    let failed = [("phase", "enriching"), ("result", "failure")];
    let failures = async || counted(&ctx, CONTROLLER, COUNT, &failed).await;
    let before = failures().await?;
    make_early(&ctx, &later).await?;
    ctx.until("that it was tried", SOON, async || {
        let now = failures().await?;
        ensure!(now > before, "it was {before} and is {now}");
        Ok(())
    })
    .await?;
    let waiting = ctx.objects().get(SIGNAL).await?.unwrap_or_default();
    ensure_eq!(waiting["status"]["phase"], json!("Enriching"));
    make_late(&ctx, &later).await?;
    Ok(())
}

async fn a_signal_says_why_it_waits(ctx: Ctx) -> CaseResult {
    let later = ctx.objects().beside("later");
    make_early(&ctx, &later).await?;
    let has_failed = |signal: &Value| {
        signal["status"]["consecutiveFailures"].as_u64().is_some_and(|failures| failures >= 1)
    };
    let waiting = ctx.objects().until(SIGNAL, "a failure", SOON, has_failed).await?;
    let status = &waiting["status"];
    ensure_eq!(status["phase"], json!("Enriching"));
    let error = status["error"].as_str().unwrap_or_default();
    ensure!(error.contains(later.namespace()), "it does not say which: {status}");
    let status = make_late(&ctx, &later).await?;
    let forgotten = status["error"].is_null() && status["consecutiveFailures"].is_null();
    ensure!(forgotten, "it remembers: {status}");
    let told = json!({
        "event_action": "error", "event_outcome": "failure", "event_data": {"phase": "Enriching"},
    });
    let errors = ctx.audit().emitter(CONTROLLER).kinds(["signalprocessing.error.occurred"]);
    errors.all_matching(told).holds().await?;
    Ok(())
}
