//! What the orchestrator counts: nineteen metrics, which are there from the start (contract 6.8, S6.8).

use kindwright::{Case, CaseResult, Ctx, Failure, MetricsError, case, ensure};
use serde_json::json;

use super::{
    CONTROLLER, SOON, VERSION,
    play::{ANALYSIS, APPROVAL, NOTIFICATION, Play, analysed, to_be_approved},
};
use crate::expect::counted;

const NAMES: [&str; 19] = [
    "reconcile_total",
    "reconcile_duration_seconds_count",
    "phase_transitions_total",
    "child_crd_creations_total",
    "manual_review_notifications_total",
    "approval_notifications_total",
    "notification_cancellations_total",
    "notification_status",
    "notification_delivery_duration_seconds_count",
    "no_action_needed_total",
    "duplicates_skipped_total",
    "timeouts_total",
    "blocked_total",
    "blocked_cooldown_expired_total",
    "current_blocked",
    "status_update_retries_total",
    "status_update_conflicts_total",
    "condition_status",
    "condition_transitions_total",
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let there = NAMES.map(|name| {
        Case::named(format!("the_metric_{name}_is_there"), move |ctx| is_there(ctx, name))
    });
    let counted = [
        case!(the_steps_of_a_remediation_are_counted),
        case!(a_look_at_a_remediation_is_counted_by_its_phase),
        case!(its_children_are_counted_by_kind),
        case!(an_approval_is_counted),
        case!(what_has_not_happened_yet_is_counted_as_0).alone(),
    ];
    // The original mixes up some of its labels, and never counts others.
    let beyond = [
        case!(questions_and_notifications_are_counted_among_children),
        case!(a_review_by_a_person_is_counted),
        case!(a_notification_that_is_cancelled_is_counted),
        // No label tells whose it is.
        case!(a_block_whose_time_is_up_is_counted).alone(),
        case!(what_needs_no_workflow_is_counted),
        case!(a_duplicate_is_counted_as_long_as_it_waits),
        case!(what_takes_too_long_is_counted_by_its_phase),
        case!(a_notification_is_counted_until_it_has_come_to_an_end),
    ]
    .map(|case| case.beyond("contract S6.8"));
    there.into_iter().chain(counted).chain(beyond)
}

/// The sum of a metric.
async fn sum(ctx: &Ctx, name: &str, labels: &[(&str, &str)]) -> Result<f64, MetricsError> {
    let name = format!("kubernaut_remediationorchestrator_{name}");
    ctx.metrics(CONTROLLER).await?.sum(&name, labels)
}

/// Waits until a metric of the namespace of the case is so much.
pub(super) async fn until(
    ctx: &Ctx,
    name: &str,
    labels: &[(&str, &str)],
    expected: f64,
) -> CaseResult {
    let here = [("namespace", ctx.objects().namespace())];
    let labels = [labels, &here].concat();
    ctx.until(format_args!("{name} {labels:?} {expected}"), SOON, async || {
        let sum = sum(ctx, name, &labels).await?;
        ensure!((sum - expected).abs() < 0.1, "it is {sum}");
        Ok(())
    })
    .await
}

async fn is_there(ctx: Ctx, name: &str) -> CaseResult {
    let answer = ctx.get(CONTROLLER, "/metrics").send().await?.expect(200)?;
    let whole = format!("kubernaut_remediationorchestrator_{name}");
    let there = answer.text().lines().any(|line| line.starts_with(&whole));
    if there {
        Ok(())
    } else {
        Err(Failure::new(format_args!("no {whole} in:\n{}", answer.text())))
    }
}

async fn what_has_not_happened_yet_is_counted_as_0(ctx: Ctx) -> CaseResult {
    // What cases before this one have caused is forgotten.
    ctx.disturb()?.kill(CONTROLLER).await?;
    let answer = ctx.get(CONTROLLER, "/metrics").send().await?.expect(200)?;
    // What labels they have then is not said.
    let is_none = |name: &str| {
        let whole = format!("kubernaut_remediationorchestrator_{name}");
        answer.text().lines().any(|line| {
            let rest = line.strip_prefix(whole.as_str());
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']) && rest.ends_with(" 0"))
        })
    };
    // It looks at all that is there when it begins, and the time of a block may be up.
    let looks =
        ["reconcile_total", "reconcile_duration_seconds_count", "blocked_cooldown_expired_total"];
    let missing: Vec<_> =
        NAMES.into_iter().filter(|name| !looks.contains(name) && !is_none(name)).collect();
    ensure!(missing.is_empty(), "no 0 of {missing:?} in:\n{}", answer.text());
    Ok(())
}

async fn the_steps_of_a_remediation_are_counted(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.goes_well().await?;
    for [from, to] in [
        ["Pending", "Processing"],
        ["Processing", "Analyzing"],
        ["Analyzing", "Executing"],
        ["Executing", "Completed"],
    ] {
        let labels = [("from_phase", from), ("to_phase", to)];
        until(&ctx, "phase_transitions_total", &labels, 1.0).await?;
    }
    Ok(())
}

async fn a_look_at_a_remediation_is_counted_by_its_phase(ctx: Ctx) -> CaseResult {
    let looked_at = async |phase: &str| -> CaseResult {
        let labels = [("phase", phase), ("namespace", ctx.objects().namespace())];
        ctx.until(format_args!("a look in the phase {phase}"), SOON, async || {
            let count = sum(&ctx, "reconcile_total", &labels).await?;
            let times = sum(&ctx, "reconcile_duration_seconds_count", &labels).await?;
            ensure!(count >= 1.0 && (count - times).abs() < 0.1, "{count} with {times} times");
            Ok(())
        })
        .await
    };
    // A child that goes on before it was looked at would lead through several phases at one look.
    let play = Play::begin(&ctx).await?;
    looked_at("Processing").await?;
    play.processed().await?;
    looked_at("Analyzing").await?;
    play.says(ANALYSIS, analysed(json!({}))).await?;
    looked_at("Executing").await
}

