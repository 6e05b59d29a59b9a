//! Deletes from a kept cluster what was taken out of a suite since it was brought up there.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, ResourceExt as _,
    api::{
        ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, PartialObjectMeta,
    },
};

use super::{
    StackError, apply::MANAGER, error::unless_gone, insist, made, namespace::PASSWORDS,
    pods::has_ended, site::Site,
};
use crate::{
    manifest::{SUITE, text_at},
    plan::SuitePlan,
    wait::{Limit, Poll, WaitError},
};

/// How long it may take to be gone, its pods included.
const GONE: Limit = Limit { total: Duration::from_mins(2), every: Duration::from_millis(100) };

/// The kinds that are looked for in a suite's namespaces: those that act, or that others are given.
/// A claim is not among them, because it is data; nor are objects of custom kinds, which go with
/// what acts on them.
const NAMESPACED: [(&str, &str, &str); 20] = [
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "StatefulSet"),
    ("apps", "v1", "DaemonSet"),
    ("apps", "v1", "ReplicaSet"),
    ("batch", "v1", "Job"),
    ("batch", "v1", "CronJob"),
    // Servers before 1.21 have no other.
    ("batch", "v1beta1", "CronJob"),
    ("", "v1", "Pod"),
    ("", "v1", "Service"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "Secret"),
    ("", "v1", "ServiceAccount"),
    ("", "v1", "ResourceQuota"),
    ("", "v1", "LimitRange"),
    ("rbac.authorization.k8s.io", "v1", "Role"),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("networking.k8s.io", "v1", "NetworkPolicy"),
    ("autoscaling", "v1", "HorizontalPodAutoscaler"),
    ("policy", "v1", "PodDisruptionBudget"),
];

/// The kinds that are looked for in the whole cluster. Definitions of kinds are everybody's.
const CLUSTER_WIDE: [(&str, &str, &str); 6] = [
    NAMESPACE,
    ("rbac.authorization.k8s.io", "v1", "ClusterRole"),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding"),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"),
    ("scheduling.k8s.io", "v1", "PriorityClass"),
];

const NAMESPACE: (&str, &str, &str) = ("", "v1", "Namespace");

/// An object that the suite does not have any more.
struct Leftover {
    api: Api<DynamicObject>,
    kind: String,
    name: String,
    ends: bool,
}

/// Deletes what an earlier run applied for a suite and its plan does not have, and waits until it
/// is gone with its pods: they would hold room and ports, and answer in place of others.
pub(super) async fn delete(site: &Site, suite: &SuitePlan) -> Result<(), StackError> {
    let client = site.cluster.client();
    let wanted = wanted(suite);
    let gone = insist::until("the end of it", GONE, async || {
        let left = find(&client, suite, &wanted).await?;
        if left.is_empty() {
            return Ok(Poll::Ready(()));
        }
        for object in left.iter().filter(|object| !object.ends) {
            unless_gone(object.api.delete(&object.name, &DeleteParams::foreground()).await)?;
        }
        let made = made::pods_of_suite(&client, suite).await?;
        for pod in made.iter().filter(|pod| has_ended(pod)) {
            let namespace = pod.namespace().unwrap_or_default();
            let pods = Api::<Pod>::namespaced(client.clone(), &namespace);
            let now = DeleteParams::default().grace_period(0);
            unless_gone(pods.delete(&pod.name_any(), &now).await)?;
        }
        let names = left.iter().map(|object| format!("{} `{}`", object.kind, object.name));
        Ok(Poll::NotYet(names.collect::<Vec<_>>().join(", ")))
    });
    gone.await.map_err(|error| match error {
        WaitError::Broken { source, .. } => StackError::Api {
            what: "delete what was taken out of the suite".to_owned(),
            namespace: suite.namespace.clone(),
            source: source.into(),
        },
        WaitError::TimedOut { last, .. } => {
            StackError::Leftover { suite: suite.name.clone(), words: last }
        }
    })
}

/// What an object is, where it is, and what it is called.
type Key<'a> = (&'a str, &'a str, &'a str);

