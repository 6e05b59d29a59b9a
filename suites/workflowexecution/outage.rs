//! What becomes of executions and their events while the controller, Tekton or the data service is away.

use futures_util::future::{join, try_join, try_join_all};
use kindwright::{Case, CaseResult, Ctx, Disturb, Failure, case, ensure};
use serde_json::{Value, json};

use super::{
    COMPLETED, CONTROLLER, FAILED, FAILING, HELLO, STARTED, TEKTON, run, run_of, text, until,
    until_in,
};
use crate::expect::each_told_once;

const DATA_SERVICE: &str = "datastorage";
/// How many executions go on meanwhile, of which every third fails.
const MANY: usize = 6;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let lossless = [
        // The original keeps events in its memory only, and gives them up after three attempts.
        case!(a_controller_that_is_killed_ends_every_execution_and_tells_it_once),
        case!(events_outlive_the_data_service_and_are_stored_once),
        case!(events_outlive_the_controller_while_the_data_service_is_away),
    ]
    .map(|case| case.beyond("contract 4.7"));
    [
        case!(a_controller_that_restarts_ends_every_execution_and_tells_it_once),
        case!(a_rest_goes_on_while_the_controller_is_away),
        case!(a_tekton_that_is_killed_ends_every_run),
        // No text says that an end is noted as of the time that the run has, and not of when it was seen.
        case!(an_end_that_nobody_saw_is_noted_as_it_was).beyond("supplement 6.6"),
    ]
    .into_iter()
    .chain(lossless)
    .map(Case::alone)
}

/// Makes many executions, one after the other; returns their names and the phases that they end in.
async fn flow(ctx: &Ctx) -> Result<Vec<(String, &'static str)>, Failure> {
    let mut flow = Vec::new();
    for number in 0..MANY {
        let (workflow, phase) =
            if number % 3 == 2 { (FAILING, "Failed") } else { (HELLO, "Completed") };
        flow.push((run(ctx, &format!("flow-{number}"), workflow, json!({})).await?, phase));
    }
    Ok(flow)
}

/// Waits until all have ended as they should, each with a run of its own.
async fn ended(ctx: &Ctx, flow: &[(String, &'static str)]) -> CaseResult {
    let ends = flow.iter().map(|(name, phase)| until_in(ctx, name, phase));
    for end in try_join_all(ends).await? {
        ensure!(end["status"]["pipelineRunRef"]["name"].is_string(), "it had no run: {end}");
    }
    Ok(())
}

/// Each has started and ended, and each of that was stored once.
async fn told_once(ctx: &Ctx, flow: &[(String, &'static str)]) -> CaseResult {
    let told = flow.iter().map(|(name, phase)| {
        let end = if *phase == "Failed" { FAILED } else { COMPLETED };
        (name.as_str(), [STARTED, end])
    });
    each_told_once(ctx.audit(), told).await
}

/// Disturbs the stack when the first of many executions runs, and waits for them all.
async fn disturbed(ctx: &Ctx, how: impl AsyncFnOnce(&Disturb) -> CaseResult) -> CaseResult {
    let stack = ctx.disturb()?;
    let first = ctx.objects().own_name("flow-0");
    let disturbing = async {
        until_in(ctx, &first, "Running").await?;
        how(stack).await
    };
    let (flow, disturbed) = join(flow(ctx), disturbing).await;
    disturbed?;
    let flow = flow?;
    ended(ctx, &flow).await?;
    told_once(ctx, &flow).await
}

async fn a_controller_that_is_killed_ends_every_execution_and_tells_it_once(
    ctx: Ctx,
) -> CaseResult {
    disturbed(&ctx, async |stack| Ok(stack.kill(CONTROLLER).await?)).await
}

async fn a_controller_that_restarts_ends_every_execution_and_tells_it_once(ctx: Ctx) -> CaseResult {
    disturbed(&ctx, async |stack| {
        stack.stop(CONTROLLER).await?;
        Ok(stack.start(CONTROLLER).await?)
    })
    .await
}

async fn a_tekton_that_is_killed_ends_every_run(ctx: Ctx) -> CaseResult {
    disturbed(&ctx, async |stack| Ok(stack.kill(TEKTON).await?)).await
}

async fn events_outlive_the_data_service_and_are_stored_once(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    stack.stop(DATA_SERVICE).await?;
    let flow = flow(&ctx).await?;
    // Nothing waits for its events.
    ended(&ctx, &flow).await?;
    stack.start(DATA_SERVICE).await?;
    told_once(&ctx, &flow).await
}

async fn events_outlive_the_controller_while_the_data_service_is_away(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    stack.stop(DATA_SERVICE).await?;
    let flow = flow(&ctx).await?;
    ended(&ctx, &flow).await?;
    stack.kill(CONTROLLER).await?;
    stack.start(DATA_SERVICE).await?;
    told_once(&ctx, &flow).await
}

async fn an_end_that_nobody_saw_is_noted_as_it_was(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let running = async |name: &str, workflow| -> Result<String, Failure> {
        let name = run(&ctx, name, workflow, json!({})).await?;
        until_in(&ctx, &name, "Running").await?;
        Ok(name)
    };
    let (fine, failing) = try_join(running("fine", HELLO), running("failing", FAILING)).await?;
    stack.stop(CONTROLLER).await?;
    let runs = ctx.objects_in("workflows")?;
    let mut ends = Vec::new();
    for name in [&fine, &failing] {
        let pipeline = run_of(&ctx, name).await?.unwrap_or_default();
        let run = text(&pipeline, "/metadata/name");
        let has_ended = |run: &Value| run["status"]["completionTime"].is_string();
        let run = ["tekton.dev/v1", "PipelineRun", run];
        ends.push(runs.until(run, "its end", super::SOON, has_ended).await?);
    }
    stack.start(CONTROLLER).await?;
    for ((name, phase), end) in [(&fine, "Completed"), (&failing, "Failed")].into_iter().zip(&ends)
    {
        let at = &end["status"]["completionTime"];
        until(&ctx, name, json!({"phase": phase, "completionTime": at})).await?;
    }
    Ok(())
}

async fn a_rest_goes_on_while_the_controller_is_away(ctx: Ctx) -> CaseResult {
    let stack = ctx.disturb()?;
    let name = run(&ctx, "rested", HELLO, json!({})).await?;
    until_in(&ctx, &name, "Completed").await?;
    stack.kill(CONTROLLER).await?;
    ctx.until("the end of its rest", super::SOON, async || {
        let there = run_of(&ctx, &name).await?;
        ensure!(there.is_none(), "its run is still there");
        Ok(())
    })
    .await?;
    Ok(())
}
