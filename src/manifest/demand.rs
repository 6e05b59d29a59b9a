//! What the pods of a suite ask of the nodes of a cluster together.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{Requests, pod_spec, text_at};

/// How many pods of a workload are listed one by one: more than clusters of containers hold.
const LISTED: u64 = 10_000;

/// What pods ask of nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Sum")]
pub(crate) struct Demand {
    /// What each of the pods asks for that are put on one node or another.
    pub(crate) pods: Vec<Requests>,
    /// What those ask of every node that are on each of them.
    pub(crate) everywhere: Requests,
}

impl Demand {
    /// That of the pods which some objects make.
    pub(crate) fn of<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut demand = Self::default();
        for object in objects {
            let Some(pod) = pod_spec(object) else { continue };
            let pod = Requests::of_pod(pod);
            if text_at(object, "/kind") == "DaemonSet" {
                demand.everywhere = demand.everywhere.plus(pod);
            } else {
                demand.add(pod, count(object));
            }
        }
        demand
    }

    /// Adds so many pods of one kind.
    pub(crate) fn add(&mut self, pod: Requests, count: u64) {
        let listed = count.min(LISTED);
        self.pods.extend((0..listed).map(|_| pod));
        // No cluster of ours has room for these.
        if count > listed {
            self.pods.push(pod.times(count - listed));
        }
    }

    /// All of it, of so many nodes.
    pub(crate) fn total(&self, nodes: usize) -> Requests {
        let everywhere = self.everywhere.times(nodes as u64);
        self.pods.iter().copied().fold(everywhere, Requests::plus)
    }
}

/// A demand as people and programs read it.
#[derive(Serialize)]
struct Sum {
    #[serde(flatten)]
    somewhere: Requests,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_each_node: Option<Requests>,
}

impl From<Demand> for Sum {
    fn from(demand: Demand) -> Self {
        let everywhere = demand.everywhere;
        Self {
            somewhere: demand.pods.into_iter().fold(Requests::default(), Requests::plus),
            on_each_node: (everywhere != Requests::default()).then_some(everywhere),
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sum { somewhere, on_each_node } = self.clone().into();
        write!(f, "{somewhere}")?;
        on_each_node.map_or(Ok(()), |each| write!(f, ", and {each} on each node"))
    }
}

/// How many pods of an object are there at a time.
fn count(object: &Value) -> u64 {
    let number = |path: &str| object.pointer(path).and_then(Value::as_u64);
    match text_at(object, "/kind") {
        "Job" => {
            let parallel = number("/spec/parallelism").unwrap_or(1);
            number("/spec/completions").map_or(parallel, |completions| parallel.min(completions))
        }
        _ => number("/spec/replicas").unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An object whose pods ask for 10m each.
    fn object(kind: &str, mut spec: Value) -> Value {
        let containers = json!([{"resources": {"requests": {"cpu": "10m"}}}]);
        spec["template"] = json!({"spec": {"containers": containers}});
        json!({"kind": kind, "spec": spec})
    }

    #[test]
    fn an_object_asks_for_as_many_pods_as_it_has_at_a_time() {
        for (kind, spec, pods) in [
            ("Deployment", json!({}), 1),
            ("StatefulSet", json!({"replicas": 3}), 3),
            ("Deployment", json!({"replicas": 0}), 0),
            ("Job", json!({"completions": 5}), 1),
            ("Job", json!({"completions": 5, "parallelism": 2}), 2),
            ("Job", json!({"completions": 1, "parallelism": 2}), 1),
        ] {
            let demand = Demand::of([&object(kind, spec.clone())]);
            let total = Requests { cpu: 10 * pods, memory: 0, pods };
            assert_eq!(demand.total(7), total, "{kind} {spec}");
        }
    }

    #[test]
    fn a_daemon_set_asks_for_a_pod_of_every_node() {
        let objects = [object("DaemonSet", json!({})), object("Deployment", json!({}))];
        let demand = Demand::of(&objects);
        assert_eq!(demand.total(3), Requests { cpu: 40, memory: 0, pods: 4 });
        let words = "10m of cpu, 0 MiB of memory, 1 pod, and 10m of cpu, 0 MiB of memory, 1 pod on each node";
        assert_eq!(demand.to_string(), words);
        let one = json!({"cpu": "10m", "memory": "0", "pods": 1});
        let mut both = one.clone();
        both["on_each_node"] = one;
        assert_eq!(serde_json::to_value(demand).unwrap(), both);
    }

    #[test]
    fn replicas_that_no_cluster_holds_are_counted_and_not_listed() {
        let deployment = object("Deployment", json!({"replicas": 100_000_000}));
        let demand = Demand::of([&deployment]);
        assert_eq!(demand.pods.len(), 10_001);
        assert_eq!(demand.total(1).cpu, 1_000_000_000);
    }
}
