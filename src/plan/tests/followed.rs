//! References to what a suite makes outside of its namespace, wherever they are.

use super::{
    cluster_wide::{STORAGE, object, planned},
    *,
};

#[test]
fn classes_and_volumes_are_followed_wherever_they_are_named() {
    let claim = json!({"spec": {"storageClassName": "fast", "volumeName": "disk", "volumeAttributesClassName": "gold"}});
    let pod = json!({
        "priorityClassName": "urgent",
        "runtimeClassName": "sandboxed",
        "volumes": [{"name": "x", "ephemeral": {"volumeClaimTemplate": claim}}],
        "containers": [],
    });
    let suite = planned(vec![
        object(STORAGE, "StorageClass", "fast", &json!({})),
        object(STORAGE, "VolumeAttributesClass", "gold", &json!({})),
        object(
            "v1",
            "PersistentVolume",
            "disk",
            &json!({"spec": {"storageClassName": "fast", "claimRef": {"name": "data", "namespace": "somewhere"}}}),
        ),
        object("scheduling.k8s.io/v1", "PriorityClass", "urgent", &json!({})),
        object("node.k8s.io/v1", "RuntimeClass", "sandboxed", &json!({})),
        object("networking.k8s.io/v1", "IngressClass", "front", &json!({})),
        object(
            "networking.k8s.io/v1",
            "Ingress",
            "front",
            &json!({"spec": {"ingressClassName": "front"}}),
        ),
        object(
            "flowcontrol.apiserver.k8s.io/v1beta1",
            "PriorityLevelConfiguration",
            "low",
            &json!({}),
        ),
        object(
            "flowcontrol.apiserver.k8s.io/v1beta1",
            "FlowSchema",
            "orders",
            &json!({"spec": {"priorityLevelConfiguration": {"name": "low"}}}),
        ),
        object(
            "apps/v1",
            "StatefulSet",
            "shop",
            &json!({"spec": {"volumeClaimTemplates": [claim], "template": {"spec": pod}}}),
        ),
        object(
            "v1",
            "PersistentVolumeClaim",
            "foreign",
            &json!({"spec": {"storageClassName": "standard"}}),
        ),
    ]);
    let by = |kind: &str| suite.resources.iter().find(|object| object["kind"] == kind).unwrap();
    let followed = json!({"storageClassName": "fast-shop", "volumeName": "disk-shop", "volumeAttributesClassName": "gold-shop"});
    let set = &by("StatefulSet")["spec"];
    assert_eq!(set["volumeClaimTemplates"][0]["spec"], followed);
    let pod = &set["template"]["spec"];
    assert_eq!(pod["volumes"][0]["ephemeral"]["volumeClaimTemplate"]["spec"], followed);
    assert_eq!(
        (&pod["priorityClassName"], &pod["runtimeClassName"]),
        (&json!("urgent-shop"), &json!("sandboxed-shop"))
    );
    assert_eq!(
        by("PersistentVolume")["spec"],
        json!({"storageClassName": "fast-shop", "claimRef": {"name": "data", "namespace": "shop"}})
    );
    assert_eq!(by("Ingress")["spec"]["ingressClassName"], "front-shop");
    assert_eq!(by("FlowSchema")["spec"]["priorityLevelConfiguration"]["name"], "low-shop");
    assert_eq!(by("PersistentVolumeClaim")["spec"]["storageClassName"], "standard");
}

#[test]
fn a_reference_of_a_custom_resource_is_followed_if_it_says_the_group_and_the_kind() {
    let issuer = |group: &str| {
        let reference = json!({"group": group, "kind": "ClusterIssuer", "name": "ca"});
        object(
            "cert-manager.io/v1",
            "Certificate",
            &format!("by-{group}"),
            &json!({"spec": {"issuerRef": reference}}),
        )
    };
    let definition = json!({"spec": {
        "group": "cert-manager.io", "scope": "Cluster",
        "names": {"kind": "ClusterIssuer", "plural": "clusterissuers"},
    }});
    let suite = planned(vec![
        object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "clusterissuers.cert-manager.io",
            &definition,
        ),
        object("cert-manager.io/v1", "ClusterIssuer", "ca", &json!({})),
        issuer("cert-manager.io"),
        issuer("another.example"),
    ]);
    let names: Vec<_> = suite
        .resources
        .iter()
        .filter_map(|object| object.pointer("/spec/issuerRef/name"))
        .collect();
    assert_eq!(names, ["ca-shop", "ca"]);
}
