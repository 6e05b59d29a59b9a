//! Every word for the state of a pod.

use serde_json::json;

use super::{super::restarts::Restarts, *};

/// How a pod stands of which nothing is known.
fn readiness(pod: &Pod) -> Readiness {
    let before = Restarts::default();
    super::readiness(pod, Allowance { before: &before, starts: 3 })
}

fn pod(status: &Value) -> Pod {
    serde_json::from_value(json!({"metadata": {"name": "api-1"}, "status": status})).unwrap()
}

fn made_by(kind: &str, mut pod: Pod) -> Pod {
    let owner = json!([{"apiVersion": "apps/v1", "kind": kind, "name": "api-5f", "uid": "u1", "controller": true}]);
    pod.metadata.owner_references = serde_json::from_value(owner).unwrap();
    pod
}

fn waiting(reason: &str, restarts: i32) -> Pod {
    pod(&json!({"phase": "Pending", "containerStatuses": [{
        "name": "api", "ready": false, "restartCount": restarts, "image": "", "imageID": "",
        "state": {"waiting": {"reason": reason, "message": "words"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
    }]}))
}

fn ending(states: &[Value]) -> Pod {
    let containers = states.iter().map(|state| {
        json!({"name": "api", "ready": false, "restartCount": 0, "image": "", "imageID": "", "state": state})
    });
    let mut pod = pod(&json!({"containerStatuses": containers.collect::<Vec<_>>()}));
    pod.metadata.deletion_timestamp =
        serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    pod
}

#[test]
fn an_image_that_cannot_be_had_ends_the_wait() {
    let Readiness::Lost(words) = readiness(&waiting("ErrImageNeverPull", 0)) else { panic!() };
    assert!(words.starts_with("container `api` is in ErrImageNeverPull: words"), "{words}");
}

#[test]
fn what_may_come_later_is_given_a_while() {
    for reason in ["CreateContainerConfigError", "ImagePullBackOff", "RunContainerError"] {
        let Readiness::Failing(words) = readiness(&waiting(reason, 0)) else { panic!("{reason}") };
        assert!(words.contains(reason), "{words}");
    }
}

#[test]
fn a_crash_loop_names_the_exit_code_and_the_reason() {
    assert_eq!(
        readiness(&waiting("CrashLoopBackOff", 3)),
        Readiness::Lost(
            "container `api` is in CrashLoopBackOff; `api` ended with exit code 137 (OOMKilled), restarted 3 times"
                .into()
        )
    );
}

#[test]
fn a_service_that_needs_a_second_start_or_a_third_is_not_lost() {
    for restarts in [0, 1, 2] {
        let readiness = readiness(&waiting("CrashLoopBackOff", restarts));
        assert!(matches!(readiness, Readiness::Coming(_)), "{readiness:?}");
    }
}

#[test]
fn a_service_is_given_the_starts_that_its_suite_says() {
    let stands = |starts, restarts| {
        let before = Restarts::default();
        let allowance = Allowance { before: &before, starts };
        super::readiness(&waiting("CrashLoopBackOff", restarts), allowance)
    };
    assert!(matches!(stands(1, 1), Readiness::Lost(_)), "{:?}", stands(1, 1));
    assert!(matches!(stands(6, 5), Readiness::Coming(_)), "{:?}", stands(6, 5));
    assert!(matches!(stands(6, 6), Readiness::Lost(_)), "{:?}", stands(6, 6));
}

#[test]
fn restarts_of_before_the_wait_prove_nothing() {
    let before = Restarts::of(&[waiting("CrashLoopBackOff", 7)]);
    let allowance = Allowance { before: &before, starts: 3 };
    let stands = |restarts| super::readiness(&waiting("CrashLoopBackOff", restarts), allowance);
    assert!(matches!(stands(9), Readiness::Coming(_)), "{:?}", stands(9));
    assert!(matches!(stands(10), Readiness::Lost(_)), "{:?}", stands(10));
}

#[test]
fn a_pod_whose_next_start_is_put_off_is_one_that_another_would_replace() {
    assert!(is_put_off(&made_by("ReplicaSet", waiting("CrashLoopBackOff", 7))));
    assert!(!is_put_off(&made_by("ReplicaSet", waiting("ContainerCreating", 7))));
    assert!(!is_put_off(&made_by("Job", waiting("CrashLoopBackOff", 7))));
    assert!(!is_put_off(&waiting("CrashLoopBackOff", 7)));
}

#[test]
fn a_job_decides_itself_how_often_it_is_tried() {
    let crashing = made_by("Job", waiting("CrashLoopBackOff", 5));
    assert!(matches!(readiness(&crashing), Readiness::Coming(_)));
    let failed = pod(&json!({"phase": "Failed", "reason": "Evicted"}));
    assert_eq!(readiness(&failed), Readiness::Lost("its pod failed: Evicted".into()));
    let failed = made_by("Job", failed);
    assert_eq!(readiness(&failed), Readiness::Coming("its pod failed: Evicted".into()));
}

#[test]
fn a_container_that_runs_out_of_memory_is_named_with_its_limit_whatever_the_runtime_noticed() {
    for (reason, words) in [
        ("OOMKilled", "(OOMKilled; its memory limit is 32Mi), restarted once"),
        ("Error", "(killed, probably out of memory; its memory limit is 32Mi), restarted once"),
    ] {
        let mut pod = pod(&json!({"phase": "Running", "containerStatuses": [{
            "name": "api", "ready": false, "restartCount": 1, "image": "", "imageID": "",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": reason}},
        }]}));
        pod.spec = serde_json::from_value(json!({"containers": [
            {"name": "api", "resources": {"limits": {"memory": "32Mi"}}},
        ]}))
        .unwrap();
        let Readiness::Coming(told) = readiness(&pod) else { panic!() };
        assert!(told.ends_with(words), "{told}");
    }
}

#[test]
fn a_container_that_is_being_made_is_on_its_way() {
    assert_eq!(
        readiness(&waiting("ContainerCreating", 0)),
        Readiness::Coming("container `api` is ContainerCreating".into())
    );
    assert!(waits_for_volumes(&waiting("ContainerCreating", 0)));
}

#[test]
fn a_pod_that_cannot_be_scheduled_is_given_a_while() {
    let pod = pod(&json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"},
    ]}));
    let words = "its pod cannot be scheduled: 0/1 nodes";
    assert_eq!(readiness(&pod), Readiness::Failing(words.into()));
}

