//! What surrounds a target, in the versions that the server serves (BR-SP-101).

use kindwright::{Case, CaseResult, Ctx, Failure, Objects, cases, ensure_eq};
use serde_json::{Value, json};

use super::{make_pod, process, signal, workload};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_pod_with_a_budget_is_protected,
        a_deployment_with_an_autoscaler_is_scaled,
        a_pod_that_nothing_surrounds_has_limits_only,
        a_namespace_with_a_network_policy_is_isolated,
    ]
}

async fn detected(ctx: &Ctx, objects: &Objects, kind: &str) -> Result<Value, Failure> {
    let mut status = process(objects, signal(ctx, objects, "critical", kind, "shop")).await?;
    Ok(status["kubernetesContext"]["detectedLabels"].take())
}

/// Makes an object in the first of these versions that the server serves.
async fn make(objects: &Objects, versions: [&str; 2], mut object: Value) -> CaseResult {
    object["apiVersion"] = json!(versions[0]);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    if objects.list([versions[0], &kind]).await.is_err() {
        object["apiVersion"] = json!(versions[1]);
    }
    objects.create(object).await?;
    Ok(())
}

async fn a_pod_with_a_budget_is_protected(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    make_pod(&ctx, objects).await?;
    let budget = json!({
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "shop"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "shop"}}},
    });
    make(objects, ["policy/v1", "policy/v1beta1"], budget).await?;
    ensure_eq!(detected(&ctx, objects, "Pod").await?["hasPDB"], json!(true));
    Ok(())
}

async fn a_deployment_with_an_autoscaler_is_scaled(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    objects.create(workload(&ctx, "Deployment", Some(0))?).await?;
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"});
    let scaler = json!({
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "shop"},
        "spec": {"minReplicas": 1, "maxReplicas": 2, "scaleTargetRef": target},
    });
    objects.create(scaler).await?;
    ensure_eq!(detected(&ctx, objects, "Deployment").await?["hasHPA"], json!(true));
    Ok(())
}

async fn a_pod_that_nothing_surrounds_has_limits_only(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    make_pod(&ctx, objects).await?;
    let limits_only = json!({
        "isProduction": false, "hasResourceLimits": true, "helmManaged": false,
        "gitOpsManaged": false, "hasPDB": false, "hasHPA": false, "networkIsolated": false,
        "serviceMesh": false,
    });
    ensure_eq!(detected(&ctx, objects, "Pod").await?, limits_only);
    Ok(())
}

async fn a_namespace_with_a_network_policy_is_isolated(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    make_pod(&ctx, objects).await?;
    let policy = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "shop"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    });
    objects.create(policy).await?;
    ensure_eq!(detected(&ctx, objects, "Pod").await?["networkIsolated"], json!(true));
    Ok(())
}
