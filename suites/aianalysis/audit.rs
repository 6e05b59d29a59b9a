//! The events that an analysis leaves behind (scenario 05).

use kindwright::{Case, CaseResult, Ctx, Rows, case, cases, ensure};
use serde_json::{Value, json};

use super::{
    CALLED, COMPLETED, CONTROLLER, DECIDED, EVALUATED, MOVED, TRAIL, analysis, complete, envelope,
    fail, make, until,
};

/// The changes of phase of an analysis that is completed.
const MOVES: [[&str; 2]; 3] =
    [["Pending", "Investigating"], ["Investigating", "Analyzing"], ["Analyzing", "Completed"]];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let beyond = [
        // The original's handler may run again after a conflict, and asks and tells everything once more.
        case!(an_analysis_is_told_once_and_in_order).beyond("supplement 6.4"),
        // It stores an approval as pending.
        case!(an_approval_is_an_evaluation_that_succeeded).beyond("supplement 6.2"),
    ];
    cases![
        every_change_of_phase_is_told,
        the_call_of_hapi_is_told,
        the_decision_is_told,
        a_decision_that_nobody_must_make_is_told,
        the_evaluation_of_the_policy_is_told,
        the_reason_is_told_as_it_is_noted,
        an_analysis_that_fails_is_told_as_failed,
        an_analysis_leaves_its_whole_trail_beside_that_of_hapi,
    ]
    .into_iter()
    .chain(beyond)
}

/// Lets an incident in production be analyzed.
async fn analyzed(ctx: &Ctx) -> CaseResult {
    complete(ctx, analysis(ctx, "incident", "OOMKilled", "production")).await?;
    Ok(())
}

/// Expects a row of each change of phase.
fn with_moves(rows: Rows) -> Rows {
    MOVES.into_iter().fold(rows, |rows, [from, to]| {
        let phases = json!({"old_phase": from, "new_phase": to});
        rows.matching(MOVED, json!({"event_action": "phase_transition", "event_data": phases}))
    })
}

/// Expects a row of each of these kinds, whatever it says.
fn with_each(rows: Rows, kinds: [&str; 3]) -> Rows {
    kinds.into_iter().fold(rows, |rows, kind| rows.matching(kind, json!({})))
}

async fn every_change_of_phase_is_told(ctx: Ctx) -> CaseResult {
    analyzed(&ctx).await?;
    let moves = ctx.audit().emitter(CONTROLLER).kinds([MOVED]).at_least(MOVES.len());
    with_moves(moves.all_matching(envelope(&ctx))).holds().await?;
    Ok(())
}

async fn the_call_of_hapi_is_told(ctx: Ctx) -> CaseResult {
    analyzed(&ctx).await?;
    let called = json!({
        "event_action": "holmesgpt_call", "event_outcome": "success",
        "event_data": {"endpoint": "/api/v1/incident/analyze", "http_status_code": 200},
    });
    let rows = ctx
        .audit()
        .emitter(CONTROLLER)
        .kinds([CALLED])
        .all_matching(envelope(&ctx))
        .all_matching(called)
        .holds()
        .await?;
    for row in &rows {
        let took = row.get("event_data.duration_ms");
        ensure!(took.is_some_and(Value::is_number), "it took {took:?}");
    }
    Ok(())
}

async fn the_decision_is_told(ctx: Ctx) -> CaseResult {
    analyzed(&ctx).await?;
    let decided = json!({
        "event_action": "approval_decision", "event_outcome": "success",
        "event_data": {
            "approval_required": true, "auto_approved": false, "decision": "requires_approval",
            "environment": "production", "confidence": 0.92,
            "workflow_id": "mock-oomkill-increase-memory-v1",
        },
    });
    let decisions = ctx.audit().emitter(CONTROLLER).kinds([DECIDED]);
    decisions.all_matching(envelope(&ctx)).all_matching(decided).holds().await?;
    Ok(())
}

async fn a_decision_that_nobody_must_make_is_told(ctx: Ctx) -> CaseResult {
    complete(&ctx, analysis(&ctx, "incident", "CrashLoopBackOff", "staging")).await?;
    let decided = json!({
        "event_action": "approval_decision", "event_outcome": "success",
        "event_data": {
            "approval_required": false, "auto_approved": true, "decision": "auto_approved",
            "environment": "staging", "confidence": 0.88, "workflow_id": "mock-crashloop-config-fix-v1",
        },
    });
    let decisions = ctx.audit().emitter(CONTROLLER).kinds([DECIDED]);
    decisions.all_matching(envelope(&ctx)).all_matching(decided).holds().await?;
    Ok(())
}

