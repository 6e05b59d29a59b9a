//! The controller of signals: what it finds out about their targets, and what it tells.
//!
//! The cases are the scenarios of contract 6.5. Where the original labels its namespaces with what nobody
//! reads, these have the label that counts.
//!
//! None of them was tried with the original's image.

mod audit;
mod context;
mod detection;
mod metrics;
mod policies;
mod urgency;

use std::time::Duration;

use kindwright::{Ctx, Endpoint, Failure, Image, Objects, Reserve, Suite, Workload};
use serde_json::{Value, json};

use crate::platform::{self, Ports, STAND_INS};

const NAME: &str = "signalprocessing";
const CONTROLLER: &str = "signalprocessing-controller";
const VERSION: &str = "kubernaut.ai/v1alpha1";
const KIND: &str = "SignalProcessing";
const ENVIRONMENT: &str = "kubernaut.ai/environment";
/// How long a signal may take (contract 6.5).
const SOON: Duration = Duration::from_mins(1);

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30081, 30081), postgresql: (30432, 30432) };
    let metrics = Endpoint::http("metrics").node_port(30182).host_port(9182).health("/metrics");
    let controller =
        Workload::new(CONTROLLER, "fixtures/manifests/signalprocessing-controller.yaml")
            .endpoint(metrics.service("signalprocessing-controller-metrics"));
    platform::shared(Suite::new(NAME, NAME), ports, [controller])
        .strategies(platform::STRATEGIES)
        .image(Image::program(CONTROLLER, STAND_INS, [CONTROLLER]))
        .resources("fixtures/crds/kubernaut.ai_signalprocessings.yaml")
        .resources("fixtures/crds/kubernaut.ai_remediationrequests.yaml")
        .controls(KIND)
        .reserve(Reserve::pods(12).cpu("5m").memory("16Mi"))
        .cases(context::cases())
        .cases(urgency::cases())
        .cases(detection::cases())
        .cases(audit::cases())
        .cases(metrics::cases())
        .cases(policies::cases())
}

/// A signal about an object in the namespace of `objects`, for a remediation of the case's own id.
fn signal(ctx: &Ctx, objects: &Objects, severity: &str, kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": VERSION,
        "kind": KIND,
        "metadata": {"name": "signal"},
        "spec": {
            "remediationRequestRef": {"name": ctx.correlation_id(), "namespace": objects.namespace()},
            "signal": {
                "fingerprint": "0123456789abcdef".repeat(4),
                "name": "HighMemoryUsage",
                "severity": severity,
                "type": "prometheus-alert",
                "source": "prometheus",
                "targetType": "kubernetes",
                "targetResource": {"kind": kind, "name": name, "namespace": objects.namespace()},
                "receivedTime": "2026-01-01T00:00:00Z",
            },
        },
    })
}

/// Makes a signal, and returns its status once it is processed.
async fn process(objects: &Objects, signal: Value) -> Result<Value, Failure> {
    objects.create(signal).await?;
    let done = json!({"status": {"phase": "Completed"}});
    let mut done = objects.until_matching([VERSION, KIND, "signal"], done, SOON).await?;
    Ok(done["status"].take())
}

/// The spec of a pod that needs next to nothing, and serves as what it is told.
fn pod_spec(ctx: &Ctx) -> Result<Value, Failure> {
    let requests = json!({"cpu": "5m", "memory": "16Mi"});
    Ok(json!({
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": false,
        "containers": [{
            "name": "shop",
            "image": ctx.image("redis")?,
            "imagePullPolicy": "IfNotPresent",
            "resources": {"requests": requests, "limits": {"memory": "64Mi"}},
        }],
    }))
}

/// A workload of such pods, called `shop`.
fn workload(ctx: &Ctx, kind: &str, replicas: Option<u32>) -> Result<Value, Failure> {
    let labels = json!({"app": "shop"});
    let mut object = json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "shop", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(ctx)?},
        },
    });
    if let Some(replicas) = replicas {
        object["spec"]["replicas"] = json!(replicas);
    }
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = json!("shop");
    }
    Ok(object)
}

/// Makes a pod called `shop`, and waits until it has a node.
async fn make_pod(ctx: &Ctx, objects: &Objects) -> Result<Value, Failure> {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "shop", "labels": {"app": "shop"}},
        "spec": pod_spec(ctx)?,
    });
    objects.create(pod).await?;
    let placed = |pod: &Value| pod["spec"]["nodeName"].is_string();
    Ok(objects.until(["v1", "Pod", "shop"], "its node", SOON, placed).await?)
}
