//! How an alert ends: remedied, approved, rejected, failed, or because nothing was to be done.

use kindwright::{Case, CaseResult, Ctx, Failure, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{SOON, VERSION, alert, settle_in, story, text, until};
use crate::expect::{has_condition, rest};

const APPROVAL: &str = "RemediationApprovalRequest";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let all = cases![
        an_alert_in_staging_is_remedied_by_itself,
        an_alert_in_production_is_remedied_once_it_is_approved,
        an_alert_in_production_fails_once_it_is_rejected,
        a_workflow_that_fails_fails_its_request_and_the_next_alert_is_remedied,
        an_alert_that_comes_again_meanwhile_is_counted_and_remedied_once,
    ];
    // The original tells of no review by a person (supplement 6.8).
    let left =
        case!(an_alert_that_no_workflow_remedies_is_left_to_a_person).beyond("contract S6.8");
    // The original's analysis has no confidence where it has no workflow (contract 5.3).
    let resolved = case!(a_problem_that_is_gone_needs_no_workflow).beyond("contract 5.3");
    all.into_iter().chain([left, resolved])
}

async fn an_alert_in_staging_is_remedied_by_itself(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "staging").await?;
    let answer = alert(&ctx, "cart", "critical", 201).await?;
    let request = remedied(&ctx, &answer).await?;
    story::of_remedy(&ctx, &request).holds().await?;
    Ok(())
}

/// Waits until a request is completed by a workflow.
pub(super) async fn remedied(ctx: &Ctx, answer: &Value) -> Result<Value, Failure> {
    let name = text(answer, "/remediationRequestName");
    let end = json!({"overallPhase": "Completed", "outcome": "Remediated"});
    Ok(until(ctx, name, end).await?)
}

/// Waits until a person is asked, and answers for him.
pub(super) async fn decide(ctx: &Ctx, answer: &Value, decision: &str) -> CaseResult {
    let name = text(answer, "/remediationRequestName");
    until(ctx, name, json!({"overallPhase": "AwaitingApproval"})).await?;
    let approval = format!("rar-{name}");
    let says = async |conditions: [(&str, [&str; 2]); 3]| {
        let so = |approval: &Value| {
            conditions.iter().all(|(kind, is)| has_condition(approval, kind, *is))
        };
        let object = [VERSION, APPROVAL, &approval];
        ctx.objects().until(object, format_args!("{conditions:?}"), SOON, so).await
    };
    says([
        ("ApprovalPending", ["True", "AwaitingDecision"]),
        ("ApprovalDecided", ["False", "PendingDecision"]),
        ("ApprovalExpired", ["False", "NotExpired"]),
    ])
    .await?;
    // Who decides has been told of it.
    let message = format!("nr-approval-{name}");
    let sent = json!({"status": {"phase": "Sent"}});
    let notification = [VERSION, "NotificationRequest", &*message];
    ctx.objects().until_matching(notification, sent, SOON).await?;
    let decided = json!({
        "decision": decision, "decidedBy": "operator@example.com", "decisionMessage": "seen",
    });
    ctx.objects().merge_status([VERSION, APPROVAL, &approval], json!({"status": decided})).await?;
    says([
        ("ApprovalPending", ["False", "DecisionMade"]),
        ("ApprovalDecided", ["True", decision]),
        ("ApprovalExpired", ["False", "NotExpired"]),
    ])
    .await?;
    Ok(())
}

async fn an_alert_in_production_is_remedied_once_it_is_approved(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "production").await?;
    let answer = alert(&ctx, "cart", "critical", 201).await?;
    decide(&ctx, &answer, "Approved").await?;
    let request = remedied(&ctx, &answer).await?;
    story::of_approval(&ctx, &request).holds().await?;
    Ok(())
}

async fn an_alert_in_production_fails_once_it_is_rejected(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "production").await?;
    let answer = alert(&ctx, "cart", "critical", 201).await?;
    decide(&ctx, &answer, "Rejected").await?;
    let name = text(&answer, "/remediationRequestName");
    let failed = json!({"overallPhase": "Failed", "failurePhase": "approval"});
    let request = until(&ctx, name, failed).await?;
    story::of(&ctx, &request)
        .then(story::ANALYZED)
        .then(story::ASKED)
        .then(["orchestrator.approval.rejected"])
        .then([story::ENDED])
        .holds()
        .await?;
    Ok(())
}

