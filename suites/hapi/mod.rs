//! HAPI: what it answers over HTTP, and the audit events that it leaves in PostgreSQL.
//!
//! The cases are those of contract 5.7. Where they polled the data service after a
//! sleep, the rows themselves are asserted.
//!
//! The original's image and migrations were tried: what did not pass with them is `beyond`, or was mended
//! (supplement S4). They were not tried again since.

mod audit;
mod catalog;
mod edge_cases;
mod errors;
mod images;
mod model;
mod outage;
mod recovery;
mod requests;
mod scenarios;
mod search;
mod selection;
mod service;
mod validation;

use kindwright::{CaseResult, Ctx, Endpoint, HttpError, Image, Suite, Workload, step};
use serde_json::{Value, json};

use crate::{
    platform::{self, HAPI, Ports, STAND_INS},
    workflows,
};

/// HAPI with a model that a signal of its own makes err.
const LLM: &str = "holmesgpt-api-llm";
const MODEL: &str = "mock-llm";
const ANALYZE: &str = "/api/v1/incident/analyze";
const RECOVER: &str = "/api/v1/recovery/analyze";
/// What the data service fills in for events of category `analysis` (contract 5.6).
const EMITTER: &str = "analysis-service";

fn http(node_port: u16) -> Endpoint {
    Endpoint::http("http").node_port(node_port).health("/health")
}

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30098, 30098), postgresql: (30439, 30439) };
    let services = [
        platform::hapi(http(30120).variable("HAPI_BASE_URL")),
        Workload::new(LLM, "fixtures/manifests/holmesgpt-api-llm.yaml")
            .endpoint(http(30121))
            .beyond(),
        // No case asks it. But only a Service that has answered leads to its pod for others too.
        Workload::new(MODEL, "fixtures/manifests/mock-llm.yaml").endpoint(http(30122)).beyond(),
    ];
    platform::shared(Suite::new("hapi", HAPI), ports, services)
        .image(platform::hapi_image())
        .image(Image::program(MODEL, STAND_INS, [MODEL]))
        .step(step!(register_the_workflows))
        .cases(audit::cases())
        .cases(scenarios::cases())
        .cases(edge_cases::cases())
        .cases(recovery::cases())
        .cases(catalog::cases())
        .cases(search::cases())
        .cases(images::cases())
        .cases(selection::cases())
        .cases(validation::cases())
        .cases(requests::cases())
        .cases(errors::cases())
        .cases(service::cases())
        .cases(outage::cases())
}

/// Fills the catalog with the workflows that its cases look for.
async fn register_the_workflows(ctx: Ctx) -> CaseResult {
    workflows::register(&ctx).await
}

/// A complete request for an incident of this signal, under the case's own ids.
fn incident(ctx: &Ctx, signal: &str, severity: &str, environment: &str, priority: &str) -> Value {
    let mut request: Value =
        serde_json::from_str(include_str!("../../fixtures/payloads/incident.json"))
            .unwrap_or_default();
    request["incident_id"] = json!(format!("incident-{}", ctx.correlation_id()));
    request["remediation_id"] = json!(ctx.correlation_id());
    request["signal_type"] = json!(signal);
    request["severity"] = json!(severity);
    request["environment"] = json!(environment);
    request["priority"] = json!(priority);
    request
}

/// A request for what to do after a first workflow failed, under the case's own ids.
fn failed(ctx: &Ctx, signal: &str) -> Value {
    let mut request: Value =
        serde_json::from_str(include_str!("../../fixtures/payloads/recovery.json"))
            .unwrap_or_default();
    request["incident_id"] = json!(format!("incident-{}", ctx.correlation_id()));
    request["remediation_id"] = json!(ctx.correlation_id());
    request["signal_type"] = json!(signal);
    request
}

async fn analyze(ctx: &Ctx, request: &Value) -> Result<Value, HttpError> {
    ctx.post(HAPI, ANALYZE).json(request).send().await?.expect(200)?.json()
}

async fn recover(ctx: &Ctx, request: &Value) -> Result<Value, HttpError> {
    ctx.post(HAPI, RECOVER).json(request).send().await?.expect(200)?.json()
}

/// What every event of a request has in common.
fn envelope(request: &Value) -> Value {
    json!({
        "event_category": "analysis",
        "event_version": "1.0",
        "actor_type": "service",
        "actor_id": EMITTER,
        "correlation_id": request["remediation_id"],
        "resource_type": "analysis",
        "resource_id": request["remediation_id"],
        "retention_days": 2555,
        "event_data": {"incident_id": request["incident_id"]},
    })
}

/// A number of an answer; one that no bound contains where there is none.
fn number(answer: &Value, pointer: &str) -> f64 {
    answer.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// A text of an answer; empty where there is none.
fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The members of a list of an answer; none where there is no list.
fn list<'a>(answer: &'a Value, pointer: &str) -> &'a [Value] {
    answer.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
