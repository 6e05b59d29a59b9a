//! What the controller counts (scenario 02).
//!
//! It counts what all cases cause: whoever says how much more it is has the stack alone, or labels that no other case has.

use kindwright::{Case, CaseResult, Ctx, Failure, MetricsError, case, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    CONTROLLER, SOON, analysis, complete, fail, flow, make, recovery,
    says::{self, answers, nothing, proposal, review},
    until,
};
use crate::expect::{self, Raised, counted};

/// What the names of its metrics begin with.
const PREFIX: &str = "aianalysis_";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let alone = [
        case!(an_analysis_raises_the_counts_of_its_phases),
        case!(an_analysis_that_fails_raises_the_count_of_its_reason),
        // The original's definition refuses the reason, so that it never fails.
        case!(a_recovery_that_is_not_possible_is_counted).beyond("supplement 6.1"),
        case!(evaluations_are_counted_by_their_outcome),
        case!(recoveries_are_counted_by_what_is_understood),
        // HAPI's mock says it within the assessment, where the original does not look.
        case!(recoveries_are_counted_by_what_has_changed).beyond("supplement 6.4"),
        case!(reconciliations_are_measured),
        case!(what_cannot_be_noted_is_counted_as_an_error),
        case!(detections_that_failed_are_counted),
        case!(the_ways_to_fail_and_to_recover_are_there_before_they_happen),
    ]
    .map(Case::alone);
    cases![
        metrics_are_those_of_prometheus,
        confidence_is_counted_in_its_buckets,
        decisions_are_counted_by_their_environment,
        attempts_to_find_a_workflow_are_counted,
        the_process_is_measured,
    ]
    .into_iter()
    .chain(alone)
}

/// How often the controller has counted.
async fn count(ctx: &Ctx, name: &str, labels: &[(&str, &str)]) -> Result<f64, MetricsError> {
    counted(ctx, CONTROLLER, &format!("{PREFIX}{name}"), labels).await
}