#[test]
fn an_init_container_only_has_to_end() {
    let running = |name: &str| {
        json!([{
            "name": name, "ready": false, "restartCount": 0, "image": "", "imageID": "",
            "state": {"running": {}},
        }])
    };
    let initial = pod(&json!({"phase": "Pending", "initContainerStatuses": running("wait")}));
    assert_eq!(readiness(&initial), Readiness::Coming("init container `wait` is running".into()));
    assert!(!is_probed(&initial));
    let started = pod(&json!({"phase": "Running", "containerStatuses": running("api")}));
    assert_eq!(
        readiness(&started),
        Readiness::Coming("container `api` is running, but not ready".into())
    );
    assert!(is_probed(&started));
}

#[test]
fn a_pod_may_answer_until_all_its_containers_have_ended() {
    let (runs, ended) = (json!({"running": {}}), json!({"terminated": {"exitCode": 0}}));
    for (states, still) in [
        (vec![runs.clone()], true),
        (vec![ended.clone(), runs], true),
        (vec![], true),
        (vec![ended.clone(), ended], false),
    ] {
        assert_eq!(still_ends(&ending(&states)), still, "{states:?}");
    }
    assert!(!still_ends(&waiting("ContainerCreating", 0)));
    // The kubelet removed its container before it looked how that ended.
    let mut removed = waiting("ContainerCreating", 1);
    removed.metadata.deletion_timestamp = ending(&[]).metadata.deletion_timestamp;
    assert!(!still_ends(&removed));
    assert!(still_ends(&ending(&[json!({"waiting": {"reason": "ContainerCreating"}})])));
}

#[test]
fn a_deployment_made_the_pods_of_its_own_replica_sets() {
    let mut pod = made_by("ReplicaSet", waiting("ContainerCreating", 0));
    pod.metadata.labels = serde_json::from_value(json!({"pod-template-hash": "5f"})).unwrap();
    let made = |kind: &str, name: &str| {
        is_made_by(&pod, &json!({"kind": kind, "metadata": {"name": name}}))
    };
    assert!(made("Deployment", "api"));
    assert!(!made("Deployment", "api-canary"));
    assert!(made("ReplicaSet", "api-5f"));
    assert!(!made("StatefulSet", "api-5f"));
    assert!(made("Pod", "api-1"));
}

#[test]
fn a_pod_that_is_told_to_end_before_it_began_is_told_from_one_that_runs() {
    let told = |mut pod: Pod| {
        pod.metadata = serde_json::from_value(json!({
            "name": "api-1", "deletionTimestamp": "2026-01-01T00:00:00Z",
        }))
        .unwrap();
        pod
    };
    let one = |state: Value| {
        pod(&json!({"phase": "Pending", "containerStatuses": [{
            "name": "api", "ready": false, "restartCount": 0, "image": "", "imageID": "",
            "state": state,
        }]}))
    };
    let waiting = || one(json!({"waiting": {"reason": "ContainerCreating"}}));
    assert!(ends_before_it_begins(&told(waiting())));
    assert!(ends_before_it_begins(&told(pod(&json!({"phase": "Pending"})))));
    assert!(!ends_before_it_begins(&waiting()));
    let running = one(json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
    assert!(!ends_before_it_begins(&told(running)));
}
