//! The events that a signal leaves behind (BR-SP-090, contract and supplement 6.2).

use kindwright::{Case, CaseResult, Ctx, Objects, case, cases, ensure};
use serde_json::{Value, json};

use super::{
    CONTROLLER, ENVIRONMENT, KIND, UNIT,
    detection::{make_autoscaler, make_budget},
    make_owned_pod, name, process, signal, workload,
};
use crate::expect::condition;

const ENRICHED: &str = "signalprocessing.enrichment.completed";
const MOVED: &str = "signalprocessing.phase.transition";
const DECIDED: &str = "signalprocessing.classification.decision";
const CLASSIFIED: &str = "signalprocessing.business.classified";
const PROCESSED: &str = "signalprocessing.signal.processed";
/// What one success is told by, in the order in which it is done.
const TRAIL: [&str; 7] = [ENRICHED, MOVED, MOVED, DECIDED, CLASSIFIED, MOVED, PROCESSED];
/// The steps that are done once a signal is processed, as its conditions say it.
const STEPS: [&str; 4] = ["Enrichment", "Classification", "Categorization", "Processing"];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    // The contract says what is told, and not in which order.
    let beyond = case!(a_signal_is_told_in_order).beyond("supplement 6.5");
    cases![
        a_signal_leaves_its_whole_trail,
        a_degraded_signal_says_so,
        a_pod_is_told_with_what_surrounds_it,
        a_deployment_is_told_without_what_does_not_surround_it,
    ]
    .into_iter()
    .chain([beyond])
}

/// A place in production, of a business unit.
fn in_production(ctx: &Ctx) -> Objects {
    ctx.objects().label(ENVIRONMENT, "production").label(UNIT, "checkout")
}

/// What each event of the signal says.
fn envelope(objects: &Objects) -> Value {
    json!({
        "event_category": "signalprocessing",
        "event_version": "1.0",
        "event_outcome": "success",
        "actor_type": "service",
        "actor_id": CONTROLLER,
        "resource_type": KIND,
        "resource_id": "signal",
        "namespace": objects.namespace(),
    })
}

/// An event of an action, with this data.
fn event(action: &str, data: &Value) -> Value {
    json!({"event_action": action, "event_data": data})
}

fn moved(from: &str, to: &str) -> Value {
    let data = json!({"from_phase": from, "to_phase": to, "signal": "HighMemoryUsage"});
    event("phase_transition", &data)
}

/// How a critical signal in production is decided.
fn decision() -> Value {
    json!({
        "signal": "HighMemoryUsage", "severity": "critical", "environment": "production",
        "environment_source": "namespace-labels", "priority": "P0",
        "priority_source": "rego-policy", "criticality": "high", "sla_requirement": "gold",
    })
}

async fn a_signal_leaves_its_whole_trail(ctx: Ctx) -> CaseResult {
    let objects = in_production(&ctx);
    let status = process(&objects, signal(&ctx, &objects, "critical", "Service", "gone")).await?;
    for step in STEPS {
        let done = condition(&status, &format!("{step}Complete"));
        ensure!(done["status"] == "True", "the condition of {step} is {done}");
    }
    let known = json!({
        "has_namespace": true, "has_pod": false, "has_deployment": false, "owner_chain_length": 0,
        "degraded_mode": true,
    });
    let business = json!({
        "signal": "HighMemoryUsage", "severity": "critical", "business_unit": "checkout",
        "criticality": "high", "sla_requirement": "gold",
    });
    let processed = json!({
        "phase": "Completed", "has_owner_chain": false, "owner_chain_length": 0,
        "degraded_mode": true,
    });
    // They match seven different rows: one of each kind, but for the three changes of phase.
    let rows = ctx
        .audit()
        .exactly(TRAIL.len())
        .all_matching(envelope(&objects))
        .matching(ENRICHED, event("enrichment", &known))
        .matching(MOVED, moved("Enriching", "Classifying"))
        .matching(MOVED, moved("Classifying", "Categorizing"))
        .matching(MOVED, moved("Categorizing", "Completed"))
        .matching(DECIDED, event("classification", &decision()))
        .matching(CLASSIFIED, event("classification", &business))
        .matching(PROCESSED, event("processed", &decision()))
        .matching(PROCESSED, event("processed", &processed))
        .holds()
        .await?;
    for row in rows.iter().filter(|row| row.kind() == ENRICHED) {
        for path in ["duration_ms", "event_data.duration_ms"] {
            let took = row.get(path);
            ensure!(took.is_some_and(Value::is_number), "{path} is {took:?}");
        }
    }
    Ok(())
}

async fn a_signal_is_told_in_order(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    process(objects, signal(&ctx, objects, "critical", "Service", "gone")).await?;
    ctx.audit().exactly(TRAIL.len()).in_order(TRAIL).holds().await?;
    Ok(())
}

async fn a_degraded_signal_says_so(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    objects.make_namespace().await?;
    process(objects, signal(&ctx, objects, "critical", "Pod", "gone")).await?;
    let degraded = json!({"event_data": {"degraded_mode": true}});
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds([ENRICHED, PROCESSED])
        .exactly(2)
        .all_matching(degraded)
        .holds()
        .await?;
    Ok(())
}

/// Processes a signal about a target, and fails unless this is told when it is enriched and when it is processed.
async fn tells(ctx: &Ctx, [kind, name]: [&str; 2], data: [Value; 2]) -> CaseResult {
    let [known, processed] = data;
    let objects = ctx.objects();
    process(objects, signal(ctx, objects, "critical", kind, name)).await?;
    ctx.audit()
        .emitter(CONTROLLER)
        .kinds([ENRICHED, PROCESSED])
        .exactly(2)
        .matching(ENRICHED, event("enrichment", &known))
        .matching(PROCESSED, event("processed", &processed))
        .holds()
        .await?;
    Ok(())
}

async fn a_pod_is_told_with_what_surrounds_it(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    let pod = make_owned_pod(&ctx, objects).await?;
    make_budget(objects).await?;
    make_autoscaler(objects).await?;
    // Whether a deployment is known that only owns the target is not said.
    let known = json!({
        "has_namespace": true, "has_pod": true, "owner_chain_length": 2, "degraded_mode": false,
    });
    let processed = json!({
        "has_owner_chain": true, "owner_chain_length": 2, "degraded_mode": false, "has_pdb": true,
        "has_hpa": true,
    });
    tells(&ctx, ["Pod", name(&pod)], [known, processed]).await
}

async fn a_deployment_is_told_without_what_does_not_surround_it(ctx: Ctx) -> CaseResult {
    ctx.objects().create(workload(&ctx, "Deployment", Some(0))?).await?;
    let known = json!({
        "has_namespace": true, "has_pod": false, "has_deployment": true, "owner_chain_length": 0,
        "degraded_mode": false,
    });
    let processed = json!({
        "has_owner_chain": false, "owner_chain_length": 0, "degraded_mode": false,
        "has_pdb": false, "has_hpa": false,
    });
    tells(&ctx, ["Deployment", "shop"], [known, processed]).await
}
