//! The trail of a remediation: started, gone on, ended (DD-AUDIT-003, contract 6.2).

use kindwright::{Case, CaseResult, Ctx, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    ACTOR, COMPLETED, CONTROLLER, MOVED, SOON, STARTED,
    play::{ANALYSIS, APPROVAL, EXECUTION, Play, WORKFLOW, to_be_approved},
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let beyond = [
        // The original emits nothing at these two ends.
        case!(a_problem_that_has_resolved_itself_leaves_its_end),
        case!(an_analysis_that_fails_leaves_the_end_of_its_remediation),
        case!(a_review_by_a_person_is_told),
        // Nor does it tell that nobody has decided.
        case!(an_approval_that_expires_is_told),
    ]
    .map(|case| case.beyond("contract 6.2"));
    [
        case!(the_beginning_of_a_remediation_is_found_in_the_trail),
        case!(a_remediation_that_goes_on_leaves_its_transitions),
        case!(the_controller_is_ready_to_tell),
        case!(a_remediation_that_goes_well_leaves_its_whole_trail),
        case!(a_remediation_that_fails_says_where_and_why),
        case!(an_approval_says_who_was_asked_and_who_decided),
        case!(a_rejection_is_told_as_a_failure),
    ]
    .into_iter()
    .chain(beyond)
}

async fn the_beginning_of_a_remediation_is_found_in_the_trail(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    let path = format!(
        "/api/v1/audit/events?event_category=orchestration&correlation_id={}&limit=100",
        play.uid
    );
    let found = ctx.until("the beginning", SOON, async || {
        let answer: Value = ctx.get("datastorage", &path).send().await?.expect(200)?.json()?;
        let events = answer["data"].as_array().cloned().unwrap_or_default();
        let started = events.into_iter().find(|event| event["event_type"] == STARTED);
        ensure!(started.is_some(), "it is not among {answer}");
        Ok(started.unwrap_or_default())
    });
    let found = found.await?;
    ensure_eq!(
        [&found["event_category"], &found["event_outcome"], &found["event_action"]],
        [&json!("orchestration"), &json!("pending"), &json!("started")]
    );
    Ok(())
}

async fn a_remediation_that_goes_on_leaves_its_transitions(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.processed().await?;
    ctx.audit_of(&play.uid)
        .kinds([STARTED, MOVED])
        .at_least(2)
        .in_order([STARTED, MOVED])
        .within(SOON)
        .holds()
        .await?;
    Ok(())
}

async fn the_controller_is_ready_to_tell(ctx: Ctx) -> CaseResult {
    let ready = json!({"status": {"readyReplicas": 1}});
    ctx.suite_objects().until_matching(["apps/v1", "Deployment", CONTROLLER], ready, SOON).await?;
    Ok(())
}

async fn a_remediation_that_goes_well_leaves_its_whole_trail(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.goes_well().await?;
    let moved = |from: &str, to: &str| json!({"event_action": "transitioned", "event_data": {"from_phase": from, "to_phase": to}});
    let events = ctx
        .audit_of(&play.uid)
        .emitter(ACTOR)
        .exactly(5)
        .in_order([STARTED, MOVED, MOVED, MOVED, COMPLETED])
        .all_matching(json!({
            "event_category": "orchestration",
            "event_version": "1.0",
            "actor_type": "service",
            "resource_type": "RemediationRequest",
            "resource_id": play.name,
            "namespace": play.objects().namespace(),
            "event_data": {"rr_name": play.name, "namespace": play.objects().namespace()},
        }))
        .matching(STARTED, json!({"event_outcome": "pending"}))
        .matching(MOVED, moved("Pending", "Processing"))
        .matching(MOVED, moved("Processing", "Analyzing"))
        .matching(MOVED, moved("Analyzing", "Executing"))
        .matching(
            COMPLETED,
            json!({
                "event_action": "completed", "event_outcome": "success",
                "event_data": {"outcome": "Remediated"},
            }),
        )
        .holds()
        .await?;
    let took = events.last().and_then(|event| event.get("event_data.duration_ms"));
    ensure!(took.is_some_and(Value::is_u64), "it took {took:?}");
    Ok(())
}

async fn a_remediation_that_fails_says_where_and_why(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(json!({})).await?;
    play.says(EXECUTION, json!({"phase": "Failed", "failureReason": "TaskFailed"})).await?;
    let failed = play.phase("Failed").await?;
    ctx.audit_of(&play.uid)
        .kinds([COMPLETED])
        .exactly(1)
        .all_matching(json!({
            "event_action": "completed",
            "event_outcome": "failure",
            "event_data": {
                "rr_name": play.name,
                "namespace": play.objects().namespace(),
                "outcome": "Failed",
                "failure_phase": "workflow_execution",
                "failure_reason": failed["status"]["failureReason"],
            },
        }))
        .holds()
        .await?;
    Ok(())
}

