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
mod namespaces;
mod policies;
mod refusals;
mod urgency;

use kindwright::{Ctx, Endpoint, Failure, Image, Objects, Reserve, Suite, Workload, ensure};
use serde_json::{Value, json};

use crate::platform::{self, Ports, SOON, STAND_INS};

const NAME: &str = "signalprocessing";
const CONTROLLER: &str = "signalprocessing-controller";
const VERSION: &str = "kubernaut.ai/v1alpha1";
const KIND: &str = "SignalProcessing";
/// The signal of a case.
const SIGNAL: [&str; 3] = [VERSION, KIND, "signal"];
const ENVIRONMENT: &str = "kubernaut.ai/environment";
const UNIT: &str = "kubernaut.ai/business-unit";

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
        .reserve(Reserve::pods(14).cpu("5m").memory("16Mi"))
        .cases(context::cases())
        .cases(urgency::cases())
        .cases(detection::cases())
        .cases(namespaces::cases())
        .cases(audit::cases())
        .cases(metrics::cases())
        .cases(policies::cases())
        .cases(refusals::cases())
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
    processed(objects).await
}

/// The status of the signal once it is processed.
async fn processed(objects: &Objects) -> Result<Value, Failure> {
    let done = json!({"status": {"phase": "Completed"}});
    let mut done = objects.until_matching(SIGNAL, done, SOON).await?;
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

/// Such a pod, called `shop`.
fn pod(ctx: &Ctx) -> Result<Value, Failure> {
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "shop", "labels": {"app": "shop"}},
        "spec": pod_spec(ctx)?,
    }))
}

/// Makes it, and waits until it has a node.
async fn make_pod(ctx: &Ctx, objects: &Objects) -> Result<Value, Failure> {
    objects.create(pod(ctx)?).await?;
    let placed = |pod: &Value| pod["spec"]["nodeName"].is_string();
    Ok(objects.until(["v1", "Pod", "shop"], "its node", SOON, placed).await?)
}

/// Makes a Deployment called `shop`, and returns its only pod.
async fn make_owned_pod(ctx: &Ctx, objects: &Objects) -> Result<Value, Failure> {
    objects.create(workload(ctx, "Deployment", Some(1))?).await?;
    ctx.until("the pod of the Deployment", SOON, async || {
        let pods = objects.list(["v1", "Pod"]).await?;
        ensure!(pods.len() == 1, "there are {}", pods.len());
        Ok(pods[0].clone())
    })
    .await
}

/// What an object is called.
fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
