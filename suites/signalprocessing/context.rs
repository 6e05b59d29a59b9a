//! What is known of a target, whatever its kind (BR-SP-001, 100, 103).

use kindwright::{Case, CaseResult, Ctx, cases, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{ENVIRONMENT, SOON, make_owned_pod, make_pod, name, process, signal, workload};
use crate::expect::condition;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_pod_is_known_with_its_node,
        a_pod_that_is_missing_degrades_its_signal,
        a_pod_is_known_with_its_owners,
        a_stateful_set_is_known_with_its_replicas,
        a_daemon_set_is_known_with_its_numbers,
        a_replica_set_is_known_with_its_replicas,
        a_deployment_is_known_with_its_replicas,
        a_service_is_known_with_its_ports,
        a_node_is_known_with_its_conditions,
        an_attempt_after_others_knows_of_them,
    ]
}

async fn a_pod_is_known_with_its_node(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    let pod = make_pod(&ctx, objects).await?;
    let status = process(objects, signal(&ctx, objects, "critical", "Pod", "shop")).await?;
    let context = &status["kubernetesContext"];
    ensure_eq!(context["namespace"]["name"], json!(objects.namespace()));
    ensure_eq!(context["pod"]["nodeName"], pod["spec"]["nodeName"]);
    ensure_eq!(context["pod"]["labels"], json!({"app": "shop"}));
    ensure_eq!(context["node"]["labels"]["kubernetes.io/hostname"], pod["spec"]["nodeName"]);
    ensure!(context["node"]["allocatable"]["cpu"].is_string(), "its node has no CPU: {context}");
    ensure_eq!(context["degradedMode"], json!(false));
    Ok(())
}

async fn a_pod_that_is_missing_degrades_its_signal(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    objects.make_namespace().await?;
    let status = process(objects, signal(&ctx, objects, "critical", "Pod", "gone")).await?;
    let context = &status["kubernetesContext"];
    ensure_eq!(context["degradedMode"], json!(true));
    ensure_eq!(context["namespace"]["name"], json!(objects.namespace()));
    ensure!(context.get("pod").is_none(), "there is a pod: {context}");
    let enriched = condition(&status, "EnrichmentComplete");
    ensure_eq!(enriched["reason"], json!("DegradedMode"));
    Ok(())
}

async fn a_pod_is_known_with_its_owners(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    let pod = make_owned_pod(&ctx, objects).await?;
    let status = process(objects, signal(&ctx, objects, "critical", "Pod", name(&pod))).await?;
    let owner = |kind: &str, name: &Value| json!({"namespace": objects.namespace(), "kind": kind, "name": name});
    let chain = json!([
        owner("ReplicaSet", &pod["metadata"]["ownerReferences"][0]["name"]),
        owner("Deployment", &json!("shop")),
    ]);
    ensure_eq!(status["kubernetesContext"]["ownerChain"], chain);
    Ok(())
}

/// The context of a workload, once so many of its pods are ready.
async fn context_of(
    ctx: &Ctx,
    kind: &str,
    replicas: Option<u32>,
    ready: Value,
) -> Result<Value, kindwright::Failure> {
    let objects = ctx.objects().label(ENVIRONMENT, "production");
    objects.create(workload(ctx, kind, replicas)?).await?;
    objects.until_matching(["apps/v1", kind, "shop"], json!({"status": ready}), SOON * 2).await?;
    let mut status = process(&objects, signal(ctx, &objects, "critical", kind, "shop")).await?;
    ensure_eq!(status["priorityAssignment"]["priority"], json!("P0"));
    ensure_eq!(status["kubernetesContext"]["degradedMode"], json!(false));
    Ok(status["kubernetesContext"].take())
}

async fn a_stateful_set_is_known_with_its_replicas(ctx: Ctx) -> CaseResult {
    let ready = json!({"readyReplicas": 2});
    let context = context_of(&ctx, "StatefulSet", Some(2), ready).await?;
    let known = &context["statefulSet"];
    ensure_eq!([&known["replicas"], &known["readyReplicas"]], [&json!(2), &json!(2)]);
    ensure_eq!(known["labels"], json!({"app": "shop"}));
    Ok(())
}

