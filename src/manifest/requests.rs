//! What the pods of a suite ask of a node, read from their manifests.

use serde_json::Value;

use super::pod_spec;

/// What pods ask of a node, or what a node has: thousandths of a core, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) cpu: u64,
    pub(crate) memory: u64,
}

impl Requests {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory: self.memory + other.memory }
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
}

/// What each of the pods asks for that some objects make.
pub(crate) fn requests(objects: &[Value]) -> Vec<Requests> {
    let mut pods = Vec::new();
    for object in objects {
        let Some(pod) = pod_spec(object) else {
            continue;
        };
        let mut sum = Requests::default();
        for container in pod["containers"].as_array().into_iter().flatten() {
            let of = |resource: &str| {
                let given = ["requests", "limits"].iter().find_map(|kind| {
                    quantity(container.pointer(&format!("/resources/{kind}/{resource}"))?)
                });
                given.unwrap_or(0)
            };
            sum = sum.plus(Requests { cpu: of("cpu"), memory: of("memory") / 1000 });
        }
        let replicas = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        pods.extend((0..replicas).map(|_| sum));
    }
    pods
}

/// A Kubernetes quantity in thousandths.
pub(crate) fn quantity(value: &Value) -> Option<u64> {
    const UNITS: [(&str, u64); 9] = [
        ("Ki", 1000 << 10),
        ("Mi", 1000 << 20),
        ("Gi", 1000 << 30),
        ("Ti", 1000 << 40),
        ("m", 1),
        ("k", 1_000_000),
        ("M", 1_000_000_000),
        ("G", 1_000_000_000_000),
        ("", 1000),
    ];
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (number, unit) =
        UNITS.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = u32::try_from(part.len()).ok()?;
    let part = if part.is_empty() { 0 } else { part.parse::<u64>().ok()? };
    Some(whole.parse::<u64>().ok()? * unit + part * unit / 10_u64.checked_pow(digits)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, thousandths) in
            [("250m", 250), ("2", 2000), ("0.5", 500), ("1.25", 1250), ("1Ki", 1_024_000)]
        {
            assert_eq!(quantity(&json!(text)), Some(thousandths), "{text}");
        }
        assert_eq!(quantity(&json!(2)), Some(2000));
        assert_eq!(quantity(&json!("much")), None);
    }

    #[test]
    fn requests_count_replicas_and_fall_back_to_limits() {
        let deployment = json!({"kind": "Deployment", "spec": {"replicas": 2, "template": {"spec": {"containers": [
            {"resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "1Mi"}}},
        ]}}}});
        let pod = Requests { cpu: 250, memory: 1 << 20 };
        assert_eq!(requests(&[deployment]), [pod, pod]);
    }
}
