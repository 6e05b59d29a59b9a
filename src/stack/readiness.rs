//! How an object that makes pods stands, by its own status.

use serde_json::Value;

use crate::manifest::{template_path, text_at};

/// How something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It is ready.
    Ready,
    /// It may get ready.
    Coming(String),
    /// It is lost unless this heals within a while.
    Failing(String),
    /// It will never get ready.
    Lost(String),
}

impl Readiness {
    /// A number that is higher the worse it is.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::Coming(_) => 1,
            Self::Failing(_) => 2,
            Self::Lost(_) => 3,
        }
    }
}

/// Whether an object of this kind makes pods that are waited for: at once, not at some time.
pub(super) fn has_pods(object: &Value) -> bool {
    template_path(object).is_some() && object["kind"] != "CronJob"
}

/// Whether an object of this kind has a number of replicas.
pub(crate) fn has_replicas(object: &Value) -> bool {
    matches!(text_at(object, "/kind"), "Deployment" | "StatefulSet" | "ReplicaSet")
}

/// Whether an object of this kind makes another pod in place of one that is gone, for as long as it is there.
pub(super) fn replaces_its_pods(object: &Value) -> bool {
    has_replicas(object) || object["kind"] == "DaemonSet"
}

/// How many pods an object wishes.
pub(super) fn replicas(object: &Value) -> u64 {
    object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1)
}

/// How an object stands by its own status, if so many replicas are wanted.
pub(super) fn of_object(object: &Value, wanted: u64) -> Readiness {
    let number = |path: &str| object.pointer(path).and_then(Value::as_u64);
    let status = |field: &str| number(&format!("/status/{field}")).unwrap_or(0);
    let is = |name: &str, value: &str| {
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let mut conditions = conditions.into_iter().flatten();
        conditions.find(|condition| condition["type"] == name && condition["status"] == value)
    };
    let kind = text_at(object, "/kind");
    // A status from before the latest spec says nothing about it.
    let current = number("/metadata/generation")
        .is_none_or(|generation| status("observedGeneration") >= generation);
    if !current && (has_replicas(object) || kind == "DaemonSet") {
        return Readiness::Coming("the controller has not seen it yet".to_owned());
    }
    if let Some(failure) = is("ReplicaFailure", "True") {
        let words = format!("its pods are refused: {}", text_at(failure, "/message"));
        return Readiness::Failing(words);
    }
    if kind == "Job"
        && let Some(failed) = is("Failed", "True")
    {
        return Readiness::Lost(format!("it failed: {}", text_at(failed, "/message")));
    }
    let phase = text_at(object, "/status/phase");
    if kind == "Pod" && phase == "Failed" {
        return Readiness::Lost("it failed".to_owned());
    }
    let (ready, wanted) = match kind {
        "Deployment" if status("replicas") > wanted => {
            let words = format!("{} pods where {wanted} are wanted", status("replicas"));
            return Readiness::Coming(words);
        }
        "Deployment" => (status("availableReplicas").min(status("updatedReplicas")), wanted),
        "StatefulSet" => (status("readyReplicas").min(status("updatedReplicas")), wanted),
        "ReplicaSet" => (status("availableReplicas"), wanted),
        "DaemonSet" => (
            status("numberAvailable").min(status("updatedNumberScheduled")),
            status("desiredNumberScheduled").max(1),
        ),
        "Job" => (u64::from(is("Complete", "True").is_some()), 1),
        _ => (u64::from(is("Ready", "True").is_some() || phase == "Succeeded"), 1),
    };
    if ready >= wanted {
        return Readiness::Ready;
    }
    let what = if kind == "Job" { "it is not complete".to_owned() } else { few(ready, wanted) };
    Readiness::Coming(what)
}

/// That too few pods are ready, in words.
pub(super) fn few(ready: impl std::fmt::Display, wanted: u64) -> String {
    format!("{ready} of {wanted} pods ready")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(generation: u64, observed: u64, ready: u64) -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {"name": "api", "generation": generation},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": observed, "replicas": 1, "updatedReplicas": ready, "availableReplicas": ready},
        })
    }

    #[test]
    fn a_status_from_before_the_latest_spec_is_not_believed() {
        let readiness = of_object(&deployment(2, 1, 1), 1);
        assert_eq!(readiness, Readiness::Coming("the controller has not seen it yet".into()));
        assert_eq!(of_object(&deployment(2, 2, 1), 1), Readiness::Ready);
        let few = Readiness::Coming("0 of 1 pods ready".into());
        assert_eq!(of_object(&deployment(2, 2, 0), 1), few);
    }

    #[test]
    fn a_pod_of_an_old_template_that_is_one_too_many_is_waited_for() {
        let mut surplus = deployment(2, 2, 1);
        surplus["status"]["replicas"] = json!(2);
        let words = Readiness::Coming("2 pods where 1 are wanted".into());
        assert_eq!(of_object(&surplus, 1), words);
    }

    #[test]
    fn a_job_that_failed_is_lost() {
        let job = |conditions: Value| json!({"kind": "Job", "metadata": {}, "status": {"conditions": conditions}});
        let failed =
            job(json!([{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]));
        assert_eq!(
            of_object(&failed, 1),
            Readiness::Lost("it failed: BackoffLimitExceeded".into())
        );
        let running = job(json!([]));
        assert_eq!(of_object(&running, 1), Readiness::Coming("it is not complete".into()));
        let complete = job(json!([{"type": "Complete", "status": "True"}]));
        assert_eq!(of_object(&complete, 1), Readiness::Ready);
    }

    #[test]
    fn pods_that_admission_refuses_are_named_and_given_a_moment() {
        let mut refused = deployment(1, 1, 0);
        refused["status"]["conditions"] =
            json!([{"type": "ReplicaFailure", "status": "True", "message": "forbidden: quota"}]);
        assert_eq!(
            of_object(&refused, 1),
            Readiness::Failing("its pods are refused: forbidden: quota".into())
        );
    }
}
