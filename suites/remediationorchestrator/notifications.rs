//! What becomes of the notifications of a remediation (BR-ORCH-029, 030).

use kindwright::{Case, CaseResult, Ctx, Failure, case};
use serde_json::{Value, json};

use super::{
    VERSION,
    play::{APPROVAL, NOTIFICATION, Play, to_be_approved},
};

const DELIVERED: &str = "NotificationDelivered";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let beyond = [
        // Neither text has the condition.
        case!(a_notification_that_is_sent_has_a_condition),
        case!(a_notification_that_failed_has_a_condition),
        case!(a_notification_that_is_cancelled_has_a_condition),
        // The original looks at those of remediations only that have not ended.
        case!(a_notification_of_the_end_says_so_too),
    ]
    .map(|case| case.beyond("contract S6.8"));
    [
        case!(a_notification_that_is_on_its_way_says_so),
        case!(a_notification_that_is_sent_says_so),
        case!(a_notification_that_failed_says_so),
        case!(a_notification_that_somebody_deletes_is_cancelled_and_its_remediation_goes_on),
    ]
    .into_iter()
    .chain(beyond)
}

/// A remediation that waits for people, who are told.
async fn told(ctx: &Ctx) -> Result<(Play, String), Failure> {
    let play = Play::begin(ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    let name = format!("nr-approval-{}", play.name);
    Ok((play, name))
}

/// Lets a notification say this.
async fn says(play: &Play, name: &str, status: Value) -> CaseResult {
    let status = json!({"status": status});
    play.objects().merge_status([VERSION, NOTIFICATION, name], &status).await?;
    Ok(())
}

async fn a_notification_that_is_on_its_way_says_so(ctx: Ctx) -> CaseResult {
    let (play, name) = told(&ctx).await?;
    for (phase, status) in [("Pending", "Pending"), ("Sending", "InProgress")] {
        says(&play, &name, json!({"phase": phase})).await?;
        let expected = json!({"notificationStatus": status, "overallPhase": "AwaitingApproval"});
        play.until(expected).await?;
    }
    Ok(())
}

async fn a_notification_that_is_sent_says_so(ctx: Ctx) -> CaseResult {
    let (play, name) = told(&ctx).await?;
    says(&play, &name, json!({"phase": "Sent"})).await?;
    play.until(json!({"notificationStatus": "Sent", "overallPhase": "AwaitingApproval"})).await?;
    Ok(())
}

async fn a_notification_that_failed_says_so(ctx: Ctx) -> CaseResult {
    let (play, name) = told(&ctx).await?;
    says(&play, &name, json!({"phase": "Failed", "message": "Slack is away"})).await?;
    play.until(json!({"notificationStatus": "Failed", "overallPhase": "AwaitingApproval"})).await?;
    Ok(())
}

async fn a_notification_that_somebody_deletes_is_cancelled_and_its_remediation_goes_on(
    ctx: Ctx,
) -> CaseResult {
    let (play, name) = told(&ctx).await?;
    play.objects().delete([VERSION, NOTIFICATION, &name]).await?;
    let cancelled = json!({"notificationStatus": "Cancelled", "overallPhase": "AwaitingApproval"});
    play.until(cancelled).await?;
    play.says(APPROVAL, json!({"decision": "Approved", "decidedBy": "ann"})).await?;
    play.executed().await?;
    play.phase("Completed").await?;
    Ok(())
}

async fn a_notification_that_is_sent_has_a_condition(ctx: Ctx) -> CaseResult {
    let (play, name) = told(&ctx).await?;
    says(&play, &name, json!({"phase": "Sent"})).await?;
    play.condition(DELIVERED, ["True", "DeliverySucceeded"]).await?;
    Ok(())
}

async fn a_notification_that_failed_has_a_condition(ctx: Ctx) -> CaseResult {
    let (play, name) = told(&ctx).await?;
    says(&play, &name, json!({"phase": "Failed", "message": "Slack is away"})).await?;
    play.condition(DELIVERED, ["False", "DeliveryFailed"]).await?;
    Ok(())
}

async fn a_notification_that_is_cancelled_has_a_condition(ctx: Ctx) -> CaseResult {
    let (play, name) = told(&ctx).await?;
    play.objects().delete([VERSION, NOTIFICATION, &name]).await?;
    play.condition(DELIVERED, ["False", "UserCancelled"]).await?;
    Ok(())
}

async fn a_notification_of_the_end_says_so_too(ctx: Ctx) -> CaseResult {
    let more = json!({"timeoutConfig": {"global": "3s"}});
    let play = Play::of(&ctx, ctx.objects(), "rr", more).await?;
    play.phase("TimedOut").await?;
    let name = format!("timeout-{}", play.name);
    says(&play, &name, json!({"phase": "Sent"})).await?;
    play.until(json!({"notificationStatus": "Sent", "overallPhase": "TimedOut"})).await?;
    Ok(())
}
