//! What the controller counts (contract and supplement 6.5).
//!
//! It counts what all cases cause, so whoever says how much more it is has the stack alone.

use kindwright::{Case, CaseResult, Ctx, case};

use super::{CONTROLLER, process, signal, workload};
use crate::expect::{self, Raised};

/// What the names of its metrics begin with.
const PREFIX: &str = "signalprocessing_";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(a_signal_is_counted_once_in_each_of_its_phases),
        case!(a_target_that_is_there_is_counted_by_its_kind),
        case!(a_target_that_is_missing_is_counted_as_an_error),
        // The original does not count its policies.
        case!(a_policy_is_counted_when_it_is_evaluated).beyond("supplement 6.5"),
    ]
    .map(Case::alone)
}

/// Processes a signal about such a target, and fails unless it has raised each of these series by so much, and no more.
async fn raises(ctx: &Ctx, [kind, name]: [&str; 2], series: &[Raised<'_>]) -> CaseResult {
    let objects = ctx.objects();
    let processing = process(objects, signal(ctx, objects, "critical", kind, name));
    expect::raises(ctx, [CONTROLLER, PREFIX], series, processing).await.map(drop)
}

async fn a_signal_is_counted_once_in_each_of_its_phases(ctx: Ctx) -> CaseResult {
    let (total, seconds) = ("processing_total", "processing_duration_seconds_count");
    let series: [Raised<'_>; 13] = [
        (total, &[("phase", "pending"), ("result", "attempt")], 1.0),
        (total, &[("phase", "pending"), ("result", "success")], 1.0),
        (total, &[("phase", "enriching"), ("result", "attempt")], 1.0),
        (total, &[("phase", "enriching"), ("result", "success")], 1.0),
        (total, &[("phase", "classifying"), ("result", "attempt")], 1.0),
        (total, &[("phase", "classifying"), ("result", "success")], 1.0),
        (total, &[("phase", "categorizing"), ("result", "attempt")], 1.0),
        (total, &[("phase", "categorizing"), ("result", "success")], 1.0),
        (total, &[("phase", "completed"), ("result", "success")], 1.0),
        (total, &[("result", "failure")], 0.0),
        (seconds, &[("phase", "enriching")], 1.0),
        (seconds, &[("phase", "classifying")], 1.0),
        (seconds, &[("phase", "categorizing")], 1.0),
    ];
    raises(&ctx, ["Pod", "gone"], &series).await
}

async fn a_target_that_is_there_is_counted_by_its_kind(ctx: Ctx) -> CaseResult {
    ctx.objects().create(workload(&ctx, "Deployment", Some(0))?).await?;
    let seconds = "enrichment_duration_seconds_count";
    let series: [Raised<'_>; 5] = [
        ("enrichment_total", &[("result", "success")], 1.0),
        ("enrichment_total", &[], 1.0),
        ("enrichment_errors_total", &[], 0.0),
        (seconds, &[("resource_kind", "deployment")], 1.0),
        (seconds, &[], 1.0),
    ];
    raises(&ctx, ["Deployment", "shop"], &series).await
}

async fn a_target_that_is_missing_is_counted_as_an_error(ctx: Ctx) -> CaseResult {
    let seconds = "enrichment_duration_seconds_count";
    let series: [Raised<'_>; 6] = [
        ("enrichment_total", &[("result", "degraded")], 1.0),
        ("enrichment_total", &[], 1.0),
        ("enrichment_errors_total", &[("error_type", "not_found")], 1.0),
        ("enrichment_errors_total", &[], 1.0),
        (seconds, &[("resource_kind", "pod")], 1.0),
        (seconds, &[], 1.0),
    ];
    raises(&ctx, ["Pod", "gone"], &series).await
}

async fn a_policy_is_counted_when_it_is_evaluated(ctx: Ctx) -> CaseResult {
    let evaluated = "policy_evaluations_total";
    let series: [Raised<'_>; 4] = [
        (evaluated, &[("policy", "environment"), ("result", "success")], 1.0),
        (evaluated, &[("policy", "priority"), ("result", "success")], 1.0),
        (evaluated, &[("policy", "customlabels"), ("result", "success")], 1.0),
        (evaluated, &[], 3.0),
    ];
    raises(&ctx, ["Pod", "gone"], &series).await
}
