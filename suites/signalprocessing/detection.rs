//! What surrounds a target, in the versions that the server serves, and what it says of itself (BR-SP-101, supplement 6.5).

use kindwright::{Case, CaseResult, Ctx, Failure, Objects, cases, ensure_eq};
use serde_json::{Value, json};

use super::{ENVIRONMENT, make_owned_pod, make_pod, name, pod, process, signal, workload};

/// A target that bears a mark, and the label that is detected by it.
#[derive(Clone, Copy)]
struct Marked {
    /// What is so, as its name says it.
    what: &'static str,
    kind: &'static str,
    /// Whether it is among its `labels` or its `annotations`.
    place: &'static str,
    mark: [&'static str; 2],
    label: &'static str,
}

const MARKED: [Marked; 6] = [
    Marked {
        what: "a_pod_that_argo_cd_annotates_is_managed_by_git",
        kind: "Pod",
        place: "annotations",
        mark: ["argocd.argoproj.io/instance", "shop"],
        label: "gitOpsManaged",
    },
    Marked {
        what: "a_deployment_that_argo_cd_labels_is_managed_by_git",
        kind: "Deployment",
        place: "labels",
        mark: ["argocd.argoproj.io/instance", "shop"],
        label: "gitOpsManaged",
    },
    Marked {
        what: "a_deployment_that_flux_labels_is_managed_by_git",
        kind: "Deployment",
        place: "labels",
        mark: ["fluxcd.io/sync-gc-mark", "shop"],
        label: "gitOpsManaged",
    },
    Marked {
        what: "a_deployment_that_helm_labels_is_managed_by_helm",
        kind: "Deployment",
        place: "labels",
        mark: ["app.kubernetes.io/managed-by", "Helm"],
        label: "helmManaged",
    },
    Marked {
        what: "a_pod_with_a_sidecar_of_istio_is_in_a_mesh",
        kind: "Pod",
        place: "annotations",
        mark: ["sidecar.istio.io/status", "injected"],
        label: "serviceMesh",
    },
    Marked {
        what: "a_pod_with_a_sidecar_of_linkerd_is_in_a_mesh",
        kind: "Pod",
        place: "annotations",
        mark: ["linkerd.io/proxy-version", "injected"],
        label: "serviceMesh",
    },
];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let marked = MARKED.map(|it| Case::named(it.what, move |ctx| is_detected(ctx, it)));
    let production = ["production", "prod"].map(|environment| {
        let name = format!("a_target_in_{environment}_is_in_production");
        Case::named(name, move |ctx| is_in_production(ctx, environment))
    });
    cases![
        a_pod_with_a_budget_is_protected,
        a_deployment_with_an_autoscaler_is_scaled,
        a_pod_whose_owner_has_an_autoscaler_is_scaled,
        a_pod_that_nothing_surrounds_has_limits_only,
        a_namespace_with_a_network_policy_is_isolated,
    ]
    .into_iter()
    .chain(marked)
    .chain(production)
}

async fn detected(ctx: &Ctx, objects: &Objects, target: [&str; 2]) -> Result<Value, Failure> {
    let [kind, name] = target;
    let mut status = process(objects, signal(ctx, objects, "critical", kind, name)).await?;
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

/// Makes a budget for the pods of `shop`.
pub(super) async fn make_budget(objects: &Objects) -> CaseResult {
    let budget = json!({
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "shop"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "shop"}}},
    });
    make(objects, ["policy/v1", "policy/v1beta1"], budget).await
}

/// Makes an autoscaler for the Deployment `shop`.
pub(super) async fn make_autoscaler(objects: &Objects) -> CaseResult {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"});
    let scaler = json!({
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "shop"},
        "spec": {"minReplicas": 1, "maxReplicas": 2, "scaleTargetRef": target},
    });
    objects.create(scaler).await?;
    Ok(())
}

async fn a_pod_with_a_budget_is_protected(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    make_pod(&ctx, objects).await?;
    make_budget(objects).await?;
    ensure_eq!(detected(&ctx, objects, ["Pod", "shop"]).await?["hasPDB"], json!(true));
    Ok(())
}

async fn a_deployment_with_an_autoscaler_is_scaled(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    objects.create(idle(&ctx, "Deployment")?).await?;
    make_autoscaler(objects).await?;
    ensure_eq!(detected(&ctx, objects, ["Deployment", "shop"]).await?["hasHPA"], json!(true));
    Ok(())
}

async fn a_pod_whose_owner_has_an_autoscaler_is_scaled(ctx: Ctx) -> CaseResult {
    let objects = ctx.objects();
    let pod = make_owned_pod(&ctx, objects).await?;
    make_autoscaler(objects).await?;
    ensure_eq!(detected(&ctx, objects, ["Pod", name(&pod)]).await?["hasHPA"], json!(true));
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
    ensure_eq!(detected(&ctx, objects, ["Pod", "shop"]).await?, limits_only);
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
    ensure_eq!(detected(&ctx, objects, ["Pod", "shop"]).await?["networkIsolated"], json!(true));
    Ok(())
}

/// A target of this kind, called `shop`, none of whose pods runs.
fn idle(ctx: &Ctx, kind: &str) -> Result<Value, Failure> {
    if kind != "Pod" {
        return workload(ctx, kind, Some(0));
    }
    let mut pod = pod(ctx)?;
    pod["spec"]["schedulerName"] = json!("nobody");
    Ok(pod)
}

/// Fails unless a target with a mark is detected as what the mark says.
async fn is_detected(ctx: Ctx, marked: Marked) -> CaseResult {
    let Marked { kind, place, mark: [mark, value], label, .. } = marked;
    let objects = ctx.objects();
    let mut target = idle(&ctx, kind)?;
    target["metadata"][place][mark] = json!(value);
    objects.create(target).await?;
    ensure_eq!(detected(&ctx, objects, [kind, "shop"]).await?[label], json!(true));
    Ok(())
}

/// Fails unless a namespace with this label is one of production.
async fn is_in_production(ctx: Ctx, environment: &str) -> CaseResult {
    let objects = ctx.objects().label(ENVIRONMENT, environment);
    objects.create(idle(&ctx, "Deployment")?).await?;
    let detected = detected(&ctx, &objects, ["Deployment", "shop"]).await?;
    ensure_eq!(detected["isProduction"], json!(true));
    Ok(())
}
