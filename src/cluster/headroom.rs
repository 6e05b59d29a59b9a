//! How much of each node is left for suites: what it has, less what others ask for.

use k8s_openapi::api::{
    apps::v1::{DaemonSet, Deployment, StatefulSet},
    core::v1::{Node, Pod},
};
use kube::{Api, Client, Resource, api::ListParams};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::manifest::{Demand, Requests, quantity, text_at};

/// What controllers make, which is counted by what they will make: a new cluster has an object for
/// its DNS before it has the pods.
const CONTROLLED: [&str; 3] = ["ReplicaSet", "StatefulSet", "DaemonSet"];

/// What is left of each node that takes pods, beside those of `own` namespaces.
pub(super) async fn left(client: &Client, own: &[&str]) -> Result<Vec<Requests>, kube::Error> {
    let (mut nodes, mut pods, mut objects, sets, mut everywhere) = tokio::try_join!(
        all::<Node>(client),
        all::<Pod>(client),
        all::<Deployment>(client),
        all::<StatefulSet>(client),
        all::<DaemonSet>(client),
    )?;
    nodes.retain(takes_pods);
    pods.retain(stands_alone);
    objects.extend(sets);
    for list in [&mut pods, &mut objects, &mut everywhere] {
        list.retain(|object| !own.contains(&text_at(object, "/metadata/namespace")));
    }
    Ok(remainder(&nodes, &pods, &objects, &everywhere))
}

async fn all<K>(client: &Client) -> Result<Vec<Value>, kube::Error>
where
    K: Clone + DeserializeOwned + Resource<DynamicType = ()> + Serialize + std::fmt::Debug,
{
    let list = Api::<K>::all(client.clone()).list(&ListParams::default()).await?;
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

/// What nodes have, less the pods that are on each, those that are on every node, and those that
/// controllers will make somewhere, which are taken from whichever node has most left.
fn remainder(
    nodes: &[Value],
    pods: &[Value],
    objects: &[Value],
    everywhere: &[Value],
) -> Vec<Requests> {
    let daemons = Demand::of(everywhere).everywhere;
    let mut left: Vec<Requests> = Vec::new();
    for node in nodes {
        let name = text_at(node, "/metadata/name");
        let here = |pod: &&Value| text_at(pod, "/spec/nodeName") == name;
        let own = Demand::of(pods.iter().filter(here)).total(1);
        left.push(allocatable(node).less(own).less(daemons));
    }
    let nowhere = pods.iter().filter(|pod| text_at(pod, "/spec/nodeName").is_empty());
    for pod in Demand::of(nowhere.chain(objects)).pods {
        if let Some(most) = left.iter_mut().max_by_key(|node| node.cpu) {
            *most = most.less(pod);
        }
    }
    left
}

fn allocatable(node: &Value) -> Requests {
    let of = |resource: &str| {
        node.pointer(&format!("/status/allocatable/{resource}")).and_then(quantity).unwrap_or(0)
    };
    Requests { cpu: of("cpu"), memory: of("memory") / 1000, pods: of("pods") / 1000 }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pods(cpu: &str) -> Value {
        json!({"containers": [{"resources": {"requests": {"cpu": cpu, "memory": "1Mi"}}}]})
    }

    fn node(name: &str) -> Value {
        let allocatable = json!({"cpu": "2", "memory": "8Mi", "pods": "110"});
        json!({"metadata": {"name": name}, "status": {"allocatable": allocatable}})
    }

    #[test]
    fn what_is_to_come_is_counted_before_it_is_there() {
        let mut alone = json!({"kind": "Pod", "spec": pods("250m")});
        let objects = [
            json!({"kind": "Deployment", "spec": {"replicas": 2, "template": {"spec": pods("100m")}}}),
        ];
        let everywhere =
            [json!({"kind": "DaemonSet", "spec": {"template": {"spec": pods("100m")}}})];
        let left = remainder(&[node("a")], &[alone.clone()], &objects, &everywhere);
        assert_eq!(left, [Requests { cpu: 1450, memory: 4 << 20, pods: 106 }]);
        alone["spec"]["nodeName"] = json!("b");
        let left = remainder(&[node("a"), node("b")], &[alone], &[], &everywhere);
        let left: Vec<_> = left.iter().map(|node| (node.cpu, node.pods)).collect();
        assert_eq!(left, [(1900, 109), (1650, 108)]);
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