async fn an_approval_says_who_was_asked_and_who_decided(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    let approved = json!({"decision": "Approved", "decidedBy": "ann", "decisionMessage": "go"});
    play.says(APPROVAL, approved).await?;
    play.phase("Executing").await?;
    let (requested, approved) =
        ("orchestrator.approval.requested", "orchestrator.approval.approved");
    ctx.audit_of(&play.uid)
        .kinds([requested, approved])
        .exactly(2)
        .in_order([requested, approved])
        .all_matching(json!({"event_data": {
            "rr_name": play.name, "namespace": play.objects().namespace(),
            "signal_name": "HighMemoryUsage",
        }}))
        .matching(
            requested,
            json!({
                "event_action": "approval_requested",
                "event_outcome": "pending",
                "event_data": {
                    "workflow_id": WORKFLOW, "confidence_score": 0.9, "severity": "critical",
                    "approval_reason": "it is production",
                },
            }),
        )
        .matching(
            approved,
            json!({
                "event_action": "approved", "event_outcome": "success",
                "actor_type": "user", "actor_id": "ann",
                "event_data": {"decision": "Approved", "decided_by": "ann", "decision_message": "go"},
            }),
        )
        .holds()
        .await?;
    Ok(())
}

async fn a_rejection_is_told_as_a_failure(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    play.says(APPROVAL, json!({"decision": "Rejected", "decidedBy": "bob"})).await?;
    play.phase("Failed").await?;
    let rejected = "orchestrator.approval.rejected";
    ctx.audit_of(&play.uid)
        .kinds([rejected, COMPLETED])
        .exactly(2)
        .in_order([rejected, COMPLETED])
        .all_matching(json!({"event_outcome": "failure"}))
        .matching(
            rejected,
            json!({
                "event_action": "rejected", "actor_type": "user", "actor_id": "bob",
                "event_data": {
                    "decision": "Rejected", "decided_by": "bob", "signal_name": "HighMemoryUsage",
                    "rr_name": play.name, "namespace": play.objects().namespace(),
                },
            }),
        )
        .matching(
            COMPLETED,
            json!({"event_action": "completed", "event_data": {"failure_phase": "approval"}}),
        )
        .holds()
        .await?;
    Ok(())
}

async fn a_problem_that_has_resolved_itself_leaves_its_end(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(json!({"reason": "WorkflowNotNeeded", "selectedWorkflow": null})).await?;
    play.phase("Completed").await?;
    let end = json!({"event_outcome": "success", "event_data": {"outcome": "NoActionRequired"}});
    ctx.audit_of(&play.uid).kinds([COMPLETED]).exactly(1).all_matching(end).holds().await?;
    Ok(())
}

/// A remediation whose analysis has failed for this reason.
async fn not_analysed(ctx: &Ctx, reason: &str) -> Result<Play, kindwright::Failure> {
    let play = Play::begin(ctx).await?;
    play.processed().await?;
    let failed = json!({
        "phase": "Failed", "approvalRequired": false, "reason": reason, "message": "it cannot be",
    });
    play.says(ANALYSIS, failed).await?;
    play.phase("Failed").await?;
    Ok(play)
}

async fn an_analysis_that_fails_leaves_the_end_of_its_remediation(ctx: Ctx) -> CaseResult {
    let play = not_analysed(&ctx, "APIError").await?;
    let end = json!({"event_outcome": "failure", "event_data": {"failure_phase": "ai_analysis"}});
    ctx.audit_of(&play.uid).kinds([COMPLETED]).exactly(1).all_matching(end).holds().await?;
    Ok(())
}

async fn a_review_by_a_person_is_told(ctx: Ctx) -> CaseResult {
    let play = not_analysed(&ctx, "WorkflowResolutionFailed").await?;
    let review = "orchestrator.remediation.manual_review";
    ctx.audit_of(&play.uid)
        .kinds([review, COMPLETED])
        .exactly(2)
        .in_order([review, COMPLETED])
        .matching(review, json!({"event_outcome": "pending"}))
        .holds()
        .await?;
    Ok(())
}

async fn an_approval_that_expires_is_told(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    super::approval::ask_until_now(&play).await?;
    play.phase("Failed").await?;
    let expired = "orchestrator.approval.expired";
    ctx.audit_of(&play.uid)
        .kinds([expired])
        .exactly(1)
        .all_matching(json!({"event_outcome": "failure", "actor_type": "service"}))
        .holds()
        .await?;
    Ok(())
}
