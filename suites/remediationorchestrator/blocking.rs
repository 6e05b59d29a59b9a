//! What keeps a signal's remediations from going on, and how long (BR-ORCH-042, DD-RO-002; left pending by the original).

use kindwright::{Case, CaseResult, Ctx, Failure, Row, case, ensure, ensure_eq};
use serde_json::{Value, json};
use time::Duration;

use super::{
    COMPLETED, SOON, metrics,
    play::{PROCESSING, Play, fingerprint, is_after, moment},
};
use crate::expect::rest;

const BLOCKED: &str = "orchestrator.routing.blocked";
/// How long a signal is blocked that has failed too often, and how long it rests after its first failure: the manifest
/// says so, and the original has an hour and a minute.
const COOLDOWN: Duration = Duration::seconds(10);
const FIRST_REST: Duration = Duration::seconds(20);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let beyond = [
        case!(a_blocked_fingerprint_fails_when_its_time_is_up),
        // By default that is over before any limit is.
        case!(the_time_of_a_block_is_not_limited),
        case!(a_duplicate_goes_on_when_the_first_has_ended),
        case!(duplicates_keep_nobody_from_going_on),
        // The original looks for it where only an end writes it.
        case!(a_fingerprint_rests_after_a_failure),
    ]
    .map(|case| case.beyond("contract S6.8"));
    [
        case!(a_fingerprint_that_has_failed_three_times_is_blocked),
        case!(a_success_makes_earlier_failures_forgotten),
        case!(a_duplicate_is_blocked_as_long_as_the_first_is_at_work),
        case!(a_duplicate_is_one_in_any_namespace),
    ]
    .into_iter()
    .chain(beyond)
}

/// The next remediation of the case's signal.
async fn again(ctx: &Ctx, number: u32) -> Result<Play, Failure> {
    Play::of(ctx, ctx.objects(), &format!("rr-{number}"), json!({})).await
}

/// The status of a remediation that is blocked for this reason.
pub(super) async fn blocked(play: &Play, reason: &str) -> Result<Value, Failure> {
    let mut request = play.until(json!({"overallPhase": "Blocked", "blockReason": reason})).await?;
    Ok(request["status"].take())
}

/// Fails unless one event tells that a remediation is blocked as its status says; `more` is what else it says. Returns
/// how long after it somebody looks again.
pub(super) async fn told(
    ctx: &Ctx,
    play: &Play,
    status: &Value,
    more: Value,
) -> Result<Duration, Failure> {
    let message = &status["blockMessage"];
    ensure!(message.as_str().is_some_and(|it| !it.is_empty()), "it does not say why: {status}");
    let mut data = json!({
        "from_phase": "Pending", "to_phase": "Blocked", "block_reason": status["blockReason"],
        "block_message": message, "rr_name": play.name, "namespace": play.objects().namespace(),
    });
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    let said = json!({"event_action": "blocked", "event_outcome": "pending", "event_data": data});
    let events = ctx.audit_of(&play.uid).kinds([BLOCKED]).exactly(1).all_matching(said).holds();
    let events = events.await?;
    let event = events.first().map_or(&Value::Null, Row::as_json);
    let data = &event["event_data"];
    let target = data["target_resource"].as_str().unwrap_or_default();
    let expected = format!("{}/deployment/cart", ctx.objects().namespace());
    ensure!(target.eq_ignore_ascii_case(&expected), "its target is {target}");
    let left = data["requeue_after_seconds"].as_i64();
    let left = left.ok_or_else(|| Failure::new(format_args!("nobody looks again: {data}")))?;
    let rests = (status["blockReason"] == "ExponentialBackoff").then_some(left);
    ensure_eq!(data["backoff_seconds"].as_i64(), rests);
    let left = Duration::seconds(left);
    ensure_eq!(data["blocked_until"], status["blockedUntil"]);
    if status["blockedUntil"].is_string() {
        is_after(moment(status, "/blockedUntil")?, moment(event, "/event_timestamp")?, left)?;
    }
    Ok(left)
}

