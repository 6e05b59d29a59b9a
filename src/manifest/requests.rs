//! What a pod asks of a node, read from its manifest.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{pod_spec, quantity, text_at};

/// Where a container says what it asks for: what it may take at most is asked for if nothing else is said.
const KINDS: [&str; 2] = ["requests", "limits"];
const RESOURCES: [&str; 2] = ["cpu", "memory"];

const MEBIBYTE: u64 = 1 << 20;

/// What pods ask of a node, or what a node has: thousandths of a core, bytes, and pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Quantities")]
pub(crate) struct Requests {
    pub(crate) cpu: u64,
    pub(crate) memory: u64,
    pub(crate) pods: u64,
}

impl Requests {
    /// What a pod asks for: its containers together, or what its initialisation needs at a time if that is more.
    pub(crate) fn of_pod(pod: &Value) -> Self {
        let (mut beside, mut most) = (Self::default(), Self::default());
        for container in list(pod, "initContainers") {
            let with = beside.plus(of_container(container));
            most = most.or_more(with);
            // A sidecar goes on beside all that start after it.
            if container["restartPolicy"] == "Always" {
                beside = with;
            }
        }
        let containers = list(pod, "containers").iter().map(of_container);
        Self { pods: 1, ..containers.fold(beside, Self::plus).or_more(most) }
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_add(other.cpu),
            memory: self.memory.saturating_add(other.memory),
            pods: self.pods.saturating_add(other.pods),
        }
    }

    /// What is left of it.
    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(other.cpu),
            memory: self.memory.saturating_sub(other.memory),
            pods: self.pods.saturating_sub(other.pods),
        }
    }

    /// Whether it is no more than `other` in anything.
    pub(crate) fn fits(self, other: Self) -> bool {
        self.beyond(other).is_empty()
    }

    /// In what it is more than `other`, in the words of Kubernetes' scheduler.
    pub(crate) fn beyond(self, other: Self) -> Vec<&'static str> {
        let all = [
            (self.cpu > other.cpu, "insufficient cpu"),
            (self.memory > other.memory, "insufficient memory"),
            (self.pods > other.pods, "too many pods"),
        ];
        all.into_iter().filter_map(|(more, words)| more.then_some(words)).collect()
    }

    /// The larger of both, in everything.
    fn or_more(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.max(other.cpu),
            memory: self.memory.max(other.memory),
            pods: self.pods.max(other.pods),
        }
    }

    /// So many times as much.
    pub(super) fn times(self, count: u64) -> Self {
        Self {
            cpu: self.cpu.saturating_mul(count),
            memory: self.memory.saturating_mul(count),
            pods: self.pods.saturating_mul(count),
        }
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, memory, pods } = self;
        let noun = if *pods == 1 { "pod" } else { "pods" };
        write!(f, "{cpu}m of cpu, {} MiB of memory, {pods} {noun}", memory.div_ceil(MEBIBYTE))
    }
}

/// Requests as the quantities of Kubernetes.
#[derive(Serialize)]
struct Quantities {
    cpu: String,
    memory: String,
    pods: u64,
}

impl From<Requests> for Quantities {
    fn from(Requests { cpu, memory, pods }: Requests) -> Self {
        Self { cpu: format!("{cpu}m"), memory: memory.to_string(), pods }
    }
}

fn of_container(container: &Value) -> Requests {
    let of = |resource: &str| {
        let given = KINDS.iter().find_map(|kind| container.pointer(&path(kind, resource)));
        given.and_then(quantity).unwrap_or(0)
    };
    Requests { cpu: of("cpu"), memory: of("memory") / 1000, pods: 0 }
}

/// What a container asks for in words that are no quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoQuantity {
    pub(crate) container: String,
    /// The field, as `resources.requests.cpu`.
    pub(crate) field: String,
    pub(crate) text: String,
}

/// What the containers of an object ask for that cannot be read.
pub(crate) fn no_quantities(object: &Value) -> Vec<NoQuantity> {
    let mut found = Vec::new();
    let containers = pod_spec(object)
        .into_iter()
        .flat_map(|pod| ["initContainers", "containers"].map(|field| list(pod, field)))
        .flatten();
    for container in containers {
        for (kind, resource) in KINDS.iter().flat_map(|kind| RESOURCES.map(|it| (kind, it))) {
            let path = path(kind, resource);
            let given = container.pointer(&path).filter(|given| quantity(given).is_none());
            found.extend(given.map(|given| NoQuantity {
                container: text_at(container, "/name").to_owned(),
                field: path[1..].replace('/', "."),
                text: text(given),
            }));
        }
    }
    found
}

fn path(kind: &str, resource: &str) -> String {
    format!("/resources/{kind}/{resource}")
}

fn list<'a>(pod: &'a Value, field: &str) -> &'a [Value] {
    pod[field].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A container that asks for so many thousandths of a core.
    fn container(cpu: u32) -> Value {
        json!({"resources": {"requests": {"cpu": format!("{cpu}m")}}})
    }

    #[test]
    fn requests_fall_back_to_limits() {
        let resources = json!({"requests": {"cpu": "250m"}, "limits": {"cpu": 1, "memory": "1Mi"}});
        let pod = Requests::of_pod(&json!({"containers": [{"resources": resources}]}));
        assert_eq!(pod, Requests { cpu: 250, memory: 1 << 20, pods: 1 });
    }

    #[test]
    fn a_pod_asks_for_what_its_initialisation_needs_if_that_is_more() {
        let cpu = |init: Value| {
            let containers = [container(100), container(50)];
            Requests::of_pod(&json!({"initContainers": init, "containers": containers})).cpu
        };
        assert_eq!(cpu(json!([container(120), container(80)])), 150);
        assert_eq!(cpu(json!([container(20), container(400)])), 400);
        let mut sidecar = container(300);
        sidecar["restartPolicy"] = json!("Always");
        assert_eq!(cpu(json!([container(400), sidecar])), 450, "it goes on beside the others");
        assert_eq!(cpu(json!([sidecar, container(400)])), 700, "it is there before");
    }

    #[test]
    fn requests_are_told_as_people_and_programs_read_quantities() {
        let pod = Requests { cpu: 250, memory: (1 << 20) + 1, pods: 1 };
        assert_eq!(pod.to_string(), "250m of cpu, 2 MiB of memory, 1 pod");
        let json = serde_json::to_value(pod).unwrap();
        assert_eq!(json, json!({"cpu": "250m", "memory": "1048577", "pods": 1}));
        let little = Requests { cpu: 100, memory: 1 << 30, pods: 0 };
        assert_eq!(pod.beyond(little), ["insufficient cpu", "too many pods"]);
    }
}
