//! What the service refuses, and that nothing is left of it (scenarios 09, 17 and 21).

use kindwright::{Answer, Case, CaseResult, Ctx, Failure, Method, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    ALERTS, EVENTS, GATEWAY, SOON, alert, event, made_now, make_namespace, requests, send, text,
};

const JSON: &str = "application/json";
const CREATION_FAILED: &str = "gateway.crd.creation_failed";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let all = cases![
        a_body_that_is_no_json_is_refused,
        an_empty_body_is_refused,
        an_alert_without_a_name_is_refused,
        a_message_without_alerts_is_refused,
        an_event_that_needs_no_remedy_is_refused,
        an_event_that_says_too_little_is_refused,
        a_body_of_another_type_is_refused,
        a_body_whose_type_is_none_is_refused,
        a_body_that_does_not_say_its_type_is_read,
        a_body_that_is_too_large_is_refused,
        a_path_that_it_does_not_have_is_not_found,
        a_method_that_a_path_does_not_take_is_not_allowed,
        a_request_that_cannot_be_made_is_told_and_audited,
    ];
    // The original asks the server, and answers with an error of its own.
    let long = case!(an_alert_with_names_that_nobody_can_store_is_refused);
    all.into_iter().chain([long.beyond("contract 6.1")])
}

/// Fails unless an answer is a problem of this status and type.
pub(super) fn refused(answer: Answer, status: u16, kind: &str) -> Result<Value, Failure> {
    let answer = answer.expect(status)?;
    let content_type = answer.header("content-type").unwrap_or_default();
    ensure!(content_type.starts_with("application/problem+json"), "it is {content_type}");
    let problem: Value = answer.json()?;
    ensure_eq!(problem["type"], format!("https://kubernaut.ai/problems/{kind}"));
    ensure_eq!(problem["status"], status);
    for member in ["title", "detail"] {
        ensure!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    Ok(problem)
}

/// Fails if there is a request or an event of a signal from the namespace of the case.
pub(super) async fn nothing_is_left(ctx: &Ctx) -> CaseResult {
    let namespace = ctx.objects().namespace();
    ctx.audit().under("namespace", namespace).exactly(0).holds().await?;
    let requests = requests(ctx.objects()).await?;
    ensure!(requests.is_empty(), "there are requests: {requests:?}");
    Ok(())
}

/// Fails unless each of these bodies of alerts is not valid, and nothing is left of it.
async fn invalid(ctx: &Ctx, bodies: &[String]) -> CaseResult {
    make_namespace(ctx).await?;
    for body in bodies {
        let answer = made_now(ctx, ALERTS).body(JSON, body.as_str()).send().await?;
        let problem = refused(answer, 400, "validation-error")?;
        ensure_eq!(problem["instance"], ALERTS);
    }
    nothing_is_left(ctx).await
}

async fn a_body_that_is_no_json_is_refused(ctx: Ctx) -> CaseResult {
    let whole = alert(&ctx, "Torn", "cart-0").to_string();
    let torn = whole[..whole.len() / 2].to_owned();
    invalid(&ctx, &[torn, "{not json".to_owned(), "[]".to_owned(), "7".to_owned()]).await
}

async fn an_empty_body_is_refused(ctx: Ctx) -> CaseResult {
    invalid(&ctx, &[String::new()]).await
}

async fn an_alert_without_a_name_is_refused(ctx: Ctx) -> CaseResult {
    let mut nameless = alert(&ctx, "", "cart-0");
    let empty = nameless.to_string();
    nameless["commonLabels"] = json!({"namespace": ctx.objects().namespace()});
    nameless["alerts"][0]["labels"] = json!({});
    invalid(&ctx, &[empty, nameless.to_string()]).await
}

async fn a_message_without_alerts_is_refused(ctx: Ctx) -> CaseResult {
    let mut message = alert(&ctx, "Nothing", "cart-0");
    message["alerts"] = json!([]);
    invalid(&ctx, &["{}".to_owned(), message.to_string()]).await
}

async fn an_alert_with_names_that_nobody_can_store_is_refused(ctx: Ctx) -> CaseResult {
    let long = "a".repeat(254);
    let alerts = [(long.as_str(), "cart-0"), ("Long", &long), ("N\0l", "cart-0"), ("Nul", "\0")];
    let bodies = alerts.map(|(name, pod)| alert(&ctx, name, pod).to_string());
    invalid(&ctx, &bodies).await
}

/// Fails unless each of these events is not valid, and nothing is left of it.
async fn invalid_events(ctx: &Ctx, events: &[Value]) -> CaseResult {
    make_namespace(ctx).await?;
    for event in events {
        let answer = made_now(ctx, EVENTS).json(event).send().await?;
        refused(answer, 400, "validation-error")?;
    }
    nothing_is_left(ctx).await
}

async fn an_event_that_needs_no_remedy_is_refused(ctx: Ctx) -> CaseResult {
    invalid_events(&ctx, &[event(&ctx, "Normal", "Pulled", "cart-0")]).await
}

async fn an_event_that_says_too_little_is_refused(ctx: Ctx) -> CaseResult {
    let without = |pointer: &str| {
        let mut event = event(&ctx, "Warning", "BackOff", "cart-0");
        if let Some(text) = event.pointer_mut(pointer) {
            *text = json!("");
        }
        event
    };
    let events = ["/reason", "/involvedObject/kind", "/involvedObject/name"].map(without);
    invalid_events(&ctx, &events).await
}

async fn a_body_of_another_type_is_refused(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let body = alert(&ctx, "Plain", "cart-0").to_string();
    for content_type in ["text/plain", "application/xml; charset=utf-8"] {
        let answer = made_now(&ctx, ALERTS).body(content_type, body.as_str()).send().await?;
        refused(answer, 415, "unsupported-media-type")?;
    }
    nothing_is_left(&ctx).await
}

async fn a_body_whose_type_is_none_is_refused(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let body = alert(&ctx, "Typeless", "cart-0").to_string();
    let answer = made_now(&ctx, ALERTS).body(";;;", body).send().await?;
    refused(answer, 400, "validation-error")?;
    nothing_is_left(&ctx).await
}

async fn a_body_that_does_not_say_its_type_is_read(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let body = alert(&ctx, "Untold", "cart-0").to_string();
    made_now(&ctx, ALERTS).body("", body).send().await?.expect(201)?;
    Ok(())
}

async fn a_body_that_is_too_large_is_refused(ctx: Ctx) -> CaseResult {
    let mut large = alert(&ctx, "Large", "cart-0");
    large["commonAnnotations"]["summary"] = json!("a".repeat(100 << 10));
    invalid(&ctx, &[large.to_string()]).await
}

/// Fails unless the router itself refuses a request: in plain text, if in words at all.
fn refused_plainly(answer: Answer, status: u16) -> CaseResult {
    let answer = answer.expect(status)?;
    let content_type = answer.header("content-type").unwrap_or("text/plain");
    ensure!(content_type.starts_with("text/plain"), "told {}", answer.exchange());
    Ok(())
}

async fn a_path_that_it_does_not_have_is_not_found(ctx: Ctx) -> CaseResult {
    let posted = made_now(&ctx, "/api/v1/signals/nobody").json(&json!({})).send().await?;
    for answer in [posted, ctx.get(GATEWAY, "/nowhere").send().await?] {
        ensure!(!answer.text().is_empty(), "nothing is told: {}", answer.exchange());
        refused_plainly(answer, 404)?;
    }
    Ok(())
}

async fn a_method_that_a_path_does_not_take_is_not_allowed(ctx: Ctx) -> CaseResult {
    for path in [ALERTS, EVENTS] {
        refused_plainly(ctx.get(GATEWAY, path).send().await?, 405)?;
        let now = time::OffsetDateTime::now_utc().unix_timestamp().to_string();
        let put = ctx.request(Method::PUT, GATEWAY, path).header("x-timestamp", &now);
        refused_plainly(put.json(&json!({})).send().await?, 405)?;
    }
    Ok(())
}

/// Lets nobody make requests in the namespace of the case.
pub(super) async fn allow_no_requests(ctx: &Ctx) -> CaseResult {
    const QUOTA: [&str; 3] = ["v1", "ResourceQuota", "no-requests"];
    let hard = json!({"count/remediationrequests.kubernaut.ai": "0"});
    let [version, kind, name] = QUOTA;
    let quota = json!({
        "apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": {"hard": hard},
    });
    ctx.objects().create(quota).await?;
    ctx.objects().until_matching(QUOTA, json!({"status": {"hard": hard}}), SOON).await?;
    Ok(())
}

async fn a_request_that_cannot_be_made_is_told_and_audited(ctx: Ctx) -> CaseResult {
    allow_no_requests(&ctx).await?;
    let alert = alert(&ctx, "Forbidden", "cart-0");
    let problem = refused(send(&ctx, &alert).await?, 500, "internal-error")?;
    ensure_eq!(problem["instance"], ALERTS);
    let namespace = ctx.objects().namespace();
    let rows = ctx
        .audit()
        .under("namespace", namespace)
        .within(SOON)
        .exactly(1)
        .matching(
            CREATION_FAILED,
            json!({
                "event_action": "created",
                "event_outcome": "failure",
                "actor_type": "gateway",
                "actor_id": "crd-creator",
                "resource_type": "RemediationRequest",
            }),
        )
        .holds()
        .await?;
    let row = rows[0].as_json();
    ensure_eq!(row["resource_id"], row["correlation_id"]);
    ensure!(text(row, "/correlation_id").len() == 64, "it is no fingerprint: {row:#}");
    let error = text(row, "/event_data/gateway/error_message");
    ensure!(error.contains("forbidden"), "it says: {error}");
    ensure!(requests(ctx.objects()).await?.is_empty(), "there is a request");
    Ok(())
}