/// Lets the signal of the case fail three times, with a rest after each but the last; returns the requests.
async fn fail_three_times(ctx: &Ctx) -> Result<Vec<Value>, Failure> {
    let mut all = Vec::new();
    for number in 1..=3 {
        let failed = again(ctx, number).await?.fails().await?;
        if number < 3 {
            rest(ctx, &failed).await?;
        }
        all.push(failed);
    }
    Ok(all)
}

async fn a_fingerprint_that_has_failed_three_times_is_blocked(ctx: Ctx) -> CaseResult {
    for failed in fail_three_times(&ctx).await? {
        ensure_eq!(failed["status"]["failurePhase"], json!("signal_processing"));
    }
    let fourth = again(&ctx, 4).await?;
    let status = blocked(&fourth, "ConsecutiveFailures").await?;
    ensure!(status["blockedUntil"].is_string(), "it is blocked for ever: {status}");
    ensure!(fourth.look(PROCESSING).await?.is_null(), "its signal is processed");
    told(&ctx, &fourth, &status, json!({"consecutive_failures": 3})).await?;
    // Another signal of the same target goes on.
    let other = json!({"signalFingerprint": fingerprint(&ctx, 1)});
    let other = Play::of(&ctx, ctx.objects(), "another", other).await?;
    other.phase("Processing").await?;
    Ok(())
}

async fn a_blocked_fingerprint_fails_when_its_time_is_up(ctx: Ctx) -> CaseResult {
    let failures = fail_three_times(&ctx).await?;
    for (failed, expected) in failures.iter().zip([FIRST_REST, 2 * FIRST_REST]) {
        let [until, ended] = ["nextAllowedExecution", "completedAt"]
            .map(|it| moment(failed, &format!("/status/{it}")));
        is_after(until?, ended?, expected)?;
    }
    for (failed, count) in failures.iter().zip(1..) {
        ensure_eq!(failed["status"]["consecutiveFailureCount"], json!(count));
    }
    // Whoever has failed too often is blocked for that, and does not rest.
    ensure_eq!(failures[2]["status"]["nextAllowedExecution"], Value::Null);
    let fourth = again(&ctx, 4).await?;
    let status = blocked(&fourth, "ConsecutiveFailures").await?;
    let left = told(&ctx, &fourth, &status, json!({"consecutive_failures": 3})).await?;
    ensure!((COOLDOWN - left).abs() < Duration::seconds(2), "it is blocked for {left}");
    let reason = [("reason", "ConsecutiveFailures")];
    metrics::until(&ctx, "blocked_total", &reason, 1.0).await?;
    let ended = fourth.until(json!({"overallPhase": "Failed", "failurePhase": "blocked"})).await?;
    ensure!(
        moment(&ended, "/status/completedAt")? >= moment(&status, "/blockedUntil")?,
        "it ended before its time was up: {ended}"
    );
    let said = json!({"event_outcome": "failure", "event_data": {"failure_phase": "blocked"}});
    ctx.audit_of(&fourth.uid).kinds([COMPLETED]).exactly(1).all_matching(said).holds().await?;
    Ok(())
}

async fn the_time_of_a_block_is_not_limited(ctx: Ctx) -> CaseResult {
    fail_three_times(&ctx).await?;
    let more = json!({"timeoutConfig": {"global": "6s"}});
    let fourth = Play::of(&ctx, ctx.objects(), "rr-4", more).await?;
    blocked(&fourth, "ConsecutiveFailures").await?;
    fourth.until(json!({"overallPhase": "Failed", "failurePhase": "blocked"})).await?;
    Ok(())
}

async fn a_success_makes_earlier_failures_forgotten(ctx: Ctx) -> CaseResult {
    for number in 1..=2 {
        let failed = again(&ctx, number).await?.fails().await?;
        rest(&ctx, &failed).await?;
    }
    let third = again(&ctx, 3).await?;
    let resolved = json!({"reason": "WorkflowNotNeeded", "selectedWorkflow": null});
    third.analysed(resolved).await?;
    third.phase("Completed").await?;
    let failed = again(&ctx, 4).await?.fails().await?;
    rest(&ctx, &failed).await?;
    again(&ctx, 5).await?.phase("Processing").await?;
    Ok(())
}

