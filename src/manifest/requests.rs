//! What the pods of a suite ask of a node, read from their manifests.

use serde_json::Value;

use super::{pod_spec, text_at};

/// Where a container says what it asks for: what it may take at most is asked for if nothing else is said.
const KINDS: [&str; 2] = ["requests", "limits"];
const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// How many pods of a workload are listed one by one: more than clusters of containers hold.
const LISTED: u64 = 10_000;

/// The units of quantities, each with how many thousandths it is: so many, divided by so many.
const UNITS: [(&str, u128, u128); 16] = [
    ("n", 1, 1_000_000),
    ("u", 1, 1000),
    ("m", 1, 1),
    ("", 1000, 1),
    ("k", 1_000_000, 1),
    ("M", 1_000_000_000, 1),
    ("G", 1_000_000_000_000, 1),
    ("T", 1_000_000_000_000_000, 1),
    ("P", 1_000_000_000_000_000_000, 1),
    ("E", 1_000_000_000_000_000_000_000, 1),
    ("Ki", 1000 << 10, 1),
    ("Mi", 1000 << 20, 1),
    ("Gi", 1000 << 30, 1),
    ("Ti", 1000 << 40, 1),
    ("Pi", 1000 << 50, 1),
    ("Ei", 1000 << 60, 1),
];

/// What pods ask of a node, or what a node has: thousandths of a core, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) cpu: u64,
    pub(crate) memory: u64,
}

impl Requests {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_add(other.cpu),
            memory: self.memory.saturating_add(other.memory),
        }
    }

    /// What is left of it.
    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(other.cpu),
            memory: self.memory.saturating_sub(other.memory),
        }
    }

    /// Whether it is no more than `other` in anything.
    pub(crate) fn fits(self, other: Self) -> bool {
        self.cpu <= other.cpu && self.memory <= other.memory
    }

    /// The larger of both, in everything.
    fn or_more(self, other: Self) -> Self {
        Self { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }

    /// So many times as much.
    fn times(self, count: u64) -> Self {
        Self { cpu: self.cpu.saturating_mul(count), memory: self.memory.saturating_mul(count) }
    }
}

/// What each of the pods asks for that some objects make.
pub(crate) fn requests(objects: &[Value]) -> Vec<Requests> {
    let mut pods = Vec::new();
    for object in objects {
        let Some(pod) = pod_spec(object) else {
            continue;
        };
        let pod = of_pod(pod);
        let replicas = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        let listed = replicas.min(LISTED);
        pods.extend((0..listed).map(|_| pod));
        // No cluster of ours has room for these.
        if replicas > listed {
            pods.push(pod.times(replicas - listed));
        }
    }
    pods
}

/// What a pod asks for: its containers together, or what its initialisation needs at a time if that is more.
fn of_pod(pod: &Value) -> Requests {
    let (mut beside, mut most) = (Requests::default(), Requests::default());
    for container in list(pod, "initContainers") {
        let with = beside.plus(of_container(container));
        most = most.or_more(with);
        // A sidecar goes on beside all that start after it.
        if container["restartPolicy"] == "Always" {
            beside = with;
        }
    }
    list(pod, "containers").iter().map(of_container).fold(beside, Requests::plus).or_more(most)
}

fn of_container(container: &Value) -> Requests {
    let of = |resource: &str| {
        let given = KINDS.iter().find_map(|kind| container.pointer(&path(kind, resource)));
        given.and_then(quantity).unwrap_or(0)
    };
    Requests { cpu: of("cpu"), memory: of("memory") / 1000 }
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

/// A Kubernetes quantity in thousandths, rounded up. What is too big for the number becomes the biggest.
pub(crate) fn quantity(value: &Value) -> Option<u64> {
    let text = text(value);
    let signless = text.strip_prefix('+').unwrap_or(&text);
    let unit = signless.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &signless[..signless.len() - unit.len()];
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}").parse::<u128>().ok()?;
    let (times, parts) = scale(unit)?;
    let parts = parts.checked_mul(10_u128.checked_pow(u32::try_from(part.len()).ok()?)?)?;
    let thousandths = digits.checked_mul(times)?.div_ceil(parts);
    Some(u64::try_from(thousandths).unwrap_or(u64::MAX))
}

/// How many thousandths a unit is: so many, divided by so many.
fn scale(unit: &str) -> Option<(u128, u128)> {
    if let Some((_, times, parts)) = UNITS.iter().find(|(name, _, _)| *name == unit) {
        return Some((*times, *parts));
    }
    let power: i32 = unit.strip_prefix(['e', 'E'])?.parse().ok()?;
    let tens = 10_u128.checked_pow(power.unsigned_abs())?;
    if power < 0 { Some((1000, tens)) } else { Some((tens.checked_mul(1000)?, 1)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, thousandths) in [
            ("250m", 250),
            ("2", 2000),
            ("+2", 2000),
            ("0.5", 500),
            (".5", 500),
            ("1.25", 1250),
            ("1Ki", 1_024_000),
            ("1.123456789G", 1_123_456_789_000),
            ("1Pi", 1000 << 50),
            ("2T", 2_000_000_000_000_000),
            ("1e3", 1_000_000),
            ("1E3", 1_000_000),
            ("25e-2", 250),
            ("1500u", 2),
            ("1n", 1),
            ("1E", u64::MAX),
            ("8Ei", u64::MAX),
        ] {
            assert_eq!(quantity(&json!(text)), Some(thousandths), "{text}");
        }
        assert_eq!(quantity(&json!(2)), Some(2000));
        for text in ["much", "", ".", "1.2.3", "-1", "1 Gi", "1GB", "1e", "1e99", "e3", "1ki"] {
            assert_eq!(quantity(&json!(text)), None, "{text}");
        }
    }

    #[test]
    fn requests_count_replicas_and_fall_back_to_limits() {
        let deployment = json!({"kind": "Deployment", "spec": {"replicas": 2, "template": {"spec": {"containers": [
            {"resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "1Mi"}}},
        ]}}}});
        let pod = Requests { cpu: 250, memory: 1 << 20 };
        assert_eq!(requests(&[deployment]), [pod, pod]);
    }

    /// A container that asks for so many thousandths of a core.
    fn container(cpu: u32) -> Value {
        json!({"resources": {"requests": {"cpu": format!("{cpu}m")}}})
    }

    #[test]
    fn a_pod_asks_for_what_its_initialisation_needs_if_that_is_more() {
        let cpu = |init: Value| {
            let pod = json!({"kind": "Pod", "spec": {
                "initContainers": init, "containers": [container(100), container(50)],
            }});
            requests(&[pod])[0].cpu
        };
        assert_eq!(cpu(json!([container(120), container(80)])), 150);
        assert_eq!(cpu(json!([container(20), container(400)])), 400);
        let mut sidecar = container(300);
        sidecar["restartPolicy"] = json!("Always");
        assert_eq!(cpu(json!([container(400), sidecar])), 450, "it goes on beside the others");
        assert_eq!(cpu(json!([sidecar, container(400)])), 700, "it is there before");
    }

    #[test]
    fn replicas_that_no_cluster_holds_are_counted_and_not_listed() {
        let deployment = json!({"kind": "Deployment", "spec": {
            "replicas": 100_000_000, "template": {"spec": {"containers": [container(10)]}},
        }});
        let pods = requests(&[deployment]);
        assert_eq!(pods.len(), 10_001);
        let all = pods.into_iter().fold(Requests::default(), Requests::plus);
        assert_eq!(all.cpu, 1_000_000_000);
    }
}
