//! Where the request of a signal is whose namespace is not there, or not the suite's (contract 6.3).

use kindwright::{Case, CaseResult, Ctx, case, ensure_eq};
use serde_json::json;

use super::{
    EVENTS, GATEWAY, REQUEST, SOON, VERSION, alert_in, counted, created, event,
    metrics::{PREFIX, answered},
    text,
};
use crate::expect::{Raised, raises};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    // The original's is a namespace that no suite has, and it knows of no suites.
    [
        case!(a_signal_of_a_missing_namespace_has_its_request_in_the_services_own),
        case!(a_signal_of_a_namespace_that_is_not_the_suites_has_its_request_in_the_services_own),
        case!(a_signal_of_no_possible_namespace_has_its_request_in_the_services_own),
        case!(a_request_in_the_services_own_namespace_is_counted_as_such),
    ]
    .map(|case| case.beyond("contract 6.3"))
}

/// Fails unless a signal of a namespace has its request where the service itself is, and comes there again.
async fn falls_back(ctx: &Ctx, namespace: &str, origin: &str) -> CaseResult {
    // All cases share that place.
    let alert = alert_in(namespace, &format!("Fallback-{}", ctx.correlation_id()), "cart-0");
    let (answer, own) = (created(ctx, &alert).await?, ctx.suite_objects());
    ensure_eq!(answer["remediationRequestNamespace"], own.namespace());
    let labels = json!({
        "kubernaut.ai/origin-namespace": origin,
        "kubernaut.ai/cluster-scoped": "true",
    });
    let expected = json!({
        "metadata": {"labels": labels},
        "spec": {"targetResource": {"namespace": namespace}},
        "status": {"deduplication": {"occurrenceCount": 1}},
    });
    let request = [VERSION, REQUEST, text(&answer, "/remediationRequestName")];
    own.until_matching(request, expected, SOON).await?;
    let again = counted(ctx, &alert).await?;
    ensure_eq!(again["remediationRequestName"], answer["remediationRequestName"]);
    Ok(())
}

async fn a_signal_of_a_missing_namespace_has_its_request_in_the_services_own(
    ctx: Ctx,
) -> CaseResult {
    let missing = format!("{}-missing", ctx.correlation_id());
    falls_back(&ctx, &missing, &missing).await
}

async fn a_signal_of_a_namespace_that_is_not_the_suites_has_its_request_in_the_services_own(
    ctx: Ctx,
) -> CaseResult {
    falls_back(&ctx, "kube-system", "kube-system").await
}

async fn a_signal_of_no_possible_namespace_has_its_request_in_the_services_own(
    ctx: Ctx,
) -> CaseResult {
    falls_back(&ctx, "../kube system", "kube_system").await
}

async fn a_request_in_the_services_own_namespace_is_counted_as_such(ctx: Ctx) -> CaseResult {
    // The namespace of the case is not there, and no other case sends such an event.
    let event = event(&ctx, "Warning", "BackOff", "cart-0");
    let own = [("source_type", "kubernetes-event"), ("status", "fallback_ns")];
    let series: [Raised<'_>; 1] = [("crds_created_total", &own, 1.0)];
    let sending = answered(&ctx, EVENTS, &event, 201);
    raises(&ctx, [GATEWAY, PREFIX], &series, sending).await.map(drop)
}
