//! What HAPI says of itself (contract 5.2), and what it answers twice the same.

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure};
use serde_json::{Value, json};

use super::{ANALYZE, HAPI, analyze, incident, list, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let promised = cases![
        it_says_that_it_is_healthy_and_what_it_serves,
        it_says_whether_it_is_ready_and_on_what_it_depends,
        the_same_request_is_answered_the_same,
    ];
    promised.into_iter().chain([
        // The original serves the long prefix only.
        case!(both_prefixes_answer_the_same).beyond("contract 0"),
        // The original looks for a folder that its image may not have.
        case!(it_is_ready_once_it_is_healthy).beyond("contract 5.2"),
        // The original never fills it in.
        case!(it_says_which_model_it_asks).beyond("contract 5.2"),
        // The original's four workers count for themselves.
        case!(it_counts_the_requests_that_it_answered).beyond("contract 5.1"),
    ])
}

async fn it_says_that_it_is_healthy_and_what_it_serves(ctx: Ctx) -> CaseResult {
    let health: Value = ctx.get(HAPI, "/health").send().await?.expect(200)?.json()?;
    ensure!(health["status"] == "healthy" && health["service"] == "holmesgpt-api", "{health}");
    for path in [ANALYZE, super::RECOVER] {
        ensure!(list(&health, "/endpoints").contains(&json!(path)), "no {path}: {health}");
    }
    for feature in ["incident_analysis", "recovery_analysis"] {
        ensure!(health["features"][feature] == true, "no {feature}: {health}");
    }
    Ok(())
}

async fn it_says_whether_it_is_ready_and_on_what_it_depends(ctx: Ctx) -> CaseResult {
    let answer = ctx.get(HAPI, "/ready").send().await?;
    let words = if answer.status() == 503 { "not_ready" } else { "ready" };
    let ready: Value = answer.expect(if words == "ready" { 200 } else { 503 })?.json()?;
    ensure!(ready["status"] == words, "{ready}");
    for dependency in ["sdk", "context_api", "prometheus"] {
        ensure!(ready["dependencies"][dependency].is_object(), "no {dependency}: {ready}");
    }
    Ok(())
}

async fn it_is_ready_once_it_is_healthy(ctx: Ctx) -> CaseResult {
    let ready: Value = ctx.get(HAPI, "/ready").send().await?.expect(200)?.json()?;
    ensure!(ready["dependencies"]["sdk"]["status"] == "up", "{ready}");
    Ok(())
}

async fn it_says_which_model_it_asks(ctx: Ctx) -> CaseResult {
    let config: Value = ctx.get(HAPI, "/config").send().await?.expect(200)?.json()?;
    for key in ["provider", "model", "endpoint"] {
        ensure!(!text(&config["llm"], &format!("/{key}")).is_empty(), "no {key}: {config}");
    }
    ensure!(config["environment"].is_string() && config["dev_mode"].is_boolean(), "{config}");
    Ok(())
}

async fn it_counts_the_requests_that_it_answered(ctx: Ctx) -> CaseResult {
    analyze(&ctx, &incident(&ctx, "OOMKilled", "critical", "production", "P1")).await?;
    let metrics = ctx.metrics(HAPI).await?;
    for name in
        ["investigations_total", "http_requests_total", "http_request_duration_seconds_count"]
    {
        let counted = metrics.sum(&format!("holmesgpt_api_{name}"), &[])?;
        ensure!(counted >= 1.0, "{name} is {counted}");
    }
    Ok(())
}

async fn the_same_request_is_answered_the_same(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "Evicted", "high", "production", "P1");
    let (mut first, mut second) = (analyze(&ctx, &request).await?, analyze(&ctx, &request).await?);
    for answer in [&mut first, &mut second] {
        ensure!(answer["timestamp"].take().is_string(), "no timestamp: {answer:#}");
    }
    ensure!(first == second, "the answers differ:\n{first:#}\n{second:#}");
    Ok(())
}

async fn both_prefixes_answer_the_same(ctx: Ctx) -> CaseResult {
    let request = incident(&ctx, "NodeNotReady", "critical", "production", "P0");
    let mut long = analyze(&ctx, &request).await?;
    let answer = ctx.post(HAPI, "/incident/analyze").json(&request).send().await?;
    let mut short: Value = answer.expect(200)?.json()?;
    for answer in [&mut long, &mut short] {
        answer["timestamp"].take();
    }
    ensure!(long == short, "the answers differ:\n{long:#}\n{short:#}");
    Ok(())
}
