//! Which signals are the same, and how long (scenarios 02, 11 and 14).

use std::time::Duration;

use futures_util::future::try_join_all;
use kindwright::{Case, CaseResult, Ctx, case, cases, ensure, ensure_eq, wait::Limit};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    REQUEST, SOON, VERSION, alert, counted, created, fingerprint, make_namespace, requests, send,
    text, until_requests, until_seen,
};

/// The original's time to live of what it once had seen, and a bit more (supplement 6.3).
const BEYOND_THE_TTL: Limit = Limit::of(Duration::from_secs(12)).every(Duration::from_millis(1500));
/// So often a signal is sent at once.
const AT_ONCE: usize = 20;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let all = cases![
        each_cause_has_one_request_whatever_comes_again,
        a_signal_of_the_same_cause_has_the_same_fingerprint,
        a_signal_of_another_cause_has_another_fingerprint,
        each_occurrence_of_a_signal_is_counted,
        a_signal_is_new_again_once_its_request_has_ended,
        a_signal_is_not_new_again_while_something_is_done_about_it,
        a_signal_does_not_become_new_by_waiting,
    ];
    // The original looks into a cache, which may not know yet what was made just now.
    let at_once = case!(signals_of_one_cause_at_the_same_time_have_one_request);
    all.into_iter().chain([at_once.beyond("supplement 6.3")])
}

async fn each_cause_has_one_request_whatever_comes_again(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let first = alert(&ctx, "PodMemoryHigh", "payment-0");
    let answer = created(&ctx, &first).await?;
    for pod in 1..5 {
        created(&ctx, &alert(&ctx, "PodMemoryHigh", &format!("payment-{pod}"))).await?;
    }
    until_seen(&ctx, &answer).await?;
    let again = counted(&ctx, &first).await?;
    ensure!(again["remediationRequestName"] == answer["remediationRequestName"], "{again}");
    for pod in 0..5 {
        created(&ctx, &alert(&ctx, "PodRestarting", &format!("payment-{pod}"))).await?;
    }
    until_requests(&ctx, ctx.objects(), 10).await?;
    Ok(())
}

async fn a_signal_of_the_same_cause_has_the_same_fingerprint(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let mut alert = alert(&ctx, "HighLatency", "cart-0");
    let first = created(&ctx, &alert).await?;
    until_seen(&ctx, &first).await?;
    // Neither how bad it is nor when it began is a part of its cause.
    alert["commonLabels"]["severity"] = json!("warning");
    alert["alerts"][0]["startsAt"] = json!("2025-06-01T00:00:00Z");
    let second = counted(&ctx, &alert).await?;
    ensure!(first["fingerprint"] == second["fingerprint"], "{first}\n{second}");
    let own = fingerprint("HighLatency", ctx.objects().namespace(), "Pod", "cart-0");
    ensure_eq!(first["fingerprint"], own);
    Ok(())
}

async fn a_signal_of_another_cause_has_another_fingerprint(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let mut prints = Vec::new();
    for (name, pod) in [("HighLatency", "cart-0"), ("HighLatency", "cart-1"), ("LowDisk", "cart-0")]
    {
        prints.push(created(&ctx, &alert(&ctx, name, pod)).await?["fingerprint"].to_string());
    }
    prints.sort();
    prints.dedup();
    ensure!(prints.len() == 3, "these are too few: {prints:?}");
    Ok(())
}

async fn each_occurrence_of_a_signal_is_counted(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let alert = alert(&ctx, "DiskFull", "db-0");
    let first = created(&ctx, &alert).await?;
    until_seen(&ctx, &first).await?;
    for occurrence in 2..=5 {
        let answer = counted(&ctx, &alert).await?;
        ensure!(answer["metadata"]["count"] == occurrence, "not {occurrence}: {answer}");
        ensure_eq!(answer["status"], "duplicate");
        ensure_eq!(answer["duplicate"], true);
        ensure_eq!(answer["fingerprint"], first["fingerprint"]);
        ensure_eq!(answer["remediationRequestNamespace"], ctx.objects().namespace());
        for member in ["firstOccurrence", "lastOccurrence", "remediationRequestRef"] {
            let there = !text(&answer, &format!("/metadata/{member}")).is_empty();
            ensure!(there, "no {member}: {answer}");
        }
    }
    let name = text(&first, "/remediationRequestName");
    let request = ctx.objects().get([VERSION, REQUEST, name]).await?.unwrap_or_default();
    let seen = &request["status"]["deduplication"];
    ensure!(seen["occurrenceCount"] == 5, "{seen}");
    let time = |pointer| OffsetDateTime::parse(text(seen, pointer), &Rfc3339);
    ensure!(time("/firstSeenAt")? <= time("/lastSeenAt")?, "{seen}");
    Ok(())
}

