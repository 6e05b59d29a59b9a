//! What keeps alerts from being remedied one upon the other, and what goes with a request that is deleted.
//!
//! They are what the original left pending for the want of real controllers (contract 6.8).

use kindwright::{Case, CaseResult, Ctx, case, ensure};
use serde_json::json;

use super::{
    REQUEST, SOON, VERSION, alert, alert_called, endings::remedied, settle, settle_in, text, until,
    until_of,
};
use crate::expect::rest;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    // The original looks for executions on a target under another spelling, and never finds its own.
    let busy = case!(a_busy_target_is_waited_for_and_left_alone_once_it_is_remedied)
        .beyond("contract S6.8");
    [
        case!(an_alert_whose_remedies_have_failed_three_times_is_blocked),
        case!(the_same_alert_in_two_namespaces_is_remedied_in_both),
        case!(what_is_made_for_a_request_that_waits_for_approval_goes_with_it),
        case!(what_is_made_for_a_request_whose_workflow_runs_goes_with_it),
        busy,
    ]
}

async fn an_alert_whose_remedies_have_failed_three_times_is_blocked(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "staging").await?;
    for number in 1..=3 {
        let answer = alert(&ctx, "cart", "warning", 201).await?;
        let failed = json!({"overallPhase": "Failed", "failurePhase": "workflow_execution"});
        let failed = until(&ctx, text(&answer, "/remediationRequestName"), failed).await?;
        if number < 3 {
            rest(&ctx, &failed).await?;
        }
    }
    let fourth = alert(&ctx, "cart", "warning", 201).await?;
    let blocked = json!({"overallPhase": "Blocked", "blockReason": "ConsecutiveFailures"});
    until(&ctx, text(&fourth, "/remediationRequestName"), blocked).await?;
    Ok(())
}

async fn a_busy_target_is_waited_for_and_left_alone_once_it_is_remedied(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "development").await?;
    let first = alert(&ctx, "cart", "info", 201).await?;
    let name = text(&first, "/remediationRequestName");
    until(&ctx, name, json!({"overallPhase": "Executing"})).await?;
    let second = alert_called(&ctx, ctx.objects(), "PodIsDown", "cart", "info").await?;
    let second = text(&second, "/remediationRequestName");
    let execution = format!("we-{name}");
    let blocked = |reason| {
        let by = &execution;
        json!({"overallPhase": "Blocked", "blockReason": reason, "blockingWorkflowExecution": by})
    };
    until(&ctx, second, blocked("ResourceBusy")).await?;
    remedied(&ctx, &first).await?;
    // Then it is looked into, and the same workflow would remedy it.
    until(&ctx, second, blocked("RecentlyRemediated")).await?;
    until(&ctx, second, json!({"overallPhase": "Failed", "failurePhase": "blocked"})).await?;
    Ok(())
}

async fn the_same_alert_in_two_namespaces_is_remedied_in_both(ctx: Ctx) -> CaseResult {
    let mut begun = Vec::new();
    for objects in [ctx.objects().clone(), ctx.objects().beside("b")] {
        settle(&objects, "staging").await?;
        let answer = alert_called(&ctx, &objects, "PodIsSlow", "cart", "critical").await?;
        begun.push((objects, answer));
    }
    let [one, other] = [&begun[0].1, &begun[1].1].map(|answer| text(answer, "/fingerprint"));
    ensure!(one != other, "both have the fingerprint {one}");
    for (objects, answer) in &begun {
        let done = json!({"overallPhase": "Completed", "outcome": "Remediated"});
        until_of(objects, text(answer, "/remediationRequestName"), done).await?;
    }
    Ok(())
}

/// Waits until there is an object of this kind in the namespace of the case, or none.
async fn until_there_is(ctx: &Ctx, kind: &str, expected: bool) -> CaseResult {
    let what = format!("that there is {} {kind}", if expected { "a" } else { "no" });
    ctx.until(what, SOON, async || {
        let there = ctx.objects().list([VERSION, kind]).await?;
        ensure!(there.is_empty() != expected, "there are {}", there.len());
        Ok(())
    })
    .await
}

async fn what_is_made_for_a_request_that_waits_for_approval_goes_with_it(ctx: Ctx) -> CaseResult {
    const MADE: [&str; 4] =
        ["SignalProcessing", "AIAnalysis", "RemediationApprovalRequest", "NotificationRequest"];
    settle_in(&ctx, "production").await?;
    let answer = alert(&ctx, "cart", "critical", 201).await?;
    let name = text(&answer, "/remediationRequestName");
    until(&ctx, name, json!({"overallPhase": "AwaitingApproval"})).await?;
    for kind in MADE {
        until_there_is(&ctx, kind, true).await?;
    }
    ctx.objects().delete([VERSION, REQUEST, name]).await?;
    for kind in MADE {
        until_there_is(&ctx, kind, false).await?;
    }
    Ok(())
}

async fn what_is_made_for_a_request_whose_workflow_runs_goes_with_it(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "development").await?;
    let answer = alert(&ctx, "cart", "info", 201).await?;
    let name = text(&answer, "/remediationRequestName");
    until(&ctx, name, json!({"overallPhase": "Executing"})).await?;
    let runs = ctx.objects_in("workflows")?;
    let until_it_runs = async |expected: bool| {
        ctx.until(format_args!("a run, if {expected}"), SOON, async || {
            let runs = runs.list(["tekton.dev/v1", "PipelineRun"]).await?;
            let of = |run: &serde_json::Value| {
                text(run, "/metadata/labels/kubernaut.ai~1workflow-execution").to_owned()
            };
            let there = runs.iter().any(|run| of(run) == format!("we-{name}"));
            ensure!(there == expected, "its run is there: {there}");
            Ok(())
        })
        .await
    };
    until_it_runs(true).await?;
    ctx.objects().delete([VERSION, REQUEST, name]).await?;
    until_it_runs(false).await?;
    for kind in ["SignalProcessing", "AIAnalysis", "WorkflowExecution"] {
        until_there_is(&ctx, kind, false).await?;
    }
    Ok(())
}
