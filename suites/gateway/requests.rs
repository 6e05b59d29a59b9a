//! What a request says of its signal (scenarios 08, 10 and 21).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kindwright::{Case, CaseResult, Ctx, Failure, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    EVENTS, REQUEST, SOON, VERSION, alert, created, event, fingerprint, made_now, make_namespace,
    text, until_requests,
};

/// Events by their types and reasons, and how severe they are (supplement 6.3).
const SEVERITIES: [[&str; 3]; 8] = [
    ["Warning", "OOMKilled", "critical"],
    ["Warning", "NodeNotReady", "critical"],
    ["Warning", "FailedScheduling", "critical"],
    ["Warning", "Evicted", "critical"],
    ["Warning", "FailedMount", "critical"],
    ["Warning", "NetworkNotReady", "critical"],
    ["Warning", "BackOff", "warning"],
    ["Error", "BackOff", "critical"],
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        an_event_of_kubernetes_has_a_request_about_its_pod,
        a_request_says_all_that_its_alert_says,
        a_request_says_all_that_its_event_says,
        an_event_is_as_severe_as_its_reason_and_its_type_say,
        a_signal_about_nothing_known_has_a_request_too,
        its_target_is_what_one_of_its_labels_names,
        a_valid_signal_has_exactly_one_request,
    ]
}

/// Sends an event that is new, and returns what is said of its request.
async fn of_event(ctx: &Ctx, event: &Value) -> Result<Value, kindwright::HttpError> {
    made_now(ctx, EVENTS).json(event).send().await?.expect(201)?.json()
}

/// Waits until the request of an answer is as it should be, and returns it.
async fn until_matching(ctx: &Ctx, answer: &Value, expected: Value) -> Result<Value, Failure> {
    let request = [VERSION, REQUEST, text(answer, "/remediationRequestName")];
    Ok(ctx.objects().until_matching(request, expected, SOON).await?)
}

/// The JSON that a request has as bytes.
fn decoded(request: &Value, pointer: &str) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(&BASE64_STANDARD.decode(text(request, pointer))?)?)
}

async fn an_event_of_kubernetes_has_a_request_about_its_pod(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let mut expected = Vec::new();
    for pod in 0..5 {
        let pod = format!("api-server-{pod}");
        of_event(&ctx, &event(&ctx, "Warning", "BackOff", &pod)).await?;
        let namespace = ctx.objects().namespace();
        expected.push(json!({"kind": "Pod", "name": pod, "namespace": namespace}));
    }
    let requests = until_requests(&ctx, ctx.objects(), 5).await?;
    let mut targets: Vec<_> =
        requests.iter().map(|request| request["spec"]["targetResource"].clone()).collect();
    targets.sort_by_key(ToString::to_string);
    ensure_eq!(targets, expected);
    Ok(())
}

async fn a_request_says_all_that_its_alert_says(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let alert = alert(&ctx, "HighCPU", "cart-0");
    let answer = created(&ctx, &alert).await?;
    let (namespace, print) = (ctx.objects().namespace(), text(&answer, "/fingerprint"));
    let expected = json!({
        "metadata": {
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "gateway-service",
                "app.kubernetes.io/component": "remediation",
                "kubernaut.ai/signal-type": "prometheus-alert",
                "kubernaut.ai/signal-fingerprint": &print[..63],
                "kubernaut.ai/severity": "critical",
            },
        },
        "spec": {
            "signalFingerprint": print,
            "signalName": "HighCPU",
            "severity": "critical",
            "signalType": "prometheus-alert",
            "signalSource": "prometheus",
            "targetType": "kubernetes",
            "targetResource": {"kind": "Pod", "name": "cart-0", "namespace": namespace},
            "firingTime": "2025-01-01T00:00:00Z",
            "signalLabels": {"alertname": "HighCPU", "pod": "cart-0", "namespace": namespace},
            "signalAnnotations": {
                "summary": "it is slow",
                "description": "it has been slow for a while",
            },
        },
        "status": {"deduplication": {"occurrenceCount": 1}},
    });
    let request = until_matching(&ctx, &answer, expected).await?;
    let name = text(&request, "/metadata/name");
    ensure!(name.starts_with(&format!("rr-{}-", &print[..12])), "it is called {name}");
    for pointer in ["/metadata/annotations/kubernaut.ai~1created-at", "/spec/receivedTime"] {
        ensure!(!text(&request, pointer).is_empty(), "no {pointer}: {request:#}");
    }
    let labels = request["spec"]["signalLabels"].clone();
    let provided = json!({"namespace": namespace, "labels": labels});
    ensure_eq!(decoded(&request, "/spec/providerData")?, provided);
    ensure_eq!(decoded(&request, "/spec/originalPayload")?, alert);
    Ok(())
}