async fn a_duplicate_is_blocked_as_long_as_the_first_is_at_work(ctx: Ctx) -> CaseResult {
    let first = again(&ctx, 1).await?;
    first.phase("Processing").await?;
    let second = again(&ctx, 2).await?;
    let status = blocked(&second, "DuplicateInProgress").await?;
    ensure_eq!(status["duplicateOf"], json!(first.name));
    ensure!(status.get("blockedUntil").is_none(), "it is blocked until a moment: {status}");
    told(&ctx, &second, &status, json!({"duplicate_of": first.name})).await?;
    ensure!(second.look(PROCESSING).await?.is_null(), "its signal is processed");
    first.phase("Processing").await?;
    Ok(())
}

async fn a_duplicate_is_one_in_any_namespace(ctx: Ctx) -> CaseResult {
    let first = again(&ctx, 1).await?;
    first.phase("Processing").await?;
    let second = Play::of(&ctx, &ctx.objects().beside("b"), "rr-2", json!({})).await?;
    let status = blocked(&second, "DuplicateInProgress").await?;
    ensure_eq!(status["duplicateOf"], json!(first.name));
    Ok(())
}

async fn a_duplicate_goes_on_when_the_first_has_ended(ctx: Ctx) -> CaseResult {
    let first = again(&ctx, 1).await?;
    first.phase("Processing").await?;
    let (second, third) = (again(&ctx, 2).await?, again(&ctx, 3).await?);
    blocked(&second, "DuplicateInProgress").await?;
    blocked(&third, "DuplicateInProgress").await?;
    first.analysed(json!({"reason": "WorkflowNotNeeded", "selectedWorkflow": null})).await?;
    first.phase("Completed").await?;
    // Then one of them is first, and the other its duplicate.
    ctx.until("that one of them goes on", SOON, async || {
        let (second, third) = (second.status().await?, third.status().await?);
        let waits = |one: &Value, other: &Value| {
            one["overallPhase"] == "Processing"
                && other["overallPhase"] == "Blocked"
                && other["duplicateOf"] != first.name.as_str()
        };
        ensure!(waits(&second, &third) || waits(&third, &second), "they are {second} and {third}");
        Ok(())
    })
    .await
}

async fn duplicates_keep_nobody_from_going_on(ctx: Ctx) -> CaseResult {
    let first = again(&ctx, 1).await?;
    first.phase("Processing").await?;
    // As many as would be too many failures.
    for number in 2..=4 {
        blocked(&again(&ctx, number).await?, "DuplicateInProgress").await?;
    }
    // The original takes its own duplicates for others that are at work, and for failures.
    first.analysed(json!({})).await?;
    first.phase("Executing").await?;
    Ok(())
}

async fn a_fingerprint_rests_after_a_failure(ctx: Ctx) -> CaseResult {
    let failed = again(&ctx, 1).await?.fails().await?;
    let second = again(&ctx, 2).await?;
    let status = blocked(&second, "ExponentialBackoff").await?;
    ensure_eq!(status["blockedUntil"], failed["status"]["nextAllowedExecution"]);
    let ended = moment(&failed, "/status/completedAt")?;
    is_after(moment(&status, "/blockedUntil")?, ended, FIRST_REST)?;
    metrics::until(&ctx, "blocked_total", &[("reason", "ExponentialBackoff")], 1.0).await?;
    told(&ctx, &second, &status, json!({"consecutive_failures": 1})).await?;
    second.until(json!({"overallPhase": "Failed", "failurePhase": "blocked"})).await?;
    // It was not tried, so nobody rests for it.
    let third = again(&ctx, 3).await?;
    third.phase("Processing").await?;
    Ok(())
}