async fn a_daemon_set_is_known_with_its_numbers(ctx: Ctx) -> CaseResult {
    let context = context_of(&ctx, "DaemonSet", None, json!({"numberReady": 1})).await?;
    let known = &context["daemonSet"];
    ensure_eq!([&known["desiredNumberScheduled"], &known["numberReady"]], [&json!(1), &json!(1)]);
    Ok(())
}

async fn a_replica_set_is_known_with_its_replicas(ctx: Ctx) -> CaseResult {
    let ready = json!({"readyReplicas": 1});
    let context = context_of(&ctx, "ReplicaSet", Some(1), ready).await?;
    let known = &context["replicaSet"];
    ensure_eq!([&known["replicas"], &known["readyReplicas"]], [&json!(1), &json!(1)]);
    Ok(())
}

async fn a_deployment_is_known_with_its_replicas(ctx: Ctx) -> CaseResult {
    let ready = json!({"availableReplicas": 3});
    let context = context_of(&ctx, "Deployment", Some(3), ready).await?;
    let known = &context["deployment"];
    ensure_eq!([&known["replicas"], &known["availableReplicas"]], [&json!(3), &json!(3)]);
    Ok(())
}

async fn a_service_is_known_with_its_ports(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    let service = objects
        .create(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "shop"},
            "spec": {
                "selector": {"app": "shop"},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
            },
        }))
        .await?;
    let status = process(objects, signal(&ctx, objects, "critical", "Service", "shop")).await?;
    let known = &status["kubernetesContext"]["service"];
    ensure_eq!(known["type"], json!("ClusterIP"));
    ensure_eq!(known["clusterIP"], service["spec"]["clusterIP"]);
    let port = json!({"name": "http", "port": 80, "targetPort": "8080", "protocol": "TCP"});
    ensure_eq!(known["ports"], json!([port]));
    Ok(())
}

async fn a_node_is_known_with_its_conditions(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    let pod = make_pod(&ctx, objects).await?;
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    let status = process(objects, signal(&ctx, objects, "warning", "Node", node)).await?;
    let conditions = status["kubernetesContext"]["node"]["conditions"].as_array().cloned();
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    ensure!(conditions.iter().flatten().any(ready), "it is not ready: {conditions:?}");
    Ok(())
}

async fn an_attempt_after_others_knows_of_them(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    let (name, target) = (ctx.correlation_id(), json!({"kind": "Pod", "name": "gone"}));
    let request = json!({
        "apiVersion": super::VERSION,
        "kind": "RemediationRequest",
        "metadata": {"name": name},
        "spec": {
            "signalFingerprint": "0123456789abcdef".repeat(4), "signalName": "HighMemoryUsage",
            "severity": "critical", "signalType": "prometheus-alert", "targetType": "kubernetes",
            "targetResource": target, "firingTime": "2026-01-01T00:00:00Z",
            "receivedTime": "2026-01-01T00:00:00Z",
        },
    });
    objects.create(request).await?;
    let failed = json!({"status": {
        "recoveryAttempts": 2, "failureReason": "it was too slow", "startTime": "2026-01-01T00:00:00Z",
    }});
    objects.merge_status([super::VERSION, "RemediationRequest", name], &failed).await?;
    let status = process(objects, signal(&ctx, objects, "critical", "Pod", "gone")).await?;
    let recovery = &status["recoveryContext"];
    ensure_eq!(recovery["attemptCount"], json!(2));
    ensure_eq!(recovery["lastFailureReason"], json!("it was too slow"));
    ensure_eq!(recovery["previousRemediationId"], json!(name));
    ensure!(recovery["timeSinceFirstFailure"].is_string(), "no time: {recovery}");
    Ok(())
}
