//! Questions about incidents. Nobody acts in this suite, so that there are none.

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure};
use serde_json::{Value, json};

use super::{SERVICE, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![questions_about_incidents_are_answered_or_refused].into_iter().chain([
        // The contract says nothing of what is in the answers.
        case!(without_actions_there_are_no_incidents).beyond("contract 4.1"),
        case!(a_question_about_incidents_that_makes_no_sense_is_refused_with_the_field)
            .beyond("contract 4.1"),
    ])
}

async fn questions_about_incidents_are_answered_or_refused(ctx: Ctx) -> CaseResult {
    for (path, status) in [
        ("incidents", 200),
        ("incidents/aggregate/by-namespace", 200),
        ("incidents/aggregate/by-severity", 200),
        ("success-rate/incident-type?incident_type=oom&time_range=7d", 200),
        ("success-rate/incident-type", 400),
        ("incidents/7", 404),
    ] {
        let answer = ctx.get(SERVICE, &format!("/api/v1/{path}")).send().await?;
        answer.expect(status)?;
    }
    Ok(())
}

async fn without_actions_there_are_no_incidents(ctx: Ctx) -> CaseResult {
    for (path, expected) in [
        ("incidents", json!({"data": [], "pagination": {"limit": 100, "offset": 0, "total": 0}})),
        ("incidents/aggregate/by-namespace", json!({"aggregations": []})),
        ("incidents/aggregate/by-severity", json!({"aggregations": []})),
        ("incidents/aggregate/trend?period=30d", json!({"period": "30d", "data_points": []})),
        (
            "success-rate/incident-type?incident_type=oom&time_range=24h",
            json!({
                "incident_type": "oom", "time_range": "24h", "success_rate": 0.0,
                "total_executions": 0, "successful_executions": 0, "failed_executions": 0,
                "min_samples_met": false, "confidence": "insufficient_data",
            }),
        ),
    ] {
        let answer = ctx.get(SERVICE, &format!("/api/v1/{path}")).send().await?;
        let answer: Value = answer.expect(200)?.json()?;
        ensure!(answer == expected, "{path}: {answer:#}");
    }
    Ok(())
}

async fn a_question_about_incidents_that_makes_no_sense_is_refused_with_the_field(
    ctx: Ctx,
) -> CaseResult {
    for (path, field) in [
        ("incidents?limit=0", "limit"),
        ("incidents/seven", "id"),
        ("incidents/aggregate/success-rate", "workflow_id"),
        ("incidents/aggregate/trend?period=soon", "period"),
        ("success-rate/workflow", "workflow_id"),
        ("success-rate/incident-type?incident_type=oom&min_samples=0", "min_samples"),
    ] {
        let answer = ctx.get(SERVICE, &format!("/api/v1/{path}")).send().await?;
        let problem: Value = answer.expect(400)?.json()?;
        let detail = text(&problem, "/detail");
        ensure!(detail.starts_with(field), "{path}: the detail is {detail:?}");
    }
    Ok(())
}
