//! An alert on its way while a service is killed or away: it arrives, and nothing of its story is lost or told twice.

use kindwright::{Case, CaseResult, Ctx, case, ensure};
use serde_json::{Value, json};

use super::{
    ANALYSES, EXECUTIONS, EXECUTOR, GATEWAY, NOTIFICATIONS, ORCHESTRATOR, REQUEST, SIGNALS, SOON,
    VERSION, alert,
    endings::{decide, remedied},
    settle_in, story, text, until,
};

/// What is killed, and from which phase of the request on.
const KILLED: [(&str, &str); 6] = [
    (GATEWAY, "Pending"),
    (SIGNALS, "Processing"),
    (ANALYSES, "Analyzing"),
    (ORCHESTRATOR, "Analyzing"),
    (EXECUTIONS, "Executing"),
    (EXECUTOR, "Executing"),
];
/// The phases of a request that is on its way, in their order.
const PHASES: [&str; 4] = ["Pending", "Processing", "Analyzing", "Executing"];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let killed = KILLED.map(|(service, phase)| {
        let name = format!("a_kill_of_{}_meanwhile_loses_nothing", service.replace('-', "_"));
        Case::named(name, move |ctx| survives(ctx, service, phase))
    });
    let others = [
        case!(a_kill_of_the_notification_controller_meanwhile_loses_no_message),
        case!(what_is_executed_while_the_data_service_is_away_is_told_when_it_is_back),
    ];
    // The original keeps events in its memory only, and gives them up after three attempts.
    killed.into_iter().chain(others).map(|case| case.alone().beyond("contract 4.7"))
}

/// Fails unless a request is still on its way.
async fn is_on_its_way(ctx: &Ctx, name: &str) -> CaseResult {
    let request = ctx.objects().get([VERSION, REQUEST, name]).await?.unwrap_or_default();
    let phase = text(&request, "/status/overallPhase");
    ensure!(PHASES.contains(&phase), "it was {phase} before anything happened");
    Ok(())
}

async fn survives(ctx: Ctx, service: &'static str, phase: &'static str) -> CaseResult {
    settle_in(&ctx, "staging").await?;
    // Its workflow takes longer than it takes to kill a pod.
    let answer = alert(&ctx, "cart", "info", 201).await?;
    let name = text(&answer, "/remediationRequestName");
    // It may be further by the time that this is seen.
    let due = PHASES.iter().position(|it| *it == phase).unwrap_or_default();
    let request = [VERSION, REQUEST, name];
    let due = |request: &Value| PHASES[due..].contains(&text(request, "/status/overallPhase"));
    ctx.objects().until(request, phase, SOON, due).await?;
    is_on_its_way(&ctx, name).await?;
    ctx.disturb()?.kill(service).await?;
    let request = remedied(&ctx, &answer).await?;
    story::of_remedy(&ctx, &request).holds().await?;
    Ok(())
}

async fn a_kill_of_the_notification_controller_meanwhile_loses_no_message(ctx: Ctx) -> CaseResult {
    settle_in(&ctx, "production").await?;
    let answer = alert(&ctx, "cart", "critical", 201).await?;
    let name = text(&answer, "/remediationRequestName");
    until(&ctx, name, json!({"overallPhase": "AwaitingApproval"})).await?;
    ctx.disturb()?.kill(NOTIFICATIONS).await?;
    decide(&ctx, &answer, "Approved").await?;
    let request = remedied(&ctx, &answer).await?;
    story::of_approval(&ctx, &request).holds().await?;
    Ok(())
}

async fn what_is_executed_while_the_data_service_is_away_is_told_when_it_is_back(
    ctx: Ctx,
) -> CaseResult {
    settle_in(&ctx, "development").await?;
    let answer = alert(&ctx, "cart", "info", 201).await?;
    let name = text(&answer, "/remediationRequestName");
    // Until then HAPI needs the catalog, which is behind the data service.
    until(&ctx, name, json!({"overallPhase": "Executing"})).await?;
    let stack = ctx.disturb()?;
    // Its workflow takes longer than that.
    stack.stop("datastorage").await?;
    is_on_its_way(&ctx, name).await?;
    let request = remedied(&ctx, &answer).await?;
    stack.start("datastorage").await?;
    story::of_remedy(&ctx, &request).holds().await?;
    Ok(())
}