async fn its_children_are_counted_by_kind(ctx: Ctx) -> CaseResult {
    Play::begin(&ctx).await?.goes_well().await?;
    for kind in ["SignalProcessing", "AIAnalysis", "WorkflowExecution"] {
        until(&ctx, "child_crd_creations_total", &[("child_type", kind)], 1.0).await?;
    }
    let complete = [("crd_type", "RemediationRequest"), ("condition_type", "RecoveryComplete")];
    until(
        &ctx,
        "condition_transitions_total",
        &[&complete[..], &[("to_status", "True")]].concat(),
        1.0,
    )
    .await?;
    until(&ctx, "condition_status", &[&complete[..], &[("status", "True")]].concat(), 1.0).await?;
    Ok(())
}

async fn an_approval_is_counted(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    until(&ctx, "approval_notifications_total", &[], 1.0).await
}

async fn questions_and_notifications_are_counted_among_children(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    for kind in [APPROVAL.0, NOTIFICATION] {
        until(&ctx, "child_crd_creations_total", &[("child_type", kind)], 1.0).await?;
    }
    Ok(())
}

async fn a_review_by_a_person_is_counted(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.processed().await?;
    let (reason, sub_reason) = ("WorkflowResolutionFailed", "NoMatchingWorkflows");
    let failed = json!({
        "phase": "Failed", "approvalRequired": false, "reason": reason, "subReason": sub_reason,
    });
    play.says(ANALYSIS, failed).await?;
    play.phase("Failed").await?;
    let labels = [("source", "AIAnalysis"), ("reason", reason), ("sub_reason", sub_reason)];
    until(&ctx, "manual_review_notifications_total", &labels, 1.0).await
}

async fn a_notification_that_is_cancelled_is_counted(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    let name = format!("nr-approval-{}", play.name);
    play.objects().delete([VERSION, NOTIFICATION, &name]).await?;
    play.until(json!({"notificationStatus": "Cancelled"})).await?;
    until(&ctx, "notification_cancellations_total", &[], 1.0).await
}

async fn a_block_whose_time_is_up_is_counted(ctx: Ctx) -> CaseResult {
    const EXPIRED: &str = "kubernaut_remediationorchestrator_blocked_cooldown_expired_total";
    Play::begin(&ctx).await?.fails().await?;
    let resting = Play::of(&ctx, ctx.objects(), "rr-2", json!({})).await?;
    resting.phase("Blocked").await?;
    let before = counted(&ctx, CONTROLLER, EXPIRED, &[]).await?;
    resting.phase("Failed").await?;
    ctx.until("that it is counted", SOON, async || {
        let now = counted(&ctx, CONTROLLER, EXPIRED, &[]).await?;
        ensure!((now - before - 1.0).abs() < 0.1, "it was {before} and is {now}");
        Ok(())
    })
    .await
}

async fn what_needs_no_workflow_is_counted(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    let resolved = json!({
        "reason": "WorkflowNotNeeded", "subReason": "ProblemResolved", "selectedWorkflow": null,
    });
    play.analysed(resolved).await?;
    play.phase("Completed").await?;
    until(&ctx, "no_action_needed_total", &[("reason", "ProblemResolved")], 1.0).await
}

async fn a_duplicate_is_counted_as_long_as_it_waits(ctx: Ctx) -> CaseResult {
    let first = Play::begin(&ctx).await?;
    first.phase("Processing").await?;
    let second = Play::of(&ctx, ctx.objects(), "rr-2", json!({})).await?;
    second.phase("Blocked").await?;
    let reason = "DuplicateInProgress";
    until(&ctx, "blocked_total", &[("reason", reason)], 1.0).await?;
    until(&ctx, "duplicates_skipped_total", &[("skip_reason", reason)], 1.0).await?;
    until(&ctx, "current_blocked", &[], 1.0).await?;
    first.analysed(json!({"reason": "WorkflowNotNeeded", "selectedWorkflow": null})).await?;
    second.phase("Processing").await?;
    until(&ctx, "current_blocked", &[], 0.0).await
}

async fn what_takes_too_long_is_counted_by_its_phase(ctx: Ctx) -> CaseResult {
    let more = json!({"timeoutConfig": {"processing": "2s"}});
    let play = Play::of(&ctx, ctx.objects(), "rr", more).await?;
    play.phase("TimedOut").await?;
    until(&ctx, "timeouts_total", &[("phase", "Processing")], 1.0).await
}

async fn a_notification_is_counted_until_it_has_come_to_an_end(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    let name = format!("nr-approval-{}", play.name);
    let times =
        json!({"queuedAt": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:02Z"});
    let mut status = times.clone();
    status["phase"] = json!("Sent");
    let status = json!({"status": status});
    play.objects().merge_status([VERSION, NOTIFICATION, &name], &status).await?;
    play.until(json!({"notificationStatus": "Sent"})).await?;
    until(&ctx, "notification_status", &[("status", "Sent")], 1.0).await?;
    let sent = [("status", "Sent")];
    until(&ctx, "notification_delivery_duration_seconds_count", &sent, 1.0).await?;
    until(&ctx, "notification_delivery_duration_seconds_sum", &sent, 2.0).await?;
    play.says(APPROVAL, json!({"decision": "Rejected"})).await?;
    play.phase("Failed").await?;
    Ok(())
}