async fn a_workflow_that_fails_fails_its_request_and_the_next_alert_is_remedied(
    ctx: Ctx,
) -> CaseResult {
    settle_in(&ctx, "staging").await?;
    let first = alert(&ctx, "cart", "warning", 201).await?;
    let name = text(&first, "/remediationRequestName");
    let failed = json!({"overallPhase": "Failed", "failurePhase": "workflow_execution"});
    let request = until(&ctx, name, failed).await?;
    story::of(&ctx, &request)
        .then(story::ANALYZED)
        .then([story::MOVED, "workflow.started", "workflow.failed"])
        .then([story::ENDED])
        .holds()
        .await?;
    rest(&ctx, &request).await?;
    // It is the same problem, which is worse now, and another workflow is right for it.
    let second = alert(&ctx, "cart", "critical", 201).await?;
    ensure_eq!(second["fingerprint"], first["fingerprint"]);
    ensure!(
        second["remediationRequestName"] != name,
        "the request that has failed was taken again"
    );
    let request = remedied(&ctx, &second).await?;
    story::of_remedy(&ctx, &request).holds().await?;
    Ok(())
}

async fn an_alert_that_comes_again_meanwhile_is_counted_and_remedied_once(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "staging").await?;
    let first = alert(&ctx, "cart", "critical", 201).await?;
    let again = alert(&ctx, "cart", "critical", 202).await?;
    ensure_eq!(again["remediationRequestName"], first["remediationRequestName"]);
    let request = remedied(&ctx, &first).await?;
    ensure_eq!(request["status"]["deduplication"]["occurrenceCount"], 2);
    let requests = ctx.objects().list([VERSION, super::REQUEST]).await?;
    ensure_eq!(requests.len(), 1);
    story::of_remedy(&ctx, &request).beside(["gateway.signal.deduplicated"]).holds().await?;
    ctx.audit_of(text(&request, "/metadata/name"))
        .kinds(["gateway.signal.deduplicated"])
        .exactly(1)
        .holds()
        .await?;
    Ok(())
}

async fn an_alert_that_no_workflow_remedies_is_left_to_a_person(ctx: Ctx) -> CaseResult {
    // The catalog has nothing for it.
    settle_in(&ctx, "development").await?;
    let answer = alert(&ctx, "cart", "critical", 201).await?;
    let name = text(&answer, "/remediationRequestName");
    let left = json!({
        "overallPhase": "Failed", "failurePhase": "ai_analysis", "requiresManualReview": true,
        "outcome": "ManualReviewRequired",
    });
    let request = until(&ctx, name, left).await?;
    let message = format!("nr-manual-review-{name}");
    let slack = |told: &Value| {
        let attempts = told["status"]["deliveryAttempts"].as_array();
        let mut slack = attempts.into_iter().flatten().filter(|it| it["channel"] == "slack");
        slack.any(|it| it["status"] == "success")
    };
    let told = [VERSION, "NotificationRequest", &*message];
    ctx.objects().until(told, "its delivery to Slack", SOON, slack).await?;
    story::of(&ctx, &request)
        .then(story::UNJUDGED)
        .then(["orchestrator.remediation.manual_review", story::ENDED])
        // It is told to Slack, and once to an e-mail that nobody has configured.
        .beside(["notification.message.sent", "notification.message.failed"])
        .holds()
        .await?;
    Ok(())
}

async fn a_problem_that_is_gone_needs_no_workflow(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "staging").await?;
    // The model finds what the pod is called after.
    let answer = alert(&ctx, "script-resolved", "critical", 201).await?;
    let name = text(&answer, "/remediationRequestName");
    let done = json!({"overallPhase": "Completed", "outcome": "NoActionRequired"});
    let request = until(&ctx, name, done).await?;
    story::of(&ctx, &request).then(story::UNJUDGED).then([story::ENDED]).holds().await?;
    Ok(())
}
