//! The controller of analyses: what it makes of HAPI's answers, who must approve, and what it tells.
//!
//! The cases are the scenarios of contract 6.4. Where the original sleeps and hopes for an error, what stands before
//! HAPI fails the requests of this case, and of no other.
//!
//! None of them was tried with the original's image.

mod answers;
mod approval;
mod audit;
mod errors;
mod failures;
mod flow;
mod health;
mod metrics;
mod outage;
mod policies;
mod questions;
mod recovery;
mod refusals;
mod reviews;
mod says;
mod shutdown;

use futures_util::future::try_join_all;
use kindwright::{Ctx, Endpoint, Failure, HttpError, Image, ObjectsError, Suite, Workload};
use serde_json::{Value, json};

use crate::{
    expect::condition,
    faults,
    platform::{self, HAPI, Ports, SOON, STAND_INS},
};

const NAME: &str = "aianalysis";
/// The controller, as workload, image and emitter of events.
const CONTROLLER: &str = "aianalysis-controller";
/// What stands before HAPI.
const PROXY: &str = "fault-proxy";
const VERSION: &str = "kubernaut.ai/v1alpha1";
const KIND: &str = "AIAnalysis";
const MOVED: &str = "aianalysis.phase.transition";
const CALLED: &str = "aianalysis.holmesgpt.call";
const EVALUATED: &str = "aianalysis.rego.evaluation";
const DECIDED: &str = "aianalysis.approval.decision";
const COMPLETED: &str = "aianalysis.analysis.completed";
const ERROR: &str = "aianalysis.error.occurred";
/// What one success is told by, in order (supplement 6.4).
const TRAIL: [&str; 7] = [MOVED, CALLED, MOVED, EVALUATED, DECIDED, MOVED, COMPLETED];

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30081, 8091), postgresql: (30432, 30432) };
    let endpoint = |name, node_port, host_port| {
        Endpoint::http(name).node_port(node_port).host_port(host_port).service(CONTROLLER)
    };
    let controller = Workload::new(CONTROLLER, "fixtures/manifests/aianalysis-controller.yaml")
        .endpoint(endpoint("metrics", 30184, 9184).health("/metrics"))
        .endpoint(endpoint("health", 30284, 8184).health("/healthz"));
    let proxy = Workload::new(PROXY, "fixtures/manifests/fault-proxy.yaml")
        .endpoint(Endpoint::http("http").node_port(30287).health("/health"));
    let hapi = platform::hapi(Endpoint::http("http").node_port(30088).host_port(8088));
    let suite = Suite::new(NAME, NAME)
        .image(platform::hapi_image())
        .image(Image::program(CONTROLLER, STAND_INS, [CONTROLLER]))
        .image(Image::program(PROXY, STAND_INS, [PROXY]))
        .resources("fixtures/crds/kubernaut.ai_aianalyses.yaml")
        .controls(KIND);
    platform::shared(suite, ports, [hapi, proxy, controller])
        .cases(health::cases())
        .cases(metrics::cases())
        .cases(flow::cases())
        .cases(approval::cases())
        .cases(questions::cases())
        .cases(recovery::cases())
        .cases(audit::cases())
        .cases(errors::cases())
        .cases(failures::cases())
        .cases(answers::cases())
        .cases(reviews::cases())
        .cases(refusals::cases())
        .cases(policies::cases())
        .cases(shutdown::cases())
        .cases(outage::cases())
}

/// An analysis of a signal in an environment, for a remediation of the case's own id.
fn analysis(ctx: &Ctx, name: &str, signal: &str, environment: &str) -> Value {
    json!({
        "apiVersion": VERSION,
        "kind": KIND,
        // HAPI knows it by its name alone.
        "metadata": {"name": ctx.objects().own_name(name)},
        "spec": {
            "remediationRequestRef": {"name": "rr", "namespace": ctx.objects().namespace()},
            "remediationId": ctx.correlation_id(),
            "analysisRequest": {
                "signalContext": {
                    "fingerprint": "0123456789abcdef".repeat(4),
                    "severity": "warning",
                    "signalType": signal,
                    "environment": environment,
                    "businessPriority": "P2",
                    "targetResource": {"kind": "Pod", "name": "till", "namespace": "shop"},
                    "enrichmentResults": {},
                },
                "analysisTypes": ["investigation", "workflow-selection"],
            },
        },
    })
}

/// The same of a recovery, which is the attempt of this number.
fn recovery(ctx: &Ctx, name: &str, signal: &str, environment: &str, number: u32) -> Value {
    let mut analysis = analysis(ctx, name, signal, environment);
    analysis["spec"]["isRecoveryAttempt"] = json!(true);
    analysis["spec"]["recoveryAttemptNumber"] = json!(number);
    analysis
}

/// Makes an analysis; returns its name.
async fn make(ctx: &Ctx, analysis: Value) -> Result<String, ObjectsError> {
    let made = ctx.objects().create(analysis).await?;
    Ok(made["metadata"]["name"].as_str().unwrap_or_default().to_owned())
}

/// Waits until the status of an analysis is so, and returns the status.
async fn until(ctx: &Ctx, name: &str, status: Value) -> Result<Value, ObjectsError> {
    let so = json!({"status": status});
    let mut object = ctx.objects().until_matching([VERSION, KIND, name], so, SOON).await?;
    Ok(object["status"].take())
}

/// Waits until these analyses are all in a phase.
async fn until_all(ctx: &Ctx, names: &[String], phase: &str) -> Result<(), ObjectsError> {
    let waiting = names.iter().map(|name| until(ctx, name, json!({"phase": phase})));
    try_join_all(waiting).await.map(drop)
}

/// Makes an analysis, and returns its status once it is completed.
async fn complete(ctx: &Ctx, analysis: Value) -> Result<Value, Failure> {
    let name = make(ctx, analysis).await?;
    Ok(until(ctx, &name, json!({"phase": "Completed"})).await?)
}

/// Lets the requests of the case meet these faults before HAPI, one after the other.
async fn fail(ctx: &Ctx, faults: Value) -> Result<(), HttpError> {
    faults::set(ctx, PROXY, ctx.correlation_id(), &faults).await
}

/// How the requests of the case were answered.
async fn answers(ctx: &Ctx) -> Result<Vec<Value>, HttpError> {
    faults::answers(ctx, PROXY).await
}

/// What every event of an analysis of the case has in common.
fn envelope(ctx: &Ctx) -> Value {
    json!({
        "event_category": "analysis",
        "event_version": "1.0",
        "actor_type": "service",
        "actor_id": CONTROLLER,
        "correlation_id": ctx.correlation_id(),
        "resource_type": KIND,
        "namespace": ctx.objects().namespace(),
    })
}
