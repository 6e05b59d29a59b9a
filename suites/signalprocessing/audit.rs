//! The events that a signal leaves behind (BR-SP-090, contract 6.2).

use kindwright::{Case, CaseResult, Ctx, cases};
use serde_json::json;

use super::{CONTROLLER, ENVIRONMENT, KIND, process, signal};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![a_signal_leaves_its_whole_trail, a_degraded_signal_says_so]
}

async fn a_signal_leaves_its_whole_trail(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects().clone().label(ENVIRONMENT, "production");
    objects.make_namespace().await?;
    process(&objects, signal(&ctx, &objects, "critical", "Service", "gone")).await?;
    let moved = "signalprocessing.phase.transition";
    ctx.audit()
        .exactly(7)
        .in_order([
            "signalprocessing.enrichment.completed",
            moved,
            moved,
            "signalprocessing.classification.decision",
            "signalprocessing.business.classified",
            moved,
            "signalprocessing.signal.processed",
        ])
        .all_matching(json!({
            "event_category": "signalprocessing",
            "event_version": "1.0",
            "event_outcome": "success",
            "actor_type": "service",
            "actor_id": CONTROLLER,
            "resource_type": KIND,
            "resource_id": "signal",
            "namespace": objects.namespace(),
        }))
        .matching(
            "signalprocessing.classification.decision",
            json!({"event_action": "classification", "event_data": {
                "environment": "production", "environment_source": "namespace-labels",
                "priority": "P0", "priority_source": "rego-policy",
                "criticality": "high", "sla_requirement": "gold",
            }}),
        )
        .holds()
        .await?;
    Ok(())
}

async fn a_degraded_signal_says_so(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    objects.make_namespace().await?;
    process(objects, signal(&ctx, objects, "critical", "Pod", "gone")).await?;
    let degraded = json!({"event_data": {"degraded_mode": true}});
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds(["signalprocessing.enrichment.completed", "signalprocessing.signal.processed"])
        .exactly(2)
        .all_matching(degraded)
        .holds()
        .await?;
    Ok(())
}
