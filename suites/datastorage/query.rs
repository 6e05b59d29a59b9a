//! Questions about audit events: by every filter, by time, by page (scenario 03).

use kindwright::{Case, CaseResult, Ctx, Failure, case, cases, ensure};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{EVENTS, SERVICE, event, list, members, store, text, time};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        each_filter_finds_its_events_only,
        a_span_of_time_finds_what_is_in_it,
        pages_follow_each_other_without_gaps,
        a_question_that_makes_no_sense_is_refused,
    ]
    .into_iter()
    .chain([
        // The original leaves five columns out of its answer.
        case!(everything_that_was_sent_is_read_back).beyond("contract 4.4"),
    ])
}

/// Ten events of the case: by two services, with two outcomes, so far apart, the latest first.
///
/// The nearer, the fewer of them are of last month, for which the original may have no partition.
async fn history(ctx: &Ctx, apart: Duration) -> Result<OffsetDateTime, Failure> {
    let now = OffsetDateTime::now_utc();
    for (times, number) in (0..10).zip(1_u8..) {
        let (category, event_type) = if number.is_multiple_of(2) {
            ("analysis", "analysis.analysis.completed")
        } else {
            ("gateway", "gateway.signal.received")
        };
        let mut event = event(ctx, category, event_type, "completed");
        event["event_timestamp"] = json!(time(now - apart * times));
        event["event_outcome"] = json!(if number <= 5 { "success" } else { "failure" });
        event["severity"] = json!(if number == 10 { "critical" } else { "info" });
        event["event_data"]["number"] = json!(number);
        store(ctx, &event).await?;
    }
    Ok(now)
}

/// The numbers of the events that a question about the case finds, in its order.
async fn numbers(ctx: &Ctx, parameters: &[(&str, &str)]) -> Result<Vec<i64>, Failure> {
    let own = [&[("correlation_id", ctx.correlation_id())], parameters].concat();
    let found = list(ctx, &own).await?;
    let numbers =
        members(&found, "/data").iter().map(|event| event["event_data"]["number"].as_i64());
    Ok(numbers.map(Option::unwrap_or_default).collect())
}

async fn each_filter_finds_its_events_only(ctx: Ctx) -> CaseResult {
    history(&ctx, Duration::SECOND).await?;
    for (filter, value, expected) in [
        ("event_category", "gateway", vec![1, 3, 5, 7, 9]),
        ("event_type", "analysis.analysis.completed", vec![2, 4, 6, 8, 10]),
        ("event_outcome", "failure", vec![6, 7, 8, 9, 10]),
        ("severity", "critical", vec![10]),
        ("event_type", "nobody.sends.this", vec![]),
    ] {
        let found = numbers(&ctx, &[(filter, value)]).await?;
        ensure!(found == expected, "{filter}={value} finds {found:?}, not {expected:?}");
    }
    let both =
        numbers(&ctx, &[("event_category", "gateway"), ("event_outcome", "failure")]).await?;
    ensure!(both == [7, 9], "two filters find {both:?}");
    Ok(())
}

async fn a_span_of_time_finds_what_is_in_it(ctx: Ctx) -> CaseResult {
    let now = history(&ctx, Duration::HOUR).await?;
    let ago = |minutes| time(now - Duration::minutes(minutes));
    for (parameters, expected) in [
        (vec![("since", ago(150))], vec![1, 2, 3]),
        (vec![("until", ago(7 * 60 + 30))], vec![9, 10]),
        (vec![("since", ago(270)), ("until", ago(90))], vec![3, 4, 5]),
        (vec![("since", "3h".to_owned())], vec![1, 2, 3]),
        (vec![("since", "7d".to_owned())], (1..=10).collect()),
    ] {
        let given: Vec<_> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let found = numbers(&ctx, &given).await?;
        ensure!(found == expected, "{given:?} finds {found:?}, not {expected:?}");
    }
    Ok(())
}

async fn pages_follow_each_other_without_gaps(ctx: Ctx) -> CaseResult {
    history(&ctx, Duration::SECOND).await?;
    let mut found = Vec::new();
    for (offset, more) in [("0", true), ("4", true), ("8", false)] {
        let page = [("correlation_id", ctx.correlation_id()), ("limit", "4"), ("offset", offset)];
        let page = list(&ctx, &page).await?;
        let told = &page["pagination"];
        ensure!(told["total"] == 10 && told["limit"] == 4, "the page says {told}");
        ensure!(told["has_more"] == more, "at {offset} the page says {told}");
        let numbers =
            members(&page, "/data").iter().map(|event| event["event_data"]["number"].as_i64());
        found.extend(numbers.flatten());
    }
    ensure!(found == (1..=10).collect::<Vec<_>>(), "the pages have {found:?}");
    Ok(())
}

async fn everything_that_was_sent_is_read_back(ctx: Ctx) -> CaseResult {
    let mut sent = event(&ctx, "notification", "notification.message.sent", "sent");
    for (field, value) in [
        ("actor_type", json!("service")),
        ("actor_id", json!("notification-controller")),
        ("resource_type", json!("NotificationRequest")),
        ("resource_id", json!("notify-1")),
        ("namespace", json!("team-a")),
        ("cluster_name", json!("production")),
        ("severity", json!("warning")),
        ("duration_ms", json!(1234)),
        ("event_data", json!({"channel": "slack", "nested": {"list": [1, 2.5, null, "ä"]}})),
    ] {
        sent[field] = value;
    }
    store(&ctx, &sent).await?;
    let found = list(&ctx, &[("correlation_id", ctx.correlation_id())]).await?;
    let event = found.pointer("/data/0").cloned().unwrap_or_default();
    for (field, value) in sent.as_object().into_iter().flatten() {
        // A time may be written in several ways.
        if field != "event_timestamp" {
            ensure!(event[field] == *value, "`{field}` came back as {}", event[field]);
        }
    }
    ensure!(event["retention_days"] == 2555, "it is kept for {}", event["retention_days"]);
    ensure!(text(&event, "/event_date").len() == "2026-03-01".len(), "no date: {event:#}");
    Ok(())
}

async fn a_question_that_makes_no_sense_is_refused(ctx: Ctx) -> CaseResult {
    for (parameter, value) in [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "x"),
        ("offset", "-1"),
        ("since", "soon"),
        ("until", "soon"),
    ] {
        let answer = ctx.get(SERVICE, EVENTS).query(&[(parameter, value)]).send().await?;
        let problem: Value = answer.expect(400)?.json()?;
        let detail = text(&problem, "/detail");
        // Of a time the original says only that it is none.
        let told = value == "soon" || detail.contains(parameter);
        ensure!(told, "{parameter}={value}: the detail is {detail:?}");
    }
    Ok(())
}
