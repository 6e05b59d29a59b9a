//! The trail of an execution (BR-WE-005, contract 6.2).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::{Value, json};

use super::{
    COMPLETED, CONTROLLER, FAILED, FAILING, HELLO, KIND, STARTED, execution, make, run, text,
    until_in,
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        an_execution_that_completes_leaves_two_events,
        an_execution_that_fails_says_why,
        an_execution_of_no_correlation_is_audited_under_its_own_name,
        the_data_service_finds_an_execution_by_its_correlation,
    ]
}

/// What every event of an execution says.
fn envelope(ctx: &Ctx, execution: &Value) -> Value {
    let spec = &execution["spec"];
    json!({
        "event_category": "workflow",
        "event_version": "1.0",
        "actor_type": "service",
        "actor_id": CONTROLLER,
        "resource_type": KIND,
        "resource_id": execution["metadata"]["name"],
        "namespace": ctx.objects().namespace(),
        "event_data": {
            "workflow_id": spec["workflowRef"]["workflowId"],
            "workflow_version": spec["workflowRef"]["version"],
            "container_image": spec["workflowRef"]["containerImage"],
            "target_resource": spec["targetResource"],
            "execution_name": execution["metadata"]["name"],
            "pipelinerun_name": execution["status"]["pipelineRunRef"]["name"],
        },
    })
}

/// BR-WE-005: two events at the least, and what they say.
async fn an_execution_that_completes_leaves_two_events(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "flow", HELLO, json!({})).await?;
    let done = until_in(&ctx, &name, "Completed").await?;
    let status = &done["status"];
    let events = ctx
        .audit()
        .exactly(2)
        .in_order([STARTED, COMPLETED])
        .all_matching(envelope(&ctx, &done))
        .all_matching(json!({"event_outcome": "success"}))
        .matching(
            STARTED,
            json!({"event_action": "started", "event_data": {
                "phase": "Running", "started_at": status["startTime"],
            }}),
        )
        .matching(
            COMPLETED,
            json!({"event_action": "completed", "event_data": {
                "phase": "Completed", "started_at": status["startTime"],
                "completed_at": status["completionTime"], "duration": status["duration"],
            }}),
        )
        .holds()
        .await?;
    for event in &events {
        let failure = event.get("event_data.failure_reason");
        ensure!(failure.is_none(), "it failed: {:#}", event.as_json());
    }
    Ok(())
}

/// BR-WE-005: an event of a failure with its details.
async fn an_execution_that_fails_says_why(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "failing", FAILING, json!({})).await?;
    let failed = until_in(&ctx, &name, "Failed").await?;
    let (status, details) = (&failed["status"], &failed["status"]["failureDetails"]);
    ensure!(!text(details, "/message").is_empty(), "it does not say why: {details}");
    ctx.audit()
        .exactly(2)
        .in_order([STARTED, FAILED])
        .all_matching(envelope(&ctx, &failed))
        .matching(
            FAILED,
            json!({
                "event_action": "failed",
                "event_outcome": "failure",
                "event_data": {
                    "phase": "Failed",
                    "failure_reason": "TaskFailed",
                    "failure_message": details["message"],
                    "failed_task_name": details["failedTaskName"],
                    "started_at": status["startTime"],
                    "completed_at": status["completionTime"],
                    "duration": status["duration"],
                },
            }),
        )
        .holds()
        .await?;
    Ok(())
}

async fn an_execution_of_no_correlation_is_audited_under_its_own_name(ctx: Ctx) -> CaseResult {
    let mut lonely = execution(&ctx, "lonely", HELLO, &json!({}));
    lonely["metadata"]["labels"] = json!({});
    let name = make(ctx.objects(), lonely).await?;
    until_in(&ctx, &name, "Completed").await?;
    ctx.audit_of(&name).exactly(2).in_order([STARTED, COMPLETED]).holds().await?;
    Ok(())
}

/// BR-WE-005: as people look for it.
async fn the_data_service_finds_an_execution_by_its_correlation(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "flow", HELLO, json!({})).await?;
    until_in(&ctx, &name, "Completed").await?;
    ctx.audit().exactly(2).holds().await?;
    let path = format!(
        "/api/v1/audit/events?event_category=workflow&correlation_id={}",
        ctx.correlation_id()
    );
    let answer: Value = ctx.get("datastorage", &path).send().await?.expect(200)?.json()?;
    let found = answer["data"].as_array().into_iter().flatten();
    let mut kinds: Vec<_> = found.map(|event| text(event, "/event_type")).collect();
    kinds.sort_unstable();
    ensure!(kinds == [COMPLETED, STARTED], "it finds {answer:#}");
    Ok(())
}
