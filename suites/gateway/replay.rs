//! When a signal must have been sent (scenario 19).

use kindwright::{Answer, Case, CaseResult, Ctx, cases, ensure};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    ALERTS, GATEWAY, alert, created, make_namespace,
    refusals::{self, nothing_is_left},
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_signal_that_was_sent_long_ago_is_refused,
        a_signal_from_the_future_is_refused,
        a_signal_that_does_not_say_when_it_was_sent_is_refused,
        a_signal_whose_time_is_none_is_refused,
        when_it_was_sent_is_asked_before_all_else,
        a_signal_that_was_sent_about_now_is_received,
        who_only_reads_need_not_say_when,
    ]
}

/// Fails unless a signal of each of these times is refused with these words, and nothing is made of it.
async fn refused(ctx: &Ctx, times: &[(Option<&str>, &str)]) -> CaseResult {
    make_namespace(ctx).await?;
    for (time, words) in times {
        let mut request = ctx.post(GATEWAY, ALERTS).json(&alert(ctx, "Replayed", "cart-0"));
        if let Some(time) = time {
            request = request.header("x-timestamp", time);
        }
        says(request.send().await?, words)?;
    }
    nothing_is_left(ctx).await
}

/// Fails unless an answer refuses a signal for its time, with these words.
fn says(answer: Answer, words: &str) -> CaseResult {
    let problem = refusals::refused(answer, 400, "validation-error")?;
    // It is refused before its path is looked at.
    ensure!(problem.get("instance").is_none(), "it names an instance: {problem}");
    let detail = problem["detail"].as_str().unwrap_or_default();
    ensure!(detail.contains(words), "it says: {detail}");
    Ok(())
}

fn in_seconds(ahead: Duration) -> String {
    (OffsetDateTime::now_utc() + ahead).unix_timestamp().to_string()
}

async fn a_signal_that_was_sent_long_ago_is_refused(ctx: Ctx) -> CaseResult {
    let then = in_seconds(Duration::minutes(-10));
    refused(&ctx, &[(Some(&then), "timestamp too old: possible replay attack")]).await
}

async fn a_signal_from_the_future_is_refused(ctx: Ctx) -> CaseResult {
    let then = in_seconds(Duration::minutes(5));
    refused(&ctx, &[(Some(&then), "timestamp in future: possible clock skew attack")]).await
}

async fn a_signal_that_does_not_say_when_it_was_sent_is_refused(ctx: Ctx) -> CaseResult {
    refused(&ctx, &[(None, "missing timestamp header")]).await
}

async fn a_signal_whose_time_is_none_is_refused(ctx: Ctx) -> CaseResult {
    let written = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let words = "invalid timestamp format";
    // In which words a negative one is refused is not said.
    let times = [("not-a-timestamp", words), (&written, words), ("-1", "timestamp")];
    refused(&ctx, &times.map(|(time, words)| (Some(time), words))).await
}

async fn when_it_was_sent_is_asked_before_all_else(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    // Its type would be refused too.
    let body = alert(&ctx, "Timeless", "cart-0").to_string();
    let answer = ctx.post(GATEWAY, ALERTS).body("text/plain", body).send().await?;
    says(answer, "missing timestamp header")?;
    nothing_is_left(&ctx).await
}

async fn a_signal_that_was_sent_about_now_is_received(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    created(&ctx, &alert(&ctx, "Fresh", "cart-0")).await?;
    let minute_ago = in_seconds(Duration::minutes(-1));
    let alert = alert(&ctx, "AMinuteAgo", "cart-0");
    let request = ctx.post(GATEWAY, ALERTS).header("x-timestamp", &minute_ago);
    request.json(&alert).send().await?.expect(201)?;
    Ok(())
}

async fn who_only_reads_need_not_say_when(ctx: Ctx) -> CaseResult {
    for path in ["/health", "/ready", "/metrics"] {
        ctx.get(GATEWAY, path).send().await?.expect(200)?;
    }
    Ok(())
}