async fn a_signal_is_new_again_once_its_request_has_ended(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let phases = ["Completed", "Failed", "TimedOut", "Skipped", "Cancelled"];
    let ending = phases.map(async |phase| -> CaseResult {
        let alert = alert(&ctx, "Ended", &phase.to_lowercase());
        let first = created(&ctx, &alert).await?;
        until_seen(&ctx, &first).await?;
        let (name, status) =
            (text(&first, "/remediationRequestName"), json!({"status": {"overallPhase": phase}}));
        ctx.objects().merge_status([VERSION, REQUEST, name], &status).await?;
        // The name of a request has the second in it: in the same one it would be the old one again.
        ctx.until(format!("a new request after {phase}"), SOON, async || {
            let next = created(&ctx, &alert).await?;
            let other = next["remediationRequestName"] != first["remediationRequestName"];
            ensure!(other, "it is still {next}");
            ensure!(next["fingerprint"] == first["fingerprint"], "another cause: {next}");
            Ok(())
        })
        .await
    });
    try_join_all(ending).await?;
    until_requests(&ctx, ctx.objects(), 2 * phases.len()).await?;
    Ok(())
}

async fn a_signal_is_not_new_again_while_something_is_done_about_it(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let phases = ["Pending", "Processing", "Analyzing", "AwaitingApproval", "Executing", "Blocked"];
    let going_on = phases.map(async |phase| -> CaseResult {
        let alert = alert(&ctx, "GoesOn", &phase.to_lowercase());
        let first = created(&ctx, &alert).await?;
        until_seen(&ctx, &first).await?;
        let (name, status) =
            (text(&first, "/remediationRequestName"), json!({"status": {"overallPhase": phase}}));
        ctx.objects().merge_status([VERSION, REQUEST, name], &status).await?;
        let again = counted(&ctx, &alert).await?;
        ensure!(again["remediationRequestName"] == name, "in {phase} it has another: {again}");
        let request = ctx.objects().get([VERSION, REQUEST, name]).await?.unwrap_or_default();
        ensure!(request["status"]["overallPhase"] == phase, "the phase was lost: {request}");
        Ok(())
    });
    try_join_all(going_on).await?;
    ensure!(requests(ctx.objects()).await?.len() == phases.len(), "there are others");
    Ok(())
}

async fn a_signal_does_not_become_new_by_waiting(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let alert = alert(&ctx, "Lasting", "cart-0");
    let first = created(&ctx, &alert).await?;
    until_seen(&ctx, &first).await?;
    ctx.stays("the same request", BEYOND_THE_TTL, async || {
        let again = counted(&ctx, &alert).await?;
        let same = again["remediationRequestName"] == first["remediationRequestName"];
        ensure!(same, "it is another one: {again}");
        Ok(())
    })
    .await?;
    ensure!(requests(ctx.objects()).await?.len() == 1, "there are several");
    Ok(())
}

async fn signals_of_one_cause_at_the_same_time_have_one_request(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let alert = alert(&ctx, "AtOnce", "cart-0");
    let answers = try_join_all((0..AT_ONCE).map(|_| send(&ctx, &alert))).await?;
    let new = answers.iter().filter(|answer| answer.status() == 201).count();
    let again = answers.iter().filter(|answer| answer.status() == 202).count();
    ensure!((new, again) == (1, AT_ONCE - 1), "{new} were new, {again} came again");
    let requests = until_requests(&ctx, ctx.objects(), 1).await?;
    let seen = &requests[0]["status"]["deduplication"];
    ensure!(seen["occurrenceCount"] == AT_ONCE, "{seen}");
    Ok(())
}
