//! One run at a time on each target, and a rest between two.

use std::time::Duration;

use futures_util::future::try_join;
use kindwright::{Case, CaseResult, Ctx, Failure, ObjectsError, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    COMPLETED, FAILED, FAILING, HELLO, KIND, SOON, STARTED, VERSION, execution, make, run, run_of,
    target, text, until_in,
};

/// How long a target rests at the least: the manifest says it to the stand-in, and the original rests longer.
const REST: Duration = Duration::from_secs(20);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_target_that_is_taken_is_refused_to_another,
        a_target_is_taken_in_every_namespace,
        targets_do_not_wait_for_each_other,
        a_target_rests_before_the_next_one_runs,
    ]
    .into_iter()
    .chain([
        // The original's finalizer looks only at the name, which both have in common.
        case!(who_did_not_get_a_target_does_not_end_the_run_on_it).beyond("supplement 6.6"),
        // There both may come before the run that is over has gone, and are refused.
        case!(of_two_that_wait_for_a_target_one_gets_it).beyond("supplement 6.6"),
    ])
}

/// Another execution of a workflow, on the target of those called `taken`.
fn rival(ctx: &Ctx, name: &str) -> Value {
    execution(ctx, name, HELLO, &json!({"targetResource": target(ctx, "taken")}))
}

/// Runs what takes long on the target of those called `taken`; returns its name.
async fn take(ctx: &Ctx) -> Result<String, Failure> {
    let lasting = json!({"parameters": {"FAILURE_MODE": "timeout"}});
    let name = run(ctx, "taken", FAILING, lasting).await?;
    until_in(ctx, &name, "Running").await?;
    Ok(name)
}

fn moment(execution: &Value, field: &str) -> Result<OffsetDateTime, Failure> {
    let text = execution["status"][field].as_str().unwrap_or_default();
    let parsed = OffsetDateTime::parse(text, &Rfc3339);
    parsed.map_err(|_| Failure::new(format_args!("`{field}` is no time: {execution}")))
}

async fn a_target_that_is_taken_is_refused_to_another(ctx: Ctx) -> CaseResult {
    let name = take(&ctx).await?;
    let late = make(ctx.objects(), rival(&ctx, "late")).await?;
    let failed = until_in(&ctx, &late, "Failed").await?;
    let details = &failed["status"]["failureDetails"];
    // The contract has no reason for it.
    ensure_eq!(details["reason"], json!("Unknown"));
    ensure!(text(details, "/message").contains(&name), "it does not say by whom: {details}");
    ensure_eq!(details["wasExecutionFailure"], json!(false));
    let there = ctx.objects().get([VERSION, KIND, &name]).await?.unwrap_or_default();
    ensure_eq!(there["status"]["phase"], json!("Running"));
    ctx.audit()
        .exactly(2)
        .matching(STARTED, json!({"resource_id": name}))
        .matching(FAILED, json!({"resource_id": late}))
        .holds()
        .await?;
    Ok(())
}

async fn a_target_is_taken_in_every_namespace(ctx: Ctx) -> CaseResult {
    take(&ctx).await?;
    let elsewhere = ctx.objects().beside("other");
    let late = make(&elsewhere, rival(&ctx, "late")).await?;
    let failed = json!({"status": {"phase": "Failed", "failureDetails": {"reason": "Unknown"}}});
    elsewhere.until_matching([VERSION, KIND, &late], failed, SOON).await?;
    Ok(())
}

async fn targets_do_not_wait_for_each_other(ctx: Ctx) -> CaseResult {
    let lasting = json!({"parameters": {"DELAY_SECONDS": "20"}});
    let names =
        try_join(run(&ctx, "one", HELLO, lasting.clone()), run(&ctx, "other", HELLO, lasting));
    let (one, other) = names.await?;
    let (one, other) =
        try_join(until_in(&ctx, &one, "Completed"), until_in(&ctx, &other, "Completed")).await?;
    let begun = moment(&one, "startTime")?.max(moment(&other, "startTime")?);
    let ended = moment(&one, "completionTime")?.min(moment(&other, "completionTime")?);
    ensure!(begun < ended, "one waited for the other: {begun} and {ended}");
    Ok(())
}

async fn who_did_not_get_a_target_does_not_end_the_run_on_it(ctx: Ctx) -> CaseResult {
    let name = take(&ctx).await?;
    let late = make(ctx.objects(), rival(&ctx, "late")).await?;
    until_in(&ctx, &late, "Failed").await?;
    ctx.objects().delete([VERSION, KIND, &late]).await?;
    ensure!(run_of(&ctx, &name).await?.is_some(), "the run is gone");
    Ok(())
}

/// The cooldown, and what comes after it.
async fn a_target_rests_before_the_next_one_runs(ctx: Ctx) -> CaseResult {
    // Who comes next may come from anywhere.
    let elsewhere = ctx.objects().beside("other");
    elsewhere.make_namespace().await?;
    let first = run(&ctx, "taken", HELLO, json!({})).await?;
    let done = until_in(&ctx, &first, "Completed").await?;
    let next = make(&elsewhere, rival(&ctx, "next")).await?;
    let until = async |phase: &str| {
        let status = json!({"status": {"phase": phase}});
        elsewhere.until_matching([VERSION, KIND, &next], status, SOON).await
    };
    let waiting = until("Pending").await?;
    ensure_eq!(waiting["status"]["pipelineRunRef"], Value::Null);
    let begun = until("Running").await?;
    let rested = moment(&begun, "startTime")? - moment(&done, "completionTime")?;
    // Kubernetes writes when something was made in whole seconds.
    ensure!(rested + Duration::from_secs(1) >= REST, "it rested for {rested}");
    until("Completed").await?;
    Ok(())
}

async fn of_two_that_wait_for_a_target_one_gets_it(ctx: Ctx) -> CaseResult {
    let first = run(&ctx, "taken", HELLO, json!({})).await?;
    until_in(&ctx, &first, "Completed").await?;
    let wait = async |name| -> Result<String, Failure> {
        let name = make(ctx.objects(), rival(&ctx, name)).await?;
        until_in(&ctx, &name, "Pending").await?;
        Ok(name)
    };
    let (one, other) = (wait("one").await?, wait("other").await?);
    let (one, other) = try_join(end(&ctx, &one), end(&ctx, &other)).await?;
    let mut phases = [&one, &other].map(|it| text(it, "/status/phase"));
    phases.sort_unstable();
    ensure_eq!(phases, ["Completed", "Failed"]);
    ctx.audit().kinds([COMPLETED]).exactly(2).holds().await?;
    Ok(())
}

/// Waits until an execution has ended, and returns it.
async fn end(ctx: &Ctx, name: &str) -> Result<Value, ObjectsError> {
    let has_ended = |it: &Value| ["Completed", "Failed"].contains(&text(it, "/status/phase"));
    ctx.objects().until([VERSION, KIND, name], "its end", SOON, has_ended).await
}
