//! What the controller counts (BR-WE-008).

use kindwright::{Case, CaseResult, Ctx, Failure, MetricsError, cases, ensure, ensure_eq};
use serde_json::json;

use super::{CONTROLLER, HELLO, SOON, run, until_in};
use crate::expect::counted;

const TOTAL: &str = "workflowexecution_reconciler_total";
const SECONDS: &str = "workflowexecution_reconciler_duration_seconds";
const CREATED: &str = "workflowexecution_reconciler_pipelinerun_creations_total";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        the_metrics_are_there,
        an_execution_that_completes_is_counted_with_its_time,
        an_execution_that_fails_is_counted_with_its_time,
    ]
    // No label tells whose executions they count.
    .map(Case::alone)
}

/// How many runs were made, how many executions were completed and how many have failed, each with how many times.
type Counts = [f64; 5];

async fn counts(ctx: &Ctx) -> Result<Counts, MetricsError> {
    let times = format!("{SECONDS}_count");
    let [completed, failed] = ["Completed", "Failed"].map(|outcome| [("outcome", outcome)]);
    Ok([
        counted(ctx, CONTROLLER, CREATED, &[]).await?,
        counted(ctx, CONTROLLER, TOTAL, &completed).await?,
        counted(ctx, CONTROLLER, &times, &completed).await?,
        counted(ctx, CONTROLLER, TOTAL, &failed).await?,
        counted(ctx, CONTROLLER, &times, &failed).await?,
    ])
}

/// What is counted before a case. Executions of earlier cases may go on until their namespaces are gone.
async fn before(ctx: &Ctx) -> Result<Counts, Failure> {
    ctx.until("the end of every run of an earlier case", SOON, async || {
        let runs = ctx.objects_in("workflows")?.list(["tekton.dev/v1", "PipelineRun"]).await?;
        ensure!(runs.is_empty(), "there are {}", runs.len());
        Ok(())
    })
    .await?;
    Ok(counts(ctx).await?)
}

/// Waits until so much more is counted than before, neither less nor more.
async fn until_more(ctx: &Ctx, before: Counts, more: Counts) -> CaseResult {
    ctx.until(format_args!("{more:?} more than {before:?}"), SOON, async || {
        let now = counts(ctx).await?;
        let all = now.iter().zip(before).zip(more);
        let mut right = all.map(|((now, before), more)| (now - before - more).abs() < 0.1);
        ensure!(right.all(|it| it), "it is {now:?}");
        Ok(())
    })
    .await
}

async fn the_metrics_are_there(ctx: Ctx) -> CaseResult {
    let name = run(&ctx, "counted", HELLO, json!({})).await?;
    until_in(&ctx, &name, "Completed").await?;
    let completed = ("outcome", "Completed");
    ctx.until("what is counted of it", SOON, async || {
        let [made, ended, ..] = counts(&ctx).await?;
        ensure!(made > 0.0 && ended > 0.0, "{made} were made, and {ended} have ended");
        Ok(())
    })
    .await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    for sample in ["count", "sum"] {
        metrics.sum(&format!("{SECONDS}_{sample}"), &[completed])?;
    }
    // 5 s, and double that six times.
    let buckets = ["5", "10", "20", "40", "80", "160", "320", "+Inf"];
    for bucket in buckets {
        metrics.value(&format!("{SECONDS}_bucket"), &[completed, ("le", bucket)])?;
    }
    let all = metrics.value(&format!("{SECONDS}_bucket"), &[completed, ("le", "+Inf")])?;
    ensure_eq!(
        all.to_string(),
        metrics.value(&format!("{SECONDS}_count"), &[completed])?.to_string()
    );
    Ok(())
}

async fn an_execution_that_completes_is_counted_with_its_time(ctx: Ctx) -> CaseResult {
    let before = before(&ctx).await?;
    let name = run(&ctx, "counted", HELLO, json!({})).await?;
    until_in(&ctx, &name, "Completed").await?;
    until_more(&ctx, before, [1.0, 1.0, 1.0, 0.0, 0.0]).await
}

async fn an_execution_that_fails_is_counted_with_its_time(ctx: Ctx) -> CaseResult {
    let before = before(&ctx).await?;
    // BR-WE-008 fails it so.
    let missing = ["test-hello-world", "ghcr.io/invalid/nonexistent:latest"];
    let name = run(&ctx, "counted", missing, json!({})).await?;
    until_in(&ctx, &name, "Failed").await?;
    until_more(&ctx, before, [1.0, 0.0, 0.0, 1.0, 1.0]).await
}
