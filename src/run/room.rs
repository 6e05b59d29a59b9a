//! How much of a cluster is left for suites: what its nodes have, less what others ask for.

use k8s_openapi::api::{
    apps::v1::{DaemonSet, Deployment, StatefulSet},
    core::v1::{Node, Pod},
};
use kube::{Api, Resource, api::ListParams};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    cluster::{Cluster, ClusterError},
    plan::{Plan, Requests, quantity, requests},
};

/// What controllers make, which is counted by what they will make: a new cluster has an object for
/// its DNS before it has the pods.
const CONTROLLED: [&str; 3] = ["ReplicaSet", "StatefulSet", "DaemonSet"];

/// The room that a cluster has for the suites of a plan.
pub(super) async fn room(cluster: &Cluster, plan: &Plan) -> Result<Requests, ClusterError> {
    let mut nodes = all::<Node>(cluster).await?;
    nodes.retain(takes_pods);
    let mut objects = all::<Pod>(cluster).await?;
    objects.retain(stands_alone);
    objects.extend(all::<Deployment>(cluster).await?);
    objects.extend(all::<StatefulSet>(cluster).await?);
    for set in all::<DaemonSet>(cluster).await? {
        objects.extend(nodes.iter().map(|_| set.clone()));
    }
    objects.retain(|object| {
        let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str);
        plan.suites.iter().all(|suite| Some(suite.namespace.as_str()) != namespace)
    });
    Ok(left(&nodes, &objects))
}

async fn all<K>(cluster: &Cluster) -> Result<Vec<Value>, ClusterError>
where
    K: Clone + DeserializeOwned + Resource<DynamicType = ()> + Serialize + std::fmt::Debug,
{
    let fail = |source| ClusterError::Api {
        what: "read the room",
        name: cluster.name().to_string(),
        source: Box::new(source),
    };
    let api = Api::<K>::all(cluster.client());
    let list = api.list(&ListParams::default()).await.map_err(fail)?;
    // What came as JSON can be written as JSON.
    Ok(list.items.iter().filter_map(|item| serde_json::to_value(item).ok()).collect())
}

/// Taints that stand for a condition: a new node may have one for a moment after it is ready.
const CONDITION: &str = "node.kubernetes.io/";

/// Whether a node takes any pod: that of the control plane does not where there are others.
fn takes_pods(node: &Value) -> bool {
    let taints = node.pointer("/spec/taints").and_then(Value::as_array);
    let repels = |taint: &Value| {
        let passing = taint["key"].as_str().is_some_and(|key| key.starts_with(CONDITION));
        !passing && (taint["effect"] == "NoSchedule" || taint["effect"] == "NoExecute")
    };
    node.pointer("/spec/unschedulable") != Some(&Value::Bool(true))
        && !taints.into_iter().flatten().any(repels)
}

/// Whether a pod is still to end, and no controller's.
fn stands_alone(pod: &Value) -> bool {
    let ended = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let controlled = owners
        .into_iter()
        .flatten()
        .any(|owner| CONTROLLED.iter().any(|kind| owner["kind"] == *kind));
    !ended && !controlled
}

/// What nodes have, less what objects ask for.
fn left(nodes: &[Value], objects: &[Value]) -> Requests {
    let allocatable = |resource: &str| -> u64 {
        let path = format!("/status/allocatable/{resource}");
        nodes.iter().filter_map(|node| quantity(node.pointer(&path)?)).sum()
    };
    let taken = requests(objects);
    Requests {
        cpu: allocatable("cpu").saturating_sub(taken.cpu),
        memory: (allocatable("memory") / 1000).saturating_sub(taken.memory),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pods(cpu: &str) -> Value {
        json!({"containers": [{"resources": {"requests": {"cpu": cpu, "memory": "1Mi"}}}]})
    }

    #[test]
    fn what_is_to_come_is_counted_before_it_is_there() {
        let node = json!({"status": {"allocatable": {"cpu": "2", "memory": "8Mi"}}});
        let objects = [
            json!({"kind": "Pod", "spec": pods("250m")}),
            json!({"kind": "Deployment", "spec": {"replicas": 2, "template": {"spec": pods("100m")}}}),
            json!({"kind": "DaemonSet", "spec": {"template": {"spec": pods("100m")}}}),
        ];
        assert_eq!(left(&[node], &objects), Requests { cpu: 1450, memory: 4 << 20 });
    }

    #[test]
    fn a_node_that_takes_no_pod_is_no_room() {
        let tainted = |effect: &str| json!({"spec": {"taints": [{"key": "x", "effect": effect}]}});
        assert!(!takes_pods(&tainted("NoSchedule")));
        assert!(takes_pods(&tainted("PreferNoSchedule")));
        assert!(!takes_pods(&json!({"spec": {"unschedulable": true}})));
        assert!(takes_pods(&json!({"spec": {}})));
        let new = json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"});
        assert!(takes_pods(&json!({"spec": {"taints": [new]}})));
    }

    #[test]
    fn a_pod_of_a_controller_is_counted_with_it() {
        let pod = |kind: &str, phase: &str| json!({"metadata": {"ownerReferences": [{"kind": kind}]}, "status": {"phase": phase}});
        assert!(stands_alone(&pod("Node", "Running")), "as the API server's");
        assert!(stands_alone(&pod("Job", "Pending")));
        assert!(!stands_alone(&pod("Job", "Succeeded")));
        assert!(!stands_alone(&pod("ReplicaSet", "Running")));
        assert!(stands_alone(&json!({})));
    }
}
