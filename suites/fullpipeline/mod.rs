//! The full pipeline: an alert enters the gateway, and every service has its part until it is remedied.
//!
//! Each service is deployed once. The cases are those of contract 6.8 that the original left pending, with real
//! controllers, and what happens when one of them, or the data service, is away in the middle.
//!
//! None of them was tried with the originals' images.

mod endings;
mod interruptions;
mod rules;
mod story;

use std::time::Duration;

use kindwright::{
    Answer, CaseResult, Ctx, Endpoint, HttpError, Image, Objects, ObjectsError, Reserve, Suite,
    Workload, step,
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    platform::{self, Ports, SOON, STAND_INS},
    workflows,
};

const NAME: &str = "fullpipeline";
const GATEWAY: &str = "gateway";
const HAPI: &str = "holmesgpt-api";
/// HAPI, as the workload that has the model that can be scripted.
const SCRIPTED: &str = "holmesgpt-api-llm";
const MODEL: &str = "mock-llm";
const SLACK: &str = "mock-slack";
const EXECUTOR: &str = "tekton";
const SIGNALS: &str = "signalprocessing-controller";
const ANALYSES: &str = "aianalysis-controller";
const EXECUTIONS: &str = "workflowexecution-controller";
const NOTIFICATIONS: &str = "notification-controller";
const ORCHESTRATOR: &str = "remediationorchestrator-controller";
const CONTROLLERS: [Controller; 5] = [
    Controller { name: ORCHESTRATOR, kind: REQUEST, service: ORCHESTRATOR },
    Controller {
        name: SIGNALS,
        kind: "SignalProcessing",
        service: "signalprocessing-controller-metrics",
    },
    Controller { name: ANALYSES, kind: "AIAnalysis", service: ANALYSES },
    Controller {
        name: EXECUTIONS,
        kind: "WorkflowExecution",
        service: "workflowexecution-controller-metrics",
    },
    Controller {
        name: NOTIFICATIONS,
        kind: "NotificationRequest",
        service: "notification-metrics",
    },
];
const DEFINITIONS: [&str; 8] = [
    "kubernaut.ai_remediationrequests",
    "kubernaut.ai_remediationapprovalrequests",
    "kubernaut.ai_signalprocessings",
    "kubernaut.ai_aianalyses",
    "kubernaut.ai_workflowexecutions",
    "kubernaut.ai_notificationrequests",
    "tekton.dev_pipelineruns",
    "tekton.dev_taskruns",
];
const VERSION: &str = "kubernaut.ai/v1alpha1";
const REQUEST: &str = "RemediationRequest";
/// How long a case may take: two alerts travel, or pods are killed and started.
const CASE_LIMIT: Duration = Duration::from_mins(6);

/// A controller, the kind that it controls, and the Service of its metrics.
struct Controller {
    name: &'static str,
    kind: &'static str,
    service: &'static str,
}

/// Environment, severity and its priority, for which a workflow is right, its name, and its bundle. A warning is of
/// medium severity, an information of low severity, and the catalog knows each severity by a priority of its own (contract 5.7).
const WORKFLOWS: [[&str; 5]; 5] = [
    ["staging", "critical", "P0", "restart-in-staging", "hello-world"],
    ["production", "critical", "P0", "restart-in-production", "hello-world"],
    // They take twelve seconds and more, so that something can happen meanwhile.
    ["staging", "low", "P3", "lasting-in-staging", "lasting"],
    ["development", "low", "P3", "enduring-in-development", "enduring"],
    // It never succeeds.
    ["staging", "medium", "P2", "failing-in-staging", "failing"],
];

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30081, 8091), postgresql: (30432, 30432) };
    let plain = |name: &str| Workload::new(name, format!("fixtures/manifests/{name}.yaml"));
    let http = || Endpoint::http("http").health("/health");
    let service = |port| Endpoint::http(port).service("gateway-service");
    let gateway = plain(GATEWAY)
        .endpoint(service("http").node_port(30080).health("/ready"))
        .endpoint(service("metrics").health("/metrics"));
    let beside = [
        gateway,
        plain(SCRIPTED).endpoint(http()),
        plain(MODEL).endpoint(http()),
        plain(SLACK).endpoint(http()),
        plain(EXECUTOR),
    ];
    let controllers = CONTROLLERS.map(|Controller { name, service, .. }| {
        let metrics = Endpoint::http("metrics").service(service).health("/metrics");
        let controller = plain(name).endpoint(metrics);
        if name == ANALYSES {
            controller.endpoint(Endpoint::http("health").service(service).health("/healthz"))
        } else {
            controller
        }
    });
    let suite = Suite::new(NAME, NAME)
        .namespace("workflows")
        .image(Image::reference("debian", "docker.io/library/debian:bookworm-slim"))
        .reserve(Reserve::pods(4).cpu("5m").memory("16Mi"));
    let programs = [GATEWAY, HAPI, MODEL, SLACK, EXECUTOR].into_iter();
    let programs = programs.chain(CONTROLLERS.map(|controller| controller.name));
    let suite =
        programs.fold(suite, |suite, name| suite.image(Image::program(name, STAND_INS, [name])));
    let suite = DEFINITIONS
        .into_iter()
        .fold(suite, |suite, name| suite.resources(format!("fixtures/crds/{name}.yaml")));
    let suite = CONTROLLERS.into_iter().fold(suite, |suite, it| suite.controls(it.kind));
    platform::shared(suite, ports, beside.into_iter().chain(controllers))
        .resources("fixtures/manifests/fullpipeline.yaml")
        .case_limit(CASE_LIMIT)
        .step(step!(register_the_workflows))
        .cases(endings::cases())
        .cases(rules::cases())
        .cases(interruptions::cases())
}

