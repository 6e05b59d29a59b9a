//! Which requests HAPI takes: complete ones, with every field of its type (contract 5.3, 5.4).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};
use serde_json::{Value, json};

use super::{ANALYZE, HAPI, RECOVER, analyze, errors, failed, incident, recover};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        an_incomplete_previous_execution_is_refused,
        an_incident_with_a_field_of_another_type_is_refused,
        a_recovery_with_a_field_of_another_type_is_refused,
        what_may_be_left_out_may_be_null,
    ]
}

/// Fails unless a request is refused as a problem.
async fn refused(ctx: &Ctx, path: &str, request: &Value, what: &str) -> CaseResult {
    let answer = ctx.post(HAPI, path).json(request).send().await?;
    let status = answer.status();
    ensure!(matches!(status, 400 | 422), "{what} is answered with {status}");
    errors::refused(&answer)?;
    Ok(())
}

/// A request with another value at a place where it has one.
fn with(mut request: Value, place: &str, value: &Value) -> Value {
    if let Some(member) = request.pointer_mut(place) {
        *member = value.clone();
    }
    request
}

async fn an_incomplete_previous_execution_is_refused(ctx: Ctx) -> CaseResult {
    for (place, fields) in [
        ("", ["workflow_execution_ref", "original_rca", "selected_workflow", "failure"].as_slice()),
        ("/original_rca", &["summary", "signal_type", "severity"]),
        ("/selected_workflow", &["workflow_id", "version", "container_image", "rationale"]),
        ("/failure", &["failed_step_index", "failed_step_name", "reason", "message"]),
        ("/failure", &["failed_at", "execution_time"]),
    ] {
        for field in fields {
            let mut request = failed(&ctx, "OOMKilled");
            let members = request.pointer_mut(&format!("/previous_execution{place}"));
            if let Some(members) = members.and_then(Value::as_object_mut) {
                members.remove(*field);
            }
            refused(&ctx, RECOVER, &request, &format!("one without {place}/{field}")).await?;
        }
    }
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}

async fn an_incident_with_a_field_of_another_type_is_refused(ctx: Ctx) -> CaseResult {
    for (place, value) in [
        ("/description", json!(7)),
        ("/is_duplicate", json!("perhaps")),
        ("/occurrence_count", json!("many")),
        ("/signal_labels", json!({"app": 7})),
        ("/enrichment_results", json!("none")),
        ("/enrichment_results/customLabels", json!({"team": "payments"})),
        ("/enrichment_results/enrichmentQuality", json!(1.5)),
        ("/enrichment_results/detectedLabels/failedDetections", json!(["weather"])),
        ("/enrichment_results/detectedLabels/gitOpsManaged", json!("perhaps")),
    ] {
        let request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
        let request = with(request, place, &value);
        refused(&ctx, ANALYZE, &request, &format!("{place} as {value}")).await?;
    }
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}

async fn a_recovery_with_a_field_of_another_type_is_refused(ctx: Ctx) -> CaseResult {
    for (place, value) in [
        ("/is_recovery_attempt", json!("perhaps")),
        ("/recovery_attempt_number", json!("first")),
        ("/environment", Value::Null),
        ("/enrichment_results/customLabels", json!(["payments"])),
        ("/previous_execution", json!("none")),
        ("/previous_execution/original_rca/contributing_factors", json!("memory")),
        ("/previous_execution/selected_workflow/parameters", json!({"REPLICAS": 2})),
        ("/previous_execution/failure/failed_step_index", json!(-1)),
        ("/previous_execution/failure/exit_code", json!("none")),
    ] {
        let request = with(failed(&ctx, "OOMKilled"), place, &value);
        refused(&ctx, RECOVER, &request, &format!("{place} as {value}")).await?;
    }
    ctx.audit().exactly(0).holds().await?;
    Ok(())
}

async fn what_may_be_left_out_may_be_null(ctx: Ctx) -> CaseResult {
    let mut request = incident(&ctx, "OOMKilled", "critical", "production", "P1");
    for field in
        ["description", "is_duplicate", "storm_type", "signal_labels", "enrichment_results"]
    {
        request[field] = Value::Null;
    }
    analyze(&ctx, &request).await?;
    let mut request = failed(&ctx, "OOMKilled");
    for field in ["recovery_attempt_number", "severity", "cluster_name", "enrichment_results"] {
        request[field] = Value::Null;
    }
    request["previous_execution"]["failure"]["exit_code"] = Value::Null;
    recover(&ctx, &request).await?;
    Ok(())
}
