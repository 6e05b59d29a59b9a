//! What keeps a remediation from a target, and how long (DD-RO-002; left pending by the original).
//!
//! Where the original looks for executions, it spells the kind of their target with a small first letter; those that
//! it makes itself it spells otherwise, and never finds them.

use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure, ensure_eq};
use serde_json::{Value, json};
use time::Duration;

use super::{
    VERSION,
    blocking::{blocked, told},
    metrics,
    play::{ANALYSIS, EXECUTION, Play, WORKFLOW, fingerprint, is_after, moment, now},
};

/// How long a target is left alone that was mended: the manifest says so, and the original has five minutes.
const COOLDOWN: Duration = Duration::seconds(75);
/// What somebody else's execution is called.
const OTHER: &str = "somebody-elses";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let beyond = [
        case!(who_waits_for_a_target_goes_on_when_it_is_free),
        case!(a_target_is_busy_with_an_execution_of_the_orchestrators_own),
        case!(a_target_that_was_mended_is_left_alone),
    ]
    .map(|case| case.beyond("contract S6.8"));
    [
        case!(a_busy_target_blocks_a_remediation),
        case!(a_recent_execution_of_the_same_workflow_blocks_a_remediation),
        case!(a_recent_execution_of_another_workflow_blocks_nothing),
    ]
    .into_iter()
    .chain(beyond)
}

/// An execution on the target of the case, which somebody else has made and which says this.
async fn execution(ctx: &Ctx, target: &str, workflow: &str, status: Value) -> CaseResult {
    let (objects, name) = (ctx.objects(), OTHER);
    let execution = json!({
        "apiVersion": VERSION,
        "kind": EXECUTION.0,
        "metadata": {"name": name},
        "spec": {
            "remediationRequestRef": {"name": "another"},
            "workflowRef": {
                "workflowId": workflow, "version": "v1.0.0", "containerImage": "image",
            },
            "targetResource": format!("{}/{target}", objects.namespace()),
        },
    });
    objects.create(execution).await?;
    let status = json!({"status": status});
    objects.merge_status([VERSION, EXECUTION.0, name], &status).await?;
    Ok(())
}

/// A remediation that is analysed while the target has just been mended by this workflow.
async fn mended(ctx: &Ctx, workflow: &str) -> Result<Play, Failure> {
    let play = Play::begin(ctx).await?;
    play.processed().await?;
    play.child(ANALYSIS).await?;
    let completed = json!({"phase": "Completed", "completionTime": now()});
    execution(ctx, "deployment/cart", workflow, completed).await?;
    play.analysed(json!({})).await?;
    Ok(play)
}

async fn a_busy_target_blocks_a_remediation(ctx: Ctx) -> CaseResult {
    execution(&ctx, "deployment/cart", WORKFLOW, json!({"phase": "Running"})).await?;
    let play = Play::begin(&ctx).await?;
    let status = blocked(&play, "ResourceBusy").await?;
    ensure_eq!(status["blockingWorkflowExecution"], json!(OTHER));
    ensure!(status.get("blockedUntil").is_none(), "it is blocked until a moment: {status}");
    told(&ctx, &play, &status, json!({"blocking_wfe": OTHER})).await?;
    // What is about another target is not kept.
    let target =
        json!({"kind": "Deployment", "name": "till", "namespace": ctx.objects().namespace()});
    let more = json!({"signalFingerprint": fingerprint(&ctx, 1), "targetResource": target});
    Play::of(&ctx, ctx.objects(), "another", more).await?.phase("Processing").await?;
    Ok(())
}

async fn who_waits_for_a_target_goes_on_when_it_is_free(ctx: Ctx) -> CaseResult {
    execution(&ctx, "Deployment/cart", WORKFLOW, json!({"phase": "Running"})).await?;
    let play = Play::begin(&ctx).await?;
    blocked(&play, "ResourceBusy").await?;
    let failed = json!({"status": {"phase": "Failed", "completionTime": now()}});
    ctx.objects().merge_status([VERSION, EXECUTION.0, OTHER], &failed).await?;
    play.goes_well().await?;
    Ok(())
}

async fn a_target_is_busy_with_an_execution_of_the_orchestrators_own(ctx: Ctx) -> CaseResult {
    let first = Play::begin(&ctx).await?;
    first.analysed(json!({})).await?;
    first.phase("Executing").await?;
    let other = json!({"signalFingerprint": fingerprint(&ctx, 1)});
    let second = Play::of(&ctx, ctx.objects(), "another", other).await?;
    let status = blocked(&second, "ResourceBusy").await?;
    ensure_eq!(status["blockingWorkflowExecution"], json!(first.child_name(EXECUTION)));
    metrics::until(&ctx, "blocked_total", &[("reason", "ResourceBusy")], 1.0).await
}

async fn a_recent_execution_of_the_same_workflow_blocks_a_remediation(ctx: Ctx) -> CaseResult {
    let play = mended(&ctx, WORKFLOW).await?;
    let status = blocked(&play, "RecentlyRemediated").await?;
    let execution = play.objects().get([VERSION, EXECUTION.0, OTHER]).await?.unwrap_or_default();
    let window = moment(&status, "/blockedUntil")? - moment(&execution, "/status/completionTime")?;
    ensure!(window + Duration::seconds(1) >= COOLDOWN, "it is left alone for {window}");
    ensure!(play.look(EXECUTION).await?.is_null(), "its workflow runs");
    let more = json!({
        "from_phase": "Analyzing", "workflow_id": WORKFLOW, "recent_wfe": OTHER,
    });
    told(&ctx, &play, &status, more).await?;
    Ok(())
}

async fn a_recent_execution_of_another_workflow_blocks_nothing(ctx: Ctx) -> CaseResult {
    mended(&ctx, "restart").await?.phase("Executing").await?;
    Ok(())
}

async fn a_target_that_was_mended_is_left_alone(ctx: Ctx) -> CaseResult {
    let first = Play::begin(&ctx).await?;
    let other = json!({"signalFingerprint": fingerprint(&ctx, 1)});
    let second = Play::of(&ctx, ctx.objects(), "another", other).await?;
    // Both have come so far before the time begins to run in which the target is left alone.
    for play in [&first, &second] {
        play.processed().await?;
        play.child(ANALYSIS).await?;
    }
    first.goes_well().await?;
    second.analysed(json!({})).await?;
    let status = blocked(&second, "RecentlyRemediated").await?;
    ensure_eq!(status["blockingWorkflowExecution"], json!(first.child_name(EXECUTION)));
    let execution = first.look(EXECUTION).await?;
    let ended = moment(&execution, "/status/completionTime")?;
    is_after(moment(&status, "/blockedUntil")?, ended, COOLDOWN)?;
    metrics::until(&ctx, "blocked_total", &[("reason", "RecentlyRemediated")], 1.0).await?;
    ensure!(second.look(EXECUTION).await?.is_null(), "its workflow runs");
    // The original's five minutes are less here.
    second.until(json!({"overallPhase": "Failed", "failurePhase": "blocked"})).await?;
    Ok(())
}
