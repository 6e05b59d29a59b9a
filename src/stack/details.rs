//! Asks the server for what explains how a pod stands: warnings, claims, the last lines of its log.

use k8s_openapi::api::{
    core::v1::{Event, PersistentVolumeClaim, Pod},
    storage::v1::StorageClass,
};
use kube::{Api, Client, ResourceExt, api::ListParams};

use crate::{
    pod_logs::{self, Extent},
    text::listed,
};

/// How much of a log a message shows.
const EXTENT: Extent = Extent { lines: 8, bytes: 1 << 13, ..Extent::WHOLE };

/// The latest warning about an object for one of these reasons, or for any.
pub(super) async fn warning(
    client: &Client,
    namespace: &str,
    object: &str,
    reasons: &[&str],
) -> Result<Option<String>, kube::Error> {
    let of_these = |event: &Event| {
        reasons.is_empty() || event.reason.as_deref().is_some_and(|it| reasons.contains(&it))
    };
    let warnings = warnings(client, namespace, object).await?;
    Ok(warnings.into_iter().rfind(of_these).and_then(|event| event.message))
}

async fn warnings(
    client: &Client,
    namespace: &str,
    object: &str,
) -> Result<Vec<Event>, kube::Error> {
    let of_object = format!("involvedObject.name={object},type=Warning");
    let events = Api::<Event>::namespaced(client.clone(), namespace);
    let list = events.list(&ListParams::default().fields(&of_object)).await?;
    Ok(list.items)
}

/// The claims of a pod that are not bound yet, in words.
pub(super) async fn unbound(
    client: &Client,
    namespace: &str,
    pod: &Pod,
) -> Result<Option<String>, kube::Error> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let names = volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref());
    let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), namespace);
    let mut waiting = Vec::new();
    for name in names.map(|claim| &claim.claim_name) {
        let words = match claims.get_opt(name).await? {
            None => format!("the claim `{name}`, which does not exist"),
            Some(claim) => match waits(&claim) {
                None => continue,
                Some(words) => {
                    let warning = warning(client, namespace, name, &[]).await?;
                    let reasons = no_class(client, &claim).await.into_iter().chain(warning);
                    reasons.fold(words, |words, reason| format!("{words}: {reason}"))
                }
            },
        };
        waiting.push(words);
    }
    Ok((!waiting.is_empty()).then(|| format!("its pod waits for {}", waiting.join(" and "))))
}

/// That the cluster does not have the class of a claim, with the next step, as far as the server says it.
async fn no_class(client: &Client, claim: &PersistentVolumeClaim) -> Option<String> {
    let class = class_of(claim)?;
    let classes = Api::<StorageClass>::all(client.clone());
    let known = classes.list(&ListParams::default()).await.ok()?;
    let known: Vec<_> = known.iter().map(ResourceExt::name_any).collect();
    lacking(class, &known)
}

fn lacking(class: &str, known: &[String]) -> Option<String> {
    let lacks = known.iter().all(|known| known != class);
    let known = listed(known.iter().map(|known| format!("`{known}`")));
    lacks.then(|| format!("the cluster has no such class (it has {known}); name one of these, or add one with `.resources(..)`"))
}

fn class_of(claim: &PersistentVolumeClaim) -> Option<&str> {
    let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
    class.filter(|class| !class.is_empty())
}

/// A claim that is not bound, with its class.
fn waits(claim: &PersistentVolumeClaim) -> Option<String> {
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
    if phase == Some("Bound") {
        return None;
    }
    let class = class_of(claim)
        .map_or_else(|| "of no class".to_owned(), |class| format!("of class `{class}`"));
    Some(format!("the claim `{}` {class}, which is not bound", claim.name_any()))
}

/// The last warnings and log lines of a pod, for a message; never an error of its own.
pub(super) async fn evidence(client: &Client, namespace: &str, pod: Option<&Pod>) -> Vec<String> {
    let Some(pod) = pod else { return Vec::new() };
    let mut lines = Vec::new();
    let warnings = warnings(client, namespace, &pod.name_any()).await.unwrap_or_default();
    for event in warnings.iter().rev().take(2).rev() {
        let reason = event.reason.as_deref().unwrap_or_default();
        let words = event.message.as_deref().unwrap_or_default();
        lines.push(format!("event {reason}: {}", words.trim()));
    }
    for container in pod_logs::containers(pod).filter(|container| !container.ready) {
        let Some(run) = pod_logs::runs(container).next() else { continue };
        if let Ok(log) = pod_logs::read(client, pod, &container.name, run, EXTENT).await
            && !log.trim().is_empty()
        {
            lines.push(format!("the last lines of `{}`:", container.name));
            lines.extend(log.lines().map(|line| format!("  {line}")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(phase: &str, class: &str) -> PersistentVolumeClaim {
        serde_json::from_value(json!({
            "metadata": {"name": "data"},
            "spec": {"storageClassName": class},
            "status": {"phase": phase},
        }))
        .unwrap()
    }

    #[test]
    fn a_claim_that_is_not_bound_is_named_with_its_class() {
        assert_eq!(waits(&claim("Bound", "fast")), None);
        assert_eq!(
            waits(&claim("Pending", "fast")).as_deref(),
            Some("the claim `data` of class `fast`, which is not bound")
        );
        assert_eq!(
            waits(&claim("Pending", "")).as_deref(),
            Some("the claim `data` of no class, which is not bound")
        );
    }

    #[test]
    fn a_class_that_the_cluster_does_not_have_is_told_with_those_that_it_has() {
        let known = ["standard".to_owned()];
        assert_eq!(lacking("standard", &known), None);
        assert_eq!(
            lacking("fast", &known).as_deref(),
            Some(
                "the cluster has no such class (it has `standard`); name one of these, or add one with `.resources(..)`"
            )
        );
    }
}
