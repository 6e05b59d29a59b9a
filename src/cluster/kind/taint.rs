//! Takes the taint of a control plane away where kind's own removal of it was undone.

use k8s_openapi::api::core::v1::{Node, Taint};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::wait::{self, Limit, Poll, WaitError};

/// How long a node may keep a taint after it is ready: its controller takes away those that stand
/// for a condition within a second or two.
const LIMIT: Limit = Limit::seconds(60);

/// The taint that kubeadm gives a control plane, before Kubernetes 1.24 and since.
const ROLES: [&str; 2] =
    ["node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"];

/// Waits until a node takes pods.
///
/// The node controller of servers before 1.26 writes the list of taints back without asking whether
/// it changed since it was read (kubernetes/kubernetes#113136): the taint of a role that kind takes
/// away while the controller takes away that of a new node may come back, and would stay.
pub(super) async fn lift(client: &Client) -> Result<(), WaitError<kube::Error>> {
    let nodes = Api::<Node>::all(client.clone());
    wait::until("that a node takes pods", LIMIT, async || {
        let list = match nodes.list(&ListParams::default()).await {
            Ok(list) => list.items,
            Err(error) => return Ok(Poll::NotYet(format!("its nodes: {error}"))),
        };
        if list.iter().any(|node| taints(node).is_empty()) {
            return Ok(Poll::Ready(()));
        }
        for (name, patch) in freed(&list) {
            // Somebody else may have changed the node; the next look tells.
            let _ = nodes.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await;
        }
        let keys = list.iter().flat_map(taints).map(|taint| format!("`{}`", taint.key));
        Ok(Poll::NotYet(format!("every node is tainted: {}", keys.collect::<Vec<_>>().join(", "))))
    })
    .await
}

/// The taints of a node that keep pods away.
fn taints(node: &Node) -> Vec<&Taint> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    taints.into_iter().flatten().filter(|taint| taint.effect != "PreferNoSchedule").collect()
}

/// The nodes to free of the taint of a role: all of a cluster without workers. With workers kind leaves it, and
/// these only take a moment.
fn freed(nodes: &[Node]) -> Vec<(String, Value)> {
    let freed: Option<Vec<_>> = nodes.iter().map(without_role).collect();
    freed.unwrap_or_default()
}

/// The name of a node that has the taint of a role, and what takes that away and nothing else.
fn without_role(node: &Node) -> Option<(String, Value)> {
    let taints = node.spec.as_ref()?.taints.as_ref()?;
    let kept: Vec<_> = taints.iter().filter(|taint| !ROLES.contains(&taint.key.as_str())).collect();
    let version = node.metadata.resource_version.as_ref()?;
    let patch = json!({"metadata": {"resourceVersion": version}, "spec": {"taints": kept}});
    (kept.len() < taints.len()).then_some((node.metadata.name.clone()?, patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(taints: &Value) -> Node {
        let metadata = json!({"name": "kw-1-control-plane", "resourceVersion": "7"});
        serde_json::from_value(json!({"metadata": metadata, "spec": {"taints": taints}})).unwrap()
    }

    #[test]
    fn the_taint_of_a_role_goes_and_every_other_stays() {
        let own = json!({"key": "gpu", "effect": "NoSchedule"});
        for role in ROLES {
            let role = json!({"key": role, "effect": "NoSchedule"});
            let (name, patch) = without_role(&node(&json!([role, own]))).unwrap();
            assert_eq!(name, "kw-1-control-plane");
            assert_eq!(patch["spec"]["taints"], json!([own]));
            assert_eq!(patch["metadata"]["resourceVersion"], "7", "or another's change is lost");
        }
        assert_eq!(without_role(&node(&json!([own]))), None);
        assert_eq!(without_role(&Node::default()), None);
    }

    #[test]
    fn a_control_plane_keeps_its_taint_beside_a_worker_that_does_not_take_pods_yet() {
        let role = node(&json!([{"key": ROLES[0], "effect": "NoSchedule"}]));
        let new = json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]);
        assert_eq!(freed(&[role.clone(), node(&new)]), []);
        assert_eq!(freed(&[role.clone(), role]).len(), 2);
    }

    #[test]
    fn a_node_takes_pods_once_no_taint_repels_them() {
        assert!(taints(&Node::default()).is_empty());
        assert!(taints(&node(&json!([{"key": "a", "effect": "PreferNoSchedule"}]))).is_empty());
        let new = json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]);
        assert_eq!(taints(&node(&new)).len(), 1);
    }
}