/// Fills the catalog with what remedies the alerts of the cases.
async fn register_the_workflows(ctx: Ctx) -> CaseResult {
    for [environment, severity, priority, name, bundle] in WORKFLOWS {
        let labels = json!({
            "signal_type": "prometheus-alert", "severity": severity, "component": "pod",
            "environment": environment, "priority": priority,
        });
        let mut workflow = workflows::workflow(name, "1.0.0", &labels);
        workflow["container_image"] =
            json!(format!("quay.io/jordigilh/test-workflows/{bundle}:v1.0.0"));
        workflows::keep(&ctx, &workflow).await?;
    }
    Ok(())
}

/// Makes the namespace of the case, whose environment is this one.
async fn settle_in(ctx: &Ctx, environment: &str) -> CaseResult {
    settle(ctx.objects(), environment).await
}

/// Makes a namespace whose environment is this one.
async fn settle(objects: &Objects, environment: &str) -> CaseResult {
    let objects = objects.label("kubernaut.ai/environment", environment);
    objects.make_namespace().await?;
    Ok(())
}

/// Sends an alert about a pod of the case's namespace; returns what the gateway answers.
async fn alert(ctx: &Ctx, pod: &str, severity: &str, status: u16) -> Result<Value, HttpError> {
    let sent = send(ctx, ctx.objects(), ["PodIsSlow", pod, severity]).await?;
    sent.expect(status)?.json()
}

/// Sends an alert of this name that is a new one.
async fn alert_called(
    ctx: &Ctx,
    objects: &Objects,
    name: &str,
    pod: &str,
    severity: &str,
) -> Result<Value, HttpError> {
    send(ctx, objects, [name, pod, severity]).await?.expect(201)?.json()
}

async fn send(
    ctx: &Ctx,
    objects: &Objects,
    [name, pod, severity]: [&str; 3],
) -> Result<Answer, HttpError> {
    let labels = json!({
        "alertname": name, "namespace": objects.namespace(), "pod": pod, "severity": severity,
    });
    let alert = json!({
        "version": "4", "groupKey": "{}:{}", "status": "firing", "receiver": "kubernaut",
        "commonLabels": labels,
        "alerts": [{"status": "firing", "labels": labels, "startsAt": "2025-01-01T00:00:00Z"}],
    });
    let now = OffsetDateTime::now_utc().unix_timestamp().to_string();
    let request = ctx.post(GATEWAY, "/api/v1/signals/prometheus").header("x-timestamp", &now);
    request.json(&alert).send().await
}

/// Waits until the request of an alert has come so far; returns it.
async fn until(ctx: &Ctx, name: &str, status: Value) -> Result<Value, ObjectsError> {
    until_of(ctx.objects(), name, status).await
}

async fn until_of(objects: &Objects, name: &str, status: Value) -> Result<Value, ObjectsError> {
    objects.until_matching([VERSION, REQUEST, name], json!({"status": status}), SOON).await
}

/// A text of some JSON; empty where there is none.
fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