async fn the_evaluation_of_the_policy_is_told(ctx: Ctx) -> CaseResult {
    analyzed(&ctx).await?;
    let evaluated = json!({
        "event_action": "policy_evaluation", "event_outcome": "success",
        "event_data": {"outcome": "requires_approval", "degraded": false},
    });
    let evaluations = ctx.audit().emitter(CONTROLLER).kinds([EVALUATED]);
    for row in evaluations.all_matching(envelope(&ctx)).all_matching(evaluated).holds().await? {
        let took = row.get("event_data.duration_ms");
        ensure!(took.is_some_and(Value::is_number), "it took {took:?}");
    }
    Ok(())
}

async fn the_reason_is_told_as_it_is_noted(ctx: Ctx) -> CaseResult {
    for environment in ["staging", "production"] {
        let mut analysis = analysis(&ctx, environment, "OOMKilled", environment);
        let id = format!("{}-{environment}", ctx.correlation_id());
        analysis["spec"]["remediationId"] = json!(id);
        let status = complete(&ctx, analysis).await?;
        let reason = status["approvalReason"].as_str().unwrap_or_default();
        ensure!(!reason.is_empty(), "there is no reason: {status}");
        let decided = json!({"event_data": {"approval_reason": reason, "reason": reason}});
        ctx.audit_of(&id)
            .emitter(CONTROLLER)
            .at_least(TRAIL.len())
            .matching(EVALUATED, json!({"event_data": {"reason": reason}}))
            .matching(DECIDED, decided)
            .matching(COMPLETED, json!({"event_data": {"approval_reason": reason}}))
            .holds()
            .await?;
    }
    Ok(())
}

async fn an_analysis_that_fails_is_told_as_failed(ctx: Ctx) -> CaseResult {
    fail(&ctx, json!([{"mode": "answer", "status": 400}])).await?;
    let name = make(&ctx, analysis(&ctx, "incident", "OOMKilled", "production")).await?;
    until(&ctx, &name, json!({"phase": "Failed"})).await?;
    let moved = json!({
        "event_action": "phase_transition",
        "event_data": {"old_phase": "Investigating", "new_phase": "Failed"},
    });
    let completed = json!({
        "event_action": "analysis_complete", "event_outcome": "failure",
        "event_data": {
            "phase": "Failed", "reason": "APIError", "sub_reason": "PermanentError",
            "approval_required": false,
        },
    });
    // Whatever HAPI refuses with is told as 500 (supplement 6.2).
    let refused = json!({
        "event_outcome": "failure",
        "event_data": {"endpoint": "/api/v1/incident/analyze", "http_status_code": 500},
    });
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds([MOVED, CALLED, COMPLETED])
        .at_least(4)
        .all_matching(envelope(&ctx))
        .matching(MOVED, moved)
        .matching(CALLED, refused)
        .matching(COMPLETED, completed)
        .holds()
        .await?;
    // Nothing was there to decide about.
    ctx.audit().emitter(CONTROLLER).kinds([EVALUATED, DECIDED]).exactly(0).holds().await?;
    Ok(())
}

async fn an_analysis_leaves_its_whole_trail_beside_that_of_hapi(ctx: Ctx) -> CaseResult {
    analyzed(&ctx).await?;
    let completed = json!({
        "event_action": "analysis_complete", "event_outcome": "success",
        "event_data": {
            "phase": "Completed", "approval_required": true, "degraded_mode": false,
            "warnings_count": 2, "confidence": 0.92, "target_in_owner_chain": true,
            "workflow_id": "mock-oomkill-increase-memory-v1",
        },
    });
    let all = ctx.audit().emitter(CONTROLLER).at_least(TRAIL.len()).all_matching(envelope(&ctx));
    with_each(with_moves(all), [CALLED, EVALUATED, DECIDED])
        .matching(COMPLETED, completed)
        .holds()
        .await?;
    let hapi = ["llm_request", "llm_response", "workflow_validation_attempt"];
    with_each(ctx.audit().kinds(hapi).at_least(hapi.len()), hapi).holds().await?;
    Ok(())
}

async fn an_analysis_is_told_once_and_in_order(ctx: Ctx) -> CaseResult {
    analyzed(&ctx).await?;
    ctx.audit().emitter(CONTROLLER).exactly(TRAIL.len()).in_order(TRAIL).holds().await?;
    Ok(())
}

async fn an_approval_is_an_evaluation_that_succeeded(ctx: Ctx) -> CaseResult {
    complete(&ctx, analysis(&ctx, "incident", "OOMKilled", "staging")).await?;
    let approved = json!({"event_outcome": "success", "event_data": {"outcome": "approved"}});
    ctx.audit().emitter(CONTROLLER).kinds([EVALUATED]).all_matching(approved).holds().await?;
    Ok(())
}