/// Makes an analysis that ends in a phase, and fails unless it has raised each of these counts by so much, and no more.
async fn raises(ctx: &Ctx, analysis: Value, phase: &str, counts: &[Raised<'_>]) -> CaseResult {
    let ending = async {
        let made = make(ctx, analysis).await?;
        Ok::<_, Failure>(until(ctx, &made, json!({"phase": phase})).await?)
    };
    expect::raises(ctx, [CONTROLLER, PREFIX], counts, ending).await.map(drop)
}

async fn metrics_are_those_of_prometheus(ctx: Ctx) -> CaseResult {
    let answer = ctx.get(CONTROLLER, "/metrics").send().await?.expect(200)?;
    let kind = answer.header("content-type").unwrap_or_default();
    ensure!(kind.contains("text/plain"), "it is {kind}");
    Ok(())
}

async fn an_analysis_raises_the_counts_of_its_phases(ctx: Ctx) -> CaseResult {
    let (total, seconds) =
        ("reconciler_reconciliations_total", "reconciler_duration_seconds_count");
    let counts: [Raised<'_>; 10] = [
        (total, &[("phase", "Pending"), ("result", "success")], 1.0),
        (total, &[("phase", "Investigating"), ("result", "success")], 1.0),
        (total, &[("phase", "Analyzing"), ("result", "success")], 1.0),
        (total, &[("result", "error")], 0.0),
        (seconds, &[("phase", "Pending")], 1.0),
        (seconds, &[("phase", "Investigating")], 1.0),
        (seconds, &[("phase", "Analyzing")], 1.0),
        ("rego_evaluations_total", &[], 1.0),
        ("approval_decisions_total", &[], 1.0),
        ("failures_total", &[], 0.0),
    ];
    let counted = analysis(&ctx, "counted", "OOMKilled", "staging");
    raises(&ctx, counted, "Completed", &counts).await
}

/// Makes an analysis that fails, and fails unless it is counted so, and in no other way.
async fn is_counted(ctx: &Ctx, analysis: Value, reason: &str, sub_reason: &str) -> CaseResult {
    let name = "failures_total";
    let labels = [("reason", reason), ("sub_reason", sub_reason)];
    raises(ctx, analysis, "Failed", &[(name, &labels, 1.0), (name, &[], 1.0)]).await
}

async fn an_analysis_that_fails_raises_the_count_of_its_reason(ctx: Ctx) -> CaseResult {
    let none = analysis(&ctx, "none", "MOCK_NO_WORKFLOW_FOUND", "staging");
    is_counted(&ctx, none, "WorkflowResolutionFailed", "NoWorkflowResolved").await?;
    let unsure = recovery(&ctx, "unsure", "MOCK_LOW_CONFIDENCE", "staging", 1);
    let reason = "RecoveryWorkflowResolutionFailed";
    is_counted(&ctx, unsure, reason, "NoRecoveryWorkflowResolved").await?;
    answers(&ctx, [nothing(0.6)]).await?;
    let unselected = analysis(&ctx, "unselected", "OOMKilled", "staging");
    is_counted(&ctx, unselected, "NoWorkflowSelected", "InvestigationFailed").await?;
    fail(&ctx, json!([{"mode": "answer", "status": 400, "times": 1}])).await?;
    let refused = analysis(&ctx, "refused", "OOMKilled", "staging");
    is_counted(&ctx, refused, "APIError", "HolmesGPTAPICallFailed").await
}

async fn a_recovery_that_is_not_possible_is_counted(ctx: Ctx) -> CaseResult {
    let impossible = recovery(&ctx, "impossible", "MOCK_NOT_REPRODUCIBLE", "staging", 1);
    is_counted(&ctx, impossible, "RecoveryNotPossible", "NoRecoveryStrategy").await
}

async fn evaluations_are_counted_by_their_outcome(ctx: Ctx) -> CaseResult {
    for (environment, outcome, decision) in [
        ("staging", "approved", "auto_approved"),
        ("production", "requires_approval", "requires_approval"),
    ] {
        let analysis = analysis(&ctx, environment, "OOMKilled", environment);
        let evaluated = [("outcome", outcome), ("degraded", "false")];
        let decided = [("decision", decision), ("environment", environment)];
        let counts: [Raised<'_>; 4] = [
            ("rego_evaluations_total", &evaluated, 1.0),
            ("rego_evaluations_total", &[], 1.0),
            ("approval_decisions_total", &decided, 1.0),
            ("approval_decisions_total", &[], 1.0),
        ];
        raises(&ctx, analysis, "Completed", &counts).await?;
    }
    Ok(())
}

async fn confidence_is_counted_in_its_buckets(ctx: Ctx) -> CaseResult {
    // A signal that nobody else has; HAPI is sure of it to 0.75.
    let signal = format!("Odd-{}", ctx.correlation_id());
    complete(&ctx, analysis(&ctx, "odd", &signal, "staging")).await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    for (bound, count) in [("0.7", 0.0), ("0.8", 1.0), ("1", 1.0)] {
        let labels = [("signal_type", signal.as_str()), ("le", bound)];
        let name = "aianalysis_confidence_score_distribution_bucket";
        ensure_eq!((bound, metrics.value(name, &labels)?), (bound, count));
    }
    Ok(())
}

async fn decisions_are_counted_by_their_environment(ctx: Ctx) -> CaseResult {
    // An environment that nobody else has.
    let environment = ctx.correlation_id();
    complete(&ctx, analysis(&ctx, "incident", "OOMKilled", environment)).await?;
    complete(&ctx, recovery(&ctx, "third", "OOMKilled", environment, 3)).await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    for decision in ["auto_approved", "requires_approval"] {
        let labels = [("decision", decision), ("environment", environment)];
        let count = metrics.value("aianalysis_approval_decisions_total", &labels)?;
        ensure_eq!((decision, count), (decision, 1.0));
    }
    Ok(())
}

const POPULATED: &str = "recovery_status_populated_total";
const SKIPPED: &str = "recovery_status_skipped_total";

async fn recoveries_are_counted_by_what_is_understood(ctx: Ctx) -> CaseResult {
    let understood = recovery(&ctx, "understood", "OOMKilled", "staging", 1);
    let labels = [("failure_understood", "true"), ("state_changed", "false")];
    let counts: [Raised<'_>; 3] =
        [(POPULATED, &labels, 1.0), (POPULATED, &[], 1.0), (SKIPPED, &[], 0.0)];
    raises(&ctx, understood, "Completed", &counts).await?;
    // HAPI says nothing of what was tried.
    answers(&ctx, [says::recovery(0.9)]).await?;
    let silent = recovery(&ctx, "silent", "OOMKilled", "staging", 1);
    let counts: [Raised<'_>; 2] = [(POPULATED, &[], 0.0), (SKIPPED, &[], 1.0)];
    raises(&ctx, silent, "Completed", &counts).await
}

async fn recoveries_are_counted_by_what_has_changed(ctx: Ctx) -> CaseResult {
    let changed = recovery(&ctx, "changed", "MOCK_NOT_REPRODUCIBLE", "staging", 1);
    let labels = [("failure_understood", "true"), ("state_changed", "true")];
    let counts: [Raised<'_>; 2] = [(POPULATED, &labels, 1.0), (POPULATED, &[], 1.0)];
    raises(&ctx, changed, "Failed", &counts).await
}

async fn the_process_is_measured(ctx: Ctx) -> CaseResult {
    let tasks = ctx.metrics(CONTROLLER).await?.value("go_goroutines", &[])?;
    ensure!(tasks > 0.0, "it has {tasks} tasks");
    Ok(())
}

async fn reconciliations_are_measured(ctx: Ctx) -> CaseResult {
    let count = async || counted(&ctx, CONTROLLER, "controller_runtime_reconcile_total", &[]).await;
    let before = count().await?;
    complete(&ctx, analysis(&ctx, "measured", "OOMKilled", "staging")).await?;
    rises(&ctx, before, count).await
}

/// Waits until a count is more than before.
async fn rises(
    ctx: &Ctx,
    before: f64,
    count: impl AsyncFn() -> Result<f64, MetricsError>,
) -> CaseResult {
    ctx.until("a count to rise", SOON, async || {
        let after = count().await?;
        ensure!(after > before, "it was {before} and is {after}");
        Ok::<_, Failure>(())
    })
    .await
}

async fn what_cannot_be_noted_is_counted_as_an_error(ctx: Ctx) -> CaseResult {
    let labels = [("phase", "Investigating"), ("result", "error")];
    let count = async || count(&ctx, "reconciler_reconciliations_total", &labels).await;
    let before = count().await?;
    // The server takes no status that is surer than sure.
    answers(&ctx, [proposal(1.5, json!({"confidence": 1.0}))]).await?;
    let name = make(&ctx, analysis(&ctx, "surest", "OOMKilled", "staging")).await?;
    rises(&ctx, before, count).await?;
    // It is done again, and HAPI says something else by then.
    until(&ctx, &name, json!({"phase": "Completed"})).await?;
    Ok(())
}

async fn the_ways_to_fail_and_to_recover_are_there_before_they_happen(ctx: Ctx) -> CaseResult {
    // What cases before this one have caused is forgotten.
    ctx.disturb()?.kill(CONTROLLER).await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    let is_none = |name: &str, labels: &[(&str, &str)]| -> CaseResult {
        let value = metrics.value(&format!("{PREFIX}{name}"), labels)?;
        ensure_eq!((name, labels, value), (name, labels, 0.0));
        Ok(())
    };
    for (reason, sub_reason) in [
        ("NoWorkflowSelected", "InvestigationFailed"),
        ("APIError", "HolmesGPTAPICallFailed"),
        ("RegoEvaluationError", "PolicyEvaluationFailed"),
        ("WorkflowResolutionFailed", "NoWorkflowResolved"),
        ("RecoveryWorkflowResolutionFailed", "NoRecoveryWorkflowResolved"),
        ("RecoveryNotPossible", "NoRecoveryStrategy"),
    ] {
        is_none("failures_total", &[("reason", reason), ("sub_reason", sub_reason)])?;
    }
    for understood in ["true", "false"] {
        for changed in ["true", "false"] {
            is_none(POPULATED, &[("failure_understood", understood), ("state_changed", changed)])?;
        }
    }
    is_none(SKIPPED, &[])
}

async fn detections_that_failed_are_counted(ctx: Ctx) -> CaseResult {
    let name = "quality_detected_labels_failures_total";
    let undetected = flow::undetected(&ctx, "undetected", "staging");
    let counts: [Raised<'_>; 2] =
        [(name, &[("field_name", "gitOpsManaged")], 1.0), (name, &[], 1.0)];
    raises(&ctx, undetected, "Completed", &counts).await
}

async fn attempts_to_find_a_workflow_are_counted(ctx: Ctx) -> CaseResult {
    // Workflows that nobody else has.
    let [bad, good] = ["bad", "good"].map(|name| ctx.objects().own_name(name));
    let attempt = |number: u8, workflow: &str, is_valid: bool| {
        json!({
            "attempt": number, "workflow_id": workflow, "is_valid": is_valid, "errors": [], "timestamp": "2026-01-01T00:00:00Z",
        })
    };
    let mut tried = review(Some("llm_parsing_error"), "so");
    tried["validation_attempts_history"] =
        json!([attempt(1, &bad, false), attempt(2, &bad, false), attempt(3, &good, true)]);
    answers(&ctx, [tried]).await?;
    let name = make(&ctx, analysis(&ctx, "tried", "OOMKilled", "staging")).await?;
    until(&ctx, &name, json!({"phase": "Failed"})).await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    let name = "aianalysis_audit_validation_attempts_total";
    for (workflow, is_valid, count) in [(&bad, "false", 2.0), (&good, "true", 1.0)] {
        let labels = [("workflow_id", workflow.as_str()), ("is_valid", is_valid)];
        ensure_eq!((workflow, metrics.value(name, &labels)?), (workflow, count));
    }
    Ok(())
}