async fn a_request_says_all_that_its_event_says(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let answer = of_event(&ctx, &event(&ctx, "Warning", "OOMKilled", "cart-0")).await?;
    let print = fingerprint("OOMKilled", ctx.objects().namespace(), "Pod", "cart-0");
    ensure_eq!(answer["fingerprint"], print);
    let expected = json!({
        "metadata": {"labels": {"kubernaut.ai/signal-type": "kubernetes-event"}},
        "spec": {
            "signalFingerprint": print,
            "signalName": "OOMKilled",
            "severity": "critical",
            "signalType": "kubernetes-event",
            "signalSource": "kubernetes-events",
            "targetResource": {"kind": "Pod", "name": "cart-0"},
            "signalLabels": {
                "kubernaut.ai/event-source": "kubelet",
                "kubernaut.ai/event-type": "warning",
                "kubernaut.ai/resource-kind": "pod",
            },
            "signalAnnotations": {
                "kubernaut.ai/event-message": "Back-off restarting failed container",
                "kubernaut.ai/event-count": "5",
                "kubernaut.ai/source-host": "worker-1",
                "kubernaut.ai/first-timestamp": "2025-01-01T00:00:00Z",
                "kubernaut.ai/last-timestamp": "2025-01-01T00:05:00Z",
            },
        },
    });
    until_matching(&ctx, &answer, expected).await?;
    Ok(())
}

async fn an_event_is_as_severe_as_its_reason_and_its_type_say(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    for (at, [kind, reason, severity]) in SEVERITIES.into_iter().enumerate() {
        let answer = of_event(&ctx, &event(&ctx, kind, reason, &format!("cart-{at}"))).await?;
        let kind = kind.to_lowercase();
        let expected = json!({
            "metadata": {"labels": {"kubernaut.ai/severity": severity}},
            "spec": {
                "signalName": reason, "severity": severity,
                "signalLabels": {"kubernaut.ai/event-type": kind},
            },
        });
        until_matching(&ctx, &answer, expected).await?;
    }
    Ok(())
}

async fn a_signal_about_nothing_known_has_a_request_too(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let mut alert = alert(&ctx, "Watchdog", "cart-0");
    for labels in ["/commonLabels", "/alerts/0/labels"] {
        if let Some(labels) = alert.pointer_mut(labels).and_then(Value::as_object_mut) {
            labels.remove("pod");
        }
    }
    alert["commonLabels"]["severity"] = json!("page");
    let answer = created(&ctx, &alert).await?;
    let target = json!({"kind": "Unknown", "name": "unknown"});
    let expected = json!({"spec": {"severity": "warning", "targetResource": target}});
    until_matching(&ctx, &answer, expected).await?;
    Ok(())
}

async fn its_target_is_what_one_of_its_labels_names(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let kinds = ["Deployment", "StatefulSet", "DaemonSet", "Node", "Service"];
    for (at, kind) in kinds.into_iter().enumerate() {
        let name = format!("target-{at}");
        let mut alert = alert(&ctx, &format!("Of{kind}"), "cart-0");
        for labels in ["/commonLabels", "/alerts/0/labels"] {
            if let Some(labels) = alert.pointer_mut(labels).and_then(Value::as_object_mut) {
                labels.remove("pod");
                labels.insert(kind.to_lowercase(), json!(name));
            }
        }
        let answer = created(&ctx, &alert).await?;
        let target = json!({"kind": kind, "name": name});
        until_matching(&ctx, &answer, json!({"spec": {"targetResource": target}})).await?;
        let print = fingerprint(&format!("Of{kind}"), ctx.objects().namespace(), kind, &name);
        ensure_eq!(answer["fingerprint"], print);
    }
    Ok(())
}

async fn a_valid_signal_has_exactly_one_request(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    let answer = created(&ctx, &alert(&ctx, "Once", "cart-0")).await?;
    ensure_eq!(answer["status"], "created");
    ensure_eq!(answer["message"], "RemediationRequest CRD created successfully");
    ensure_eq!(answer["duplicate"], false);
    ensure_eq!(answer["remediationRequestNamespace"], ctx.objects().namespace());
    let requests = until_requests(&ctx, ctx.objects(), 1).await?;
    ensure_eq!(requests[0]["metadata"]["name"], answer["remediationRequestName"]);
    Ok(())
}
