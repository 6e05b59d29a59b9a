//! What reaches Slack, and what becomes of a notification that Slack does not take (contract 7).

use kindwright::{Case, CaseResult, Ctx, HttpError, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{ESCALATED, FAILED, SENT, SLACK, attempts, impatient, send, until};
use crate::faults;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_message_reaches_slack_once_and_without_its_secrets,
        a_message_that_slack_takes_later_is_sent,
        a_message_that_slack_answers_too_late_is_sent_again,
        a_message_that_slack_never_takes_fails_in_the_end,
        a_message_that_slack_refuses_is_not_tried_again,
        an_answer_that_says_nothing_is_as_good_as_another,
        an_answer_that_makes_no_sense_is_as_good_as_another,
        a_slack_that_is_away_keeps_no_other_channel_back,
    ]
}

/// What messages of the case meet in Slack from now on.
async fn fault(ctx: &Ctx, fault: Value) -> Result<(), HttpError> {
    faults::set(ctx, SLACK, ctx.correlation_id(), &json!([fault])).await
}

/// How the messages of the case were answered that came to Slack.
async fn answers(ctx: &Ctx) -> Result<Vec<Value>, HttpError> {
    faults::answers(ctx, SLACK).await
}

fn for_slack(tries: u32) -> Value {
    json!({"channels": ["slack"], "priority": "high", "retryPolicy": impatient(tries)})
}

async fn a_message_reaches_slack_once_and_without_its_secrets(ctx: Ctx) -> CaseResult {
    let more = json!({"channels": ["slack"], "priority": "critical", "body": "secret: abc"});
    let name = send(&ctx, "message", more).await?;
    let sent = until(&ctx, &name, json!({"phase": "Sent", "successfulDeliveries": 1})).await?;
    let messages = faults::exchanges(&ctx, SLACK).await?;
    ensure_eq!(messages.len(), 1);
    let blocks = &messages[0]["body"]["blocks"];
    let subject = blocks[0]["text"]["text"].as_str().unwrap_or_default();
    let whole = sent["spec"]["subject"].as_str().unwrap_or_default();
    ensure!(subject.ends_with(whole), "it is {subject}");
    ensure_eq!(blocks[1]["text"]["text"], "secret: ***REDACTED***");
    ctx.audit()
        .kinds([SENT])
        .exactly(1)
        .all_matching(json!({"event_data": {"channel": "slack"}}))
        .holds()
        .await?;
    Ok(())
}

async fn a_message_that_slack_takes_later_is_sent(ctx: Ctx) -> CaseResult {
    fault(&ctx, json!({"mode": "answer", "times": 2})).await?;
    let name = send(&ctx, "later", for_slack(5)).await?;
    let status = json!({"phase": "Sent", "successfulDeliveries": 1, "failedDeliveries": 2});
    let sent = until(&ctx, &name, status).await?;
    ensure_eq!(answers(&ctx).await?, [503, 503, 200]);
    let error = attempts(&sent, "slack")[0]["error"].as_str().unwrap_or_default();
    ensure!(error.contains("503"), "it says: {error}");
    ctx.audit().kinds([FAILED]).exactly(2).holds().await?;
    ctx.audit().kinds([SENT]).exactly(1).holds().await?;
    Ok(())
}

async fn a_message_that_slack_answers_too_late_is_sent_again(ctx: Ctx) -> CaseResult {
    // Nobody waits for the first answer.
    fault(&ctx, json!({"mode": "slow", "seconds": 600, "times": 1})).await?;
    let name = send(&ctx, "late", for_slack(5)).await?;
    let status = json!({"phase": "Sent", "successfulDeliveries": 1, "failedDeliveries": 1});
    let sent = until(&ctx, &name, status).await?;
    ensure_eq!(answers(&ctx).await?, [Value::Null, json!(200)]);
    let error = attempts(&sent, "slack")[0]["error"].as_str().unwrap_or_default();
    ensure!(!error.starts_with("permanent failure: "), "it says: {error}");
    Ok(())
}

async fn a_message_that_slack_never_takes_fails_in_the_end(ctx: Ctx) -> CaseResult {
    fault(&ctx, json!({"mode": "answer", "status": 500})).await?;
    let name = send(&ctx, "never", for_slack(2)).await?;
    let status = json!({"phase": "Failed", "reason": "MaxRetriesExhausted", "failedDeliveries": 2});
    until(&ctx, &name, status).await?;
    ensure_eq!(answers(&ctx).await?, [500, 500]);
    ctx.audit().kinds([FAILED]).exactly(2).holds().await?;
    let escalated = json!({"event_data": {"reason": "MaxRetriesExhausted"}});
    ctx.audit().kinds([ESCALATED]).exactly(1).all_matching(escalated).holds().await?;
    Ok(())
}

async fn a_message_that_slack_refuses_is_not_tried_again(ctx: Ctx) -> CaseResult {
    fault(&ctx, json!({"mode": "answer", "status": 404})).await?;
    let name = send(&ctx, "refused", for_slack(5)).await?;
    let status = json!({"phase": "Failed", "reason": "AllDeliveriesFailed", "failedDeliveries": 1});
    until(&ctx, &name, status).await?;
    ensure_eq!(answers(&ctx).await?, [404]);
    Ok(())
}

async fn an_answer_that_says_nothing_is_as_good_as_another(ctx: Ctx) -> CaseResult {
    is_taken(&ctx, "empty-response").await
}

async fn an_answer_that_makes_no_sense_is_as_good_as_another(ctx: Ctx) -> CaseResult {
    is_taken(&ctx, "malformed-json").await
}

/// A message is sent once if Slack takes it and answers in such a way.
async fn is_taken(ctx: &Ctx, mode: &str) -> CaseResult {
    fault(ctx, json!({"mode": mode})).await?;
    let name = send(ctx, mode, for_slack(5)).await?;
    until(ctx, &name, json!({"phase": "Sent", "totalAttempts": 1})).await?;
    ensure_eq!(answers(ctx).await?, [200]);
    Ok(())
}

async fn a_slack_that_is_away_keeps_no_other_channel_back(ctx: Ctx) -> CaseResult {
    fault(&ctx, json!({"mode": "answer"})).await?;
    let name = send(&ctx, "partly", json!({"channels": ["slack", "console"]})).await?;
    let status = json!({"phase": "Retrying", "successfulDeliveries": 1, "failedDeliveries": 1});
    until(&ctx, &name, status).await?;
    ctx.audit()
        .kinds([SENT])
        .exactly(1)
        .all_matching(json!({"event_data": {"channel": "console"}}))
        .holds()
        .await?;
    Ok(())
}
