//! What HAPI is asked of an incident (supplement 6.4).

use kindwright::{Case, CaseResult, Ctx, Failure, cases, ensure_eq};
use serde_json::{Value, json};

use super::{PROXY, analysis, complete, fail};
use crate::faults;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        hapi_is_asked_of_the_signal_and_its_target,
        what_the_labels_of_an_incident_say_is_passed_on,
        an_incident_is_asked_of_again_as_before,
    ]
}

/// The requests that HAPI gets for an analysis until it is completed.
async fn requests(ctx: &Ctx, analysis: Value) -> Result<Vec<Value>, Failure> {
    complete(ctx, analysis).await?;
    let exchanges = faults::exchanges(ctx, PROXY).await?;
    Ok(exchanges.into_iter().map(|mut exchange| exchange["body"].take()).collect())
}

/// Fails unless a request says each of these.
pub(super) fn says(request: &Value, expected: &Value) -> CaseResult {
    for (field, value) in expected.as_object().into_iter().flatten() {
        ensure_eq!((field, &request[field]), (field, value));
    }
    Ok(())
}

/// The names of the fields of an object.
fn fields(object: &Value) -> Vec<&str> {
    let mut fields: Vec<_> =
        object.as_object().into_iter().flatten().map(|(it, _)| &**it).collect();
    fields.sort_unstable();
    fields
}

async fn hapi_is_asked_of_the_signal_and_its_target(ctx: Ctx) -> CaseResult {
    let mut incident = analysis(&ctx, "incident", "OOMKilled", "qa");
    let name = incident["metadata"]["name"].clone();
    let signal = &mut incident["spec"]["analysisRequest"]["signalContext"];
    signal["severity"] = json!("info");
    signal["businessPriority"] = json!("P3");
    signal["targetResource"] = json!({"kind": "Deployment", "name": "tea", "namespace": "kitchen"});
    let requests = requests(&ctx, incident).await?;
    ensure_eq!(requests.len(), 1);
    let expected = json!({
        "incident_id": name, "remediation_id": ctx.correlation_id(),
        "signal_type": "OOMKilled", "severity": "info", "environment": "qa", "priority": "P3",
        "resource_kind": "Deployment", "resource_name": "tea", "resource_namespace": "kitchen",
        "signal_source": "kubernaut", "error_message": "",
        // Nobody says otherwise.
        "risk_tolerance": "medium", "business_category": "standard", "cluster_name": "default",
    });
    says(&requests[0], &expected)
}

async fn what_the_labels_of_an_incident_say_is_passed_on(ctx: Ctx) -> CaseResult {
    let mut incident = analysis(&ctx, "incident", "OOMKilled", "staging");
    let detected = json!({
        "gitOpsManaged": true, "gitOpsTool": "argocd", "pdbProtected": true, "hpaEnabled": false,
        "stateful": true, "helmManaged": false, "networkIsolated": true, "serviceMesh": "istio",
        "failedDetections": ["hpaEnabled"],
    });
    let custom = json!({
        "team": ["payments", "checkout"], "risk_tolerance": ["low"],
        "business_category": ["critical"], "cluster_name": ["north"],
    });
    incident["spec"]["analysisRequest"]["signalContext"]["enrichmentResults"] = json!({
        "detectedLabels": detected, "customLabels": custom,
        // HAPI does not hear of it.
        "ownerChain": [{"namespace": "shop", "kind": "Deployment", "name": "till"}],
    });
    let requests = requests(&ctx, incident).await?;
    ensure_eq!(requests.len(), 1);
    let enrichment = &requests[0]["enrichment_results"];
    ensure_eq!(fields(enrichment), ["customLabels", "detectedLabels"]);
    says(&enrichment["detectedLabels"], &detected)?;
    ensure_eq!(enrichment["customLabels"], custom);
    let expected = json!({
        "risk_tolerance": "low", "business_category": "critical", "cluster_name": "north",
    });
    says(&requests[0], &expected)
}

async fn an_incident_is_asked_of_again_as_before(ctx: Ctx) -> CaseResult {
    fail(&ctx, json!([{"mode": "answer", "status": 500, "times": 1}])).await?;
    let requests = requests(&ctx, analysis(&ctx, "again", "OOMKilled", "staging")).await?;
    ensure_eq!(requests.len(), 2);
    ensure_eq!(requests[0], requests[1]);
    Ok(())
}
