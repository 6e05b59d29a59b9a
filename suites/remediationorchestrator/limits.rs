//! Remediations that take too long, as a whole or in a phase (BR-ORCH-027, 028).

use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure, ensure_eq};
use serde_json::{Value, json};
use time::Duration;

use super::{
    COMPLETED, VERSION,
    play::{EXECUTION, NOTIFICATION, PROCESSING, Play, moment, to_be_approved},
};

/// Seconds that are soon over.
const SHORT: i64 = 3;
/// Seconds in which something of it is done before.
const LONGER: i64 = 15;

/// The field of a status that says when the whole began.
const WHOLE: &str = "startTime";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let beyond = [
        // The original says nothing of the part, and counts such an end among no conditions.
        case!(a_signal_whose_processing_took_too_long_says_so),
        case!(an_analysis_that_took_too_long_says_so),
        case!(a_workflow_that_took_too_long_says_so),
        case!(a_limit_that_is_no_duration_limits_nothing),
    ]
    .map(|case| case.beyond("contract S6.8"));
    [
        case!(a_remediation_may_take_too_long),
        case!(processing_may_take_too_long),
        case!(analysing_may_take_too_long),
        case!(executing_may_take_too_long),
        case!(a_remediation_may_take_too_long_while_people_decide),
        case!(a_remediation_within_its_limits_is_completed),
    ]
    .into_iter()
    .chain(beyond)
}

/// A remediation with a limit of so many seconds.
async fn limited(ctx: &Ctx, part: &str, seconds: i64) -> Result<Play, Failure> {
    // As Go writes it.
    let more = json!({"timeoutConfig": {part: format!("{seconds}s")}});
    Play::of(ctx, ctx.objects(), "rr", more).await
}

/// Waits until a remediation in this phase has taken longer than so many seconds since a field of its status, and looks
/// how that is told.
async fn is_late(
    ctx: &Ctx,
    play: &Play,
    phase: &str,
    (begun, seconds): (&str, i64),
) -> Result<Value, Failure> {
    let kind = if begun == WHOLE { "global" } else { "phase" };
    let late = json!({"overallPhase": "TimedOut", "timeoutPhase": phase});
    let request = play.until(late).await?;
    let [begun, ended] =
        [begun, "timeoutTime"].map(|it| moment(&request["status"], &format!("/{it}")));
    let took = ended? - begun?;
    // Both may be whole seconds.
    ensure!(took + Duration::seconds(1) >= Duration::seconds(seconds), "it took {took}");
    ctx.audit_of(&play.uid)
        .kinds([COMPLETED])
        .exactly(1)
        .all_matching(json!({
            "event_action": "completed",
            "event_outcome": "failure",
            "event_data": {
                "rr_name": play.name, "namespace": play.objects().namespace(), "outcome": "Failed",
                "timeout_type": kind, "failure_phase": phase, "signal_name": "HighMemoryUsage",
            },
        }))
        .holds()
        .await?;
    Ok(request)
}

async fn a_remediation_may_take_too_long(ctx: Ctx) -> CaseResult {
    let play = limited(&ctx, "global", LONGER).await?;
    play.child(PROCESSING).await?;
    is_late(&ctx, &play, "Processing", (WHOLE, LONGER)).await?;
    let name = format!("timeout-{}", play.name);
    let told = play.objects().get([VERSION, NOTIFICATION, &name]).await?.unwrap_or_default();
    ensure_eq!(
        [&told["spec"]["type"], &told["spec"]["priority"], &told["spec"]["channels"]],
        [&json!("escalation"), &json!("critical"), &json!(["slack", "email"])]
    );
    let request = play.phase("TimedOut").await?;
    let references = request["status"]["notificationRequestRefs"].as_array();
    let found = references.into_iter().flatten().filter(|it| it["name"] == name.as_str()).count();
    ensure_eq!(found, 1);
    Ok(())
}

async fn processing_may_take_too_long(ctx: Ctx) -> CaseResult {
    let play = limited(&ctx, "processing", SHORT).await?;
    is_late(&ctx, &play, "Processing", ("processingStartTime", SHORT)).await?;
    Ok(())
}

async fn analysing_may_take_too_long(ctx: Ctx) -> CaseResult {
    let play = limited(&ctx, "analyzing", SHORT).await?;
    play.processed().await?;
    is_late(&ctx, &play, "Analyzing", ("analyzingStartTime", SHORT)).await?;
    Ok(())
}

async fn executing_may_take_too_long(ctx: Ctx) -> CaseResult {
    let play = limited(&ctx, "executing", SHORT).await?;
    play.analysed(json!({})).await?;
    play.says(EXECUTION, json!({"phase": "Running"})).await?;
    is_late(&ctx, &play, "Executing", ("executingStartTime", SHORT)).await?;
    Ok(())
}

async fn a_remediation_may_take_too_long_while_people_decide(ctx: Ctx) -> CaseResult {
    // Long enough to come so far, the original's looks every five and ten seconds included.
    let play = limited(&ctx, "global", 60).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    is_late(&ctx, &play, "AwaitingApproval", (WHOLE, 60)).await?;
    Ok(())
}

async fn a_remediation_within_its_limits_is_completed(ctx: Ctx) -> CaseResult {
    let limits =
        json!({"global": "1h", "processing": "10m", "analyzing": "10m", "executing": "10m"});
    let more = json!({"timeoutConfig": limits});
    Play::of(&ctx, ctx.objects(), "rr", more).await?.goes_well().await?;
    Ok(())
}

/// Waits until a remediation has taken too long in a part of it, and looks how the part and people are told.
async fn is_told(play: &Play, part: &str, [kind, reason]: [&str; 2]) -> CaseResult {
    play.phase("TimedOut").await?;
    play.condition(kind, ["False", reason]).await?;
    play.condition("RecoveryComplete", ["False", "RecoveryFailed"]).await?;
    let name = format!("phase-timeout-{part}-{}", play.name);
    let told = play.objects().get([VERSION, NOTIFICATION, &name]).await?.unwrap_or_default();
    ensure_eq!(told["spec"]["type"], json!("escalation"));
    Ok(())
}

async fn a_signal_whose_processing_took_too_long_says_so(ctx: Ctx) -> CaseResult {
    let play = limited(&ctx, "processing", SHORT).await?;
    let late = ["SignalProcessingComplete", "SignalProcessingTimeout"];
    is_told(&play, "processing", late).await
}

async fn an_analysis_that_took_too_long_says_so(ctx: Ctx) -> CaseResult {
    let play = limited(&ctx, "analyzing", SHORT).await?;
    play.processed().await?;
    is_told(&play, "analyzing", ["AIAnalysisComplete", "AIAnalysisTimeout"]).await
}

async fn a_workflow_that_took_too_long_says_so(ctx: Ctx) -> CaseResult {
    let play = limited(&ctx, "executing", SHORT).await?;
    play.analysed(json!({})).await?;
    is_told(&play, "executing", ["WorkflowExecutionComplete", "WorkflowTimeout"]).await
}

async fn a_limit_that_is_no_duration_limits_nothing(ctx: Ctx) -> CaseResult {
    let more = json!({"timeoutConfig": {"global": "soon"}});
    Play::of(&ctx, ctx.objects(), "rr", more).await?.goes_well().await?;
    Ok(())
}
