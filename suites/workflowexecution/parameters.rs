//! What reaches the steps of a pipeline.

use kindwright::{Case, CaseResult, Ctx, Failure, cases, ensure};
use serde_json::json;

use super::{HELLO, run, run_of, target, text, until_in};

/// A workflow that HAPI's mocked model chooses (contract 5.5): it looks at its target, and remedies it.
const REMEDY: [&str; 2] = [
    "mock-oomkill-increase-memory-v1",
    "kubernaut/mock-workflow-oomkill-increase-memory-v1:v1.0.0",
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_parameter_reaches_the_step,
        the_target_reaches_every_step_of_a_workflow_that_the_model_chooses,
    ]
}

/// What the steps of the only task of an execution have written.
async fn written(ctx: &Ctx, name: &str) -> Result<String, Failure> {
    let pipeline = run_of(ctx, name).await?.unwrap_or_default();
    let task = text(&pipeline, "/status/childReferences/0/name");
    let runs = ctx.objects_in("workflows")?;
    let task = runs.get(["tekton.dev/v1", "TaskRun", task]).await?.unwrap_or_default();
    Ok(runs.logs(["v1", "Pod", text(&task, "/status/podName")]).text().await?)
}

async fn a_parameter_reaches_the_step(ctx: Ctx) -> CaseResult {
    let message = format!("Tea for {}, \"$(date)\" & $HOME", ctx.correlation_id());
    let name = run(&ctx, "told", HELLO, json!({"parameters": {"MESSAGE": message}})).await?;
    until_in(&ctx, &name, "Completed").await?;
    let written = written(&ctx, &name).await?;
    ensure!(written.contains(&message), "the step wrote: {written}");
    Ok(())
}

async fn the_target_reaches_every_step_of_a_workflow_that_the_model_chooses(
    ctx: Ctx,
) -> CaseResult {
    let name = run(&ctx, "remedied", REMEDY, json!({})).await?;
    until_in(&ctx, &name, "Completed").await?;
    let (written, target) = (written(&ctx, &name).await?, target(&ctx, "remedied"));
    for line in [format!("looks at {target}"), format!("remedies {target}")] {
        ensure!(written.contains(&line), "no step wrote `{line}`: {written}");
    }
    Ok(())
}
