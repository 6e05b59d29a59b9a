//! The gateway: what becomes of signals, whoever sends them, and whatever happens meanwhile.
//!
//! The cases are the scenarios of contract 6.3, by their numbers there.
//!
//! None of them was tried with the original's image.

mod audit;
mod browsers;
mod causes;
mod fallback;
mod flow;
mod interruptions;
mod logs;
mod metrics;
mod refusals;
mod replay;
mod requests;
mod service;

use kindwright::{
    Answer, Ctx, Endpoint, Failure, HttpError, Image, Objects, ObjectsError, Suite, Workload,
    case::Request,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::platform::{self, Ports, SOON, STAND_INS};

/// The suite, its workload and its image.
const GATEWAY: &str = "gateway";
const ALERTS: &str = "/api/v1/signals/prometheus";
const EVENTS: &str = "/api/v1/signals/kubernetes-event";
const VERSION: &str = "kubernaut.ai/v1alpha1";
const REQUEST: &str = "RemediationRequest";

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30081, 18091), postgresql: (30432, 25434) };
    let service = |port| Endpoint::http(port).service("gateway-service");
    let gateway = Workload::new(GATEWAY, "fixtures/manifests/gateway.yaml")
        .endpoint(service("http").node_port(30080).host_port(8080).health("/ready"))
        .endpoint(service("metrics").node_port(30090).host_port(9090).health("/metrics"));
    platform::shared(Suite::new(GATEWAY, GATEWAY), ports, [gateway])
        .image(Image::program(GATEWAY, STAND_INS, [GATEWAY]))
        .resources("fixtures/crds/kubernaut.ai_remediationrequests.yaml")
        .strategies(platform::STRATEGIES)
        .cases(causes::cases())
        .cases(flow::cases())
        .cases(metrics::cases())
        .cases(service::cases())
        .cases(requests::cases())
        .cases(fallback::cases())
        .cases(refusals::cases())
        .cases(replay::cases())
        .cases(browsers::cases())
        .cases(audit::cases())
        .cases(logs::cases())
        .cases(interruptions::cases())
}

/// An alert about a pod in the namespace of the case, as AlertManager sends it.
fn alert(ctx: &Ctx, name: &str, pod: &str) -> Value {
    alert_in(ctx.objects().namespace(), name, pod)
}

/// An alert about a pod in any namespace.
fn alert_in(namespace: &str, name: &str, pod: &str) -> Value {
    let labels = json!({
        "alertname": name,
        "namespace": namespace,
        "pod": pod,
        "severity": "critical",
    });
    json!({
        "version": "4",
        "groupKey": "{}:{}",
        "status": "firing",
        "receiver": "kubernaut",
        "groupLabels": {"alertname": name},
        "commonLabels": labels,
        "commonAnnotations": {"summary": "it is slow"},
        "externalURL": "http://alertmanager:9093",
        "alerts": [{
            "status": "firing",
            "labels": labels,
            "annotations": {"description": "it has been slow for a while"},
            "startsAt": "2025-01-01T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph",
            "fingerprint": "0123456789abcdef",
        }],
    })
}

/// An event about a pod in the namespace of the case, as Kubernetes has it.
fn event(ctx: &Ctx, kind: &str, reason: &str, pod: &str) -> Value {
    let namespace = ctx.objects().namespace();
    json!({
        "type": kind,
        "reason": reason,
        "message": "Back-off restarting failed container",
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": pod},
        "source": {"component": "kubelet", "host": "worker-1"},
        "firstTimestamp": "2025-01-01T00:00:00Z",
        "lastTimestamp": "2025-01-01T00:05:00Z",
        "count": 5,
    })
}

/// A request that says that it is made now.
fn made_now(ctx: &Ctx, path: &str) -> Request {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    ctx.post(GATEWAY, path).header("x-timestamp", &now.to_string())
}

/// Sends an alert.
async fn send(ctx: &Ctx, alert: &Value) -> Result<Answer, HttpError> {
    made_now(ctx, ALERTS).json(alert).send().await
}

/// Sends an alert that is new, and returns what is said of its request.
async fn created(ctx: &Ctx, alert: &Value) -> Result<Value, HttpError> {
    send(ctx, alert).await?.expect(201)?.json()
}

/// Sends an alert that came before, and returns what is said of its request.
async fn counted(ctx: &Ctx, alert: &Value) -> Result<Value, HttpError> {
    send(ctx, alert).await?.expect(202)?.json()
}

/// Makes the namespace of the case, which its signals are from.
async fn make_namespace(ctx: &Ctx) -> Result<(), ObjectsError> {
    ctx.objects().make_namespace().await.map(drop)
}

/// The requests in a namespace.
async fn requests(objects: &Objects) -> Result<Vec<Value>, ObjectsError> {
    objects.list([VERSION, REQUEST]).await
}

/// Waits until a namespace has so many requests, and returns them.
async fn until_requests(ctx: &Ctx, objects: &Objects, count: usize) -> Result<Vec<Value>, Failure> {
    let what = format!("{count} requests in {}", objects.namespace());
    ctx.until(what, SOON, async || {
        let found = requests(objects).await?;
        kindwright::ensure!(found.len() == count, "there are {}", found.len());
        Ok(found)
    })
    .await
}

/// Waits until the request of an answer says how often its signal came, and returns it.
async fn until_seen(ctx: &Ctx, answer: &Value) -> Result<Value, ObjectsError> {
    let name = text(answer, "/remediationRequestName");
    let counted =
        |request: &Value| request.pointer("/status/deduplication/occurrenceCount").is_some();
    ctx.objects().until([VERSION, REQUEST, name], "its count", SOON, counted).await
}

/// The fingerprint of a signal's cause: its name, and what it is about (contract 6.3).
fn fingerprint(name: &str, namespace: &str, kind: &str, object: &str) -> String {
    let hash = Sha256::digest(format!("{name}:{namespace}:{kind}:{object}"));
    hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A text of an answer; empty where there is none.
fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
