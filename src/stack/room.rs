//! Makes room for the pods of today, where those of before go only when these are ready.

use std::collections::BTreeSet;

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube::{Api, api::DeleteParams};
use serde_json::Value;

use super::{error::unless_gone, generation, pods};

/// The room that pods of before still hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room<'a> {
    /// Whether any of them does.
    held: bool,
    /// The sets of replicas that let them run. They go with their pods, and do not come again; a
    /// pod that is deleted alone is made anew at once.
    sets: BTreeSet<&'a str>,
}

impl<'a> Room<'a> {
    /// The room that is held by pods that `object` made.
    pub(super) fn of(made: &'a [Pod], object: &Value) -> Self {
        let mark = generation::of_object(object);
        let ends = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
        let before = |pod: &Pod| generation::of_pod(pod) != mark;
        let mut holding = made.iter().filter(|pod| !pods::has_ended(pod));
        let held = holding.clone().any(|pod| ends(pod) || before(pod));
        let sets = holding.by_ref().filter(|pod| before(pod) && !ends(pod));
        let sets = sets.filter_map(pods::maker).filter(|maker| maker.kind == "ReplicaSet");
        // Other kinds end a pod before they make the next, or do not replace it themselves.
        let sets = sets.filter(|_| object["kind"] == "Deployment");
        Self { held, sets: sets.map(|maker| maker.name.as_str()).collect() }
    }

    /// Whether there will be room, because pods of before end.
    pub(super) fn comes(&self) -> bool {
        self.held
    }

    /// Ends the pods of before that would wait for those of today.
    pub(super) async fn make(&self, pods: &Api<Pod>) -> Result<(), kube::Error> {
        let namespace = pods.namespace().unwrap_or_default();
        let sets = Api::<ReplicaSet>::namespaced(pods.clone().into_client(), namespace);
        for name in &self.sets {
            unless_gone(sets.delete(name, &DeleteParams::background()).await)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(set: &str, mark: &str) -> Pod {
        serde_json::from_value(json!({"metadata": {
            "name": format!("{set}-x"),
            "annotations": {"kindwright/generation": mark},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "uid": "u", "controller": true}],
        }}))
        .unwrap()
    }

    fn object(kind: &str) -> Value {
        json!({"kind": kind, "spec": {
            "template": {"metadata": {"annotations": {"kindwright/generation": "new"}}},
        }})
    }

    #[test]
    fn a_set_of_before_holds_the_room_of_the_pods_of_today() {
        let made = [pod("shop-1", "old"), pod("shop-2", "new")];
        let room = Room::of(&made, &object("Deployment"));
        assert_eq!(room, Room { held: true, sets: BTreeSet::from(["shop-1"]) });
    }

    #[test]
    fn what_is_itself_a_set_of_replicas_is_not_deleted() {
        let made = [pod("shop", "old"), pod("shop", "new")];
        assert_eq!(Room::of(&made, &object("ReplicaSet")).sets, BTreeSet::new());
    }

    #[test]
    fn no_room_comes_from_pods_of_today() {
        let made = [pod("shop-2", "new")];
        assert!(!Room::of(&made, &object("Deployment")).comes());
        let mut ending = pod("shop-2", "new");
        ending.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        let made = [ending];
        let room = Room::of(&made, &object("Deployment"));
        assert!(room.comes() && room.sets.is_empty());
    }
}
