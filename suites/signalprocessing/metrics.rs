//! What the controller counts (supplement 6.5).

use kindwright::{Case, CaseResult, Ctx, cases, ensure};

use super::{CONTROLLER, process, signal};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![a_signal_is_counted_in_each_of_its_phases, a_policy_is_counted_when_it_is_evaluated]
}

async fn a_signal_is_counted_in_each_of_its_phases(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    objects.make_namespace().await?;
    process(objects, signal(&ctx, objects, "critical", "Pod", "gone")).await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    for phase in ["pending", "enriching", "classifying", "categorizing"] {
        for result in ["attempt", "success"] {
            let labels = [("phase", phase), ("result", result)];
            let count = metrics.value("signalprocessing_processing_total", &labels)?;
            ensure!(count >= 1.0, "{phase} {result}: {count}");
        }
    }
    let degraded = metrics.value("signalprocessing_enrichment_total", &[("result", "degraded")])?;
    ensure!(degraded >= 1.0, "none is degraded: {degraded}");
    let missing = [("error_type", "not_found")];
    let missing = metrics.value("signalprocessing_enrichment_errors_total", &missing)?;
    ensure!(missing >= 1.0, "none is missing: {missing}");
    Ok(())
}

async fn a_policy_is_counted_when_it_is_evaluated(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    objects.make_namespace().await?;
    process(objects, signal(&ctx, objects, "critical", "Pod", "gone")).await?;
    let metrics = ctx.metrics(CONTROLLER).await?;
    for policy in ["environment", "priority", "customlabels"] {
        let labels = [("policy", policy), ("result", "success")];
        let count = metrics.value("signalprocessing_policy_evaluations_total", &labels)?;
        ensure!(count >= 1.0, "{policy}: {count}");
    }
    Ok(())
}