/// The objects of a suite.
fn wanted(suite: &SuitePlan) -> BTreeSet<Key<'_>> {
    let objects = suite.objects().map(|object| {
        let [kind, namespace, name] =
            ["/kind", "/metadata/namespace", "/metadata/name"].map(|path| text_at(object, path));
        (kind, namespace, name)
    });
    let secrets = suite.secrets.iter().map(|secret| secret.name.as_str());
    let secrets = secrets.chain([PASSWORDS]).map(|name| ("Secret", suite.namespace.as_str(), name));
    let namespaces = suite.namespaces().map(|name| ("Namespace", "", name));
    objects.chain(secrets).chain(namespaces).collect()
}

/// What there is of a suite that is not wanted, all kinds at once.
async fn find(
    client: &Client,
    suite: &SuitePlan,
    wanted: &BTreeSet<Key<'_>>,
) -> Result<Vec<Leftover>, kube::Error> {
    let of_suite = ListParams::default().labels(&format!("{SUITE}={}", suite.name));
    let resource = |(group, version, kind): &(&str, &str, &str)| {
        ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
    };
    let namespaced = suite.namespaces().flat_map(|namespace| {
        NAMESPACED.iter().map(move |kind| {
            let resource = resource(kind);
            (Api::namespaced_with(client.clone(), namespace, &resource), resource.kind)
        })
    });
    let cluster_wide = CLUSTER_WIDE.iter().map(|kind| {
        let resource = resource(kind);
        (Api::all_with(client.clone(), &resource), resource.kind)
    });
    let listing = namespaced.chain(cluster_wide).map(|(api, kind)| {
        let of_suite = &of_suite;
        async move {
            let found = match api.list_metadata(of_suite).await {
                Ok(list) => list.items,
                // This server does not have the kind.
                Err(kube::Error::Api(status)) if status.is_not_found() => Vec::new(),
                Err(error) => return Err(error),
            };
            let left = found.into_iter().filter(|object| is_left(object, &kind, wanted));
            let left = left.map(|object| Leftover {
                api: api.clone(),
                kind: kind.clone(),
                name: object.name_any(),
                ends: object.metadata.deletion_timestamp.is_some(),
            });
            // One that a case left behind may hang, and is in nobody's way.
            let hangs = |object: &Leftover| object.ends && object.kind == NAMESPACE.2;
            Ok(left.filter(|object| !hangs(object)).collect::<Vec<_>>())
        }
    });
    Ok(try_join_all(listing).await?.into_iter().flatten().collect())
}

/// Whether an object was applied by a run, and is not wanted any more. What a controller made of
/// such a one was applied by nobody, and goes with it.
fn is_left(
    object: &PartialObjectMeta<DynamicObject>,
    kind: &str,
    wanted: &BTreeSet<Key<'_>>,
) -> bool {
    let mut managers = object.metadata.managed_fields.iter().flatten();
    managers.any(|fields| fields.manager.as_deref() == Some(MANAGER))
        && object.metadata.owner_references.iter().flatten().next().is_none()
        && !wanted.contains(&(kind, &*object.namespace().unwrap_or_default(), &*object.name_any()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(name: &str, manager: &str, owners: &Value) -> PartialObjectMeta<DynamicObject> {
        serde_json::from_value(json!({"metadata": {
            "name": name,
            "managedFields": [{"manager": manager}],
            "ownerReferences": owners,
        }}))
        .unwrap()
    }

    #[test]
    fn only_what_a_run_applied_and_the_suite_does_not_have_is_left_over() {
        let wanted = BTreeSet::from([("Deployment", "", "shop"), ("Secret", "", PASSWORDS)]);
        let left = |kind: &str, name: &str, manager: &str| {
            is_left(&object(name, manager, &json!([])), kind, &wanted)
        };
        assert!(left("Deployment", "till", "kindwright"));
        assert!(left("Service", "shop", "kindwright"));
        assert!(!left("Deployment", "shop", "kindwright"));
        assert!(!left("Secret", PASSWORDS, "kindwright"));
        assert!(!left("Secret", "default-token", "kube-controller-manager"));
    }

    #[test]
    fn what_has_an_owner_goes_with_it() {
        let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "till", "uid": "u"}]);
        assert!(!is_left(&object("till", "kindwright", &owner), "Secret", &BTreeSet::new()));
    }
}
