//! What a suite makes outside of its namespace, and what refers to it.

use super::*;
use crate::manifest::text_at;

/// An object of some API, with whatever else it has.
pub(super) fn object(api_version: &str, kind: &str, name: &str, rest: &Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    for (field, value) in rest.as_object().unwrap() {
        object[field] = value.clone();
    }
    object
}

/// The suite `shop` with some resources, planned.
pub(super) fn planned(resources: Vec<Value>) -> SuitePlan {
    let inventory = inventory().and("more.yaml", resources);
    let plan = plan(&[shop("shop", 30090).resources("more.yaml")], &inventory, &[]).unwrap();
    plan.suites.into_iter().next().unwrap()
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";
const ADMISSION: &str = "admissionregistration.k8s.io/v1";
pub(super) const STORAGE: &str = "storage.k8s.io/v1";

fn own_namespaces() -> Value {
    json!({"matchLabels": {"kindwright/suite": "shop"}})
}

#[test]
fn a_role_is_renamed_and_its_binding_follows() {
    let rules = json!([
        {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses/status"], "resourceNames": ["fast", "slow"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["fast"]},
    ]);
    let suite = planned(vec![
        object(RBAC, "ClusterRole", "seller", &json!({"rules": rules})),
        object(
            RBAC,
            "ClusterRoleBinding",
            "seller",
            &json!({
                "roleRef": {"kind": "ClusterRole", "name": "seller"},
                "subjects": [
                    {"kind": "ServiceAccount", "name": "default", "namespace": "somewhere"},
                    {"kind": "ServiceAccount", "name": "controller", "namespace": "kube-system"},
                ],
            }),
        ),
        object(
            RBAC,
            "RoleBinding",
            "viewer",
            &json!({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}}),
        ),
        object(STORAGE, "StorageClass", "fast", &json!({})),
    ]);
    let [role, binding, viewer, _] = suite.resources.as_slice() else { panic!() };
    assert_eq!(
        role["metadata"],
        json!({"name": "seller-shop", "labels": {"kindwright/suite": "shop"}})
    );
    assert_eq!(role["rules"][0]["resourceNames"], json!(["fast-shop", "slow"]));
    assert_eq!(role["rules"][1]["resourceNames"], json!(["fast"]));
    assert_eq!(binding["roleRef"]["name"], "seller-shop");
    assert_eq!(binding["subjects"][0]["namespace"], "shop");
    assert_eq!(binding["subjects"][1]["namespace"], "kube-system", "it is not the suite's");
    assert_eq!(viewer["roleRef"]["name"], "view", "Kubernetes brings it");
}

#[test]
fn a_role_of_the_system_stays_there_with_its_binding_under_names_of_the_suite() {
    let in_system = |kind: &str, name: &str, rest: &Value| {
        let mut object = object(RBAC, kind, name, rest);
        object["metadata"]["namespace"] = json!("kube-system");
        object
    };
    let binding = |role: &str| {
        json!({
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "somewhere"}],
        })
    };
    let reader = "extension-apiserver-authentication-reader";
    let suite = planned(vec![
        in_system("RoleBinding", "reader", &binding(reader)),
        in_system("RoleBinding", "leader", &binding("leader")),
        in_system("Role", "leader", &json!({"rules": []})),
        object(RBAC, "RoleBinding", "own", &binding("leader")),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "kube-system"}}),
    ]);
    let places = suite
        .resources
        .iter()
        .map(|object| (text_at(object, "/metadata/namespace"), text_at(object, "/metadata/name")));
    assert_eq!(
        places.collect::<Vec<_>>(),
        [
            ("kube-system", "reader-shop"),
            ("kube-system", "leader-shop"),
            ("kube-system", "leader-shop"),
            ("shop", "own"),
            ("shop", "settings"),
        ]
    );
    let roles = suite.resources.iter().map(|object| text_at(object, "/roleRef/name"));
    assert_eq!(roles.take(4).collect::<Vec<_>>(), [reader, "leader-shop", "", "leader"]);
    assert_eq!(suite.resources[0]["subjects"][0]["namespace"], "shop");
    assert_eq!(suite.resources[0]["metadata"]["labels"], json!({"kindwright/suite": "shop"}));
    assert_eq!(suite.cluster_wide().count(), 3, "they go when the suite does");
}

#[test]
fn an_object_is_of_the_cluster_if_any_selected_suite_defines_it_so() {
    let definition = object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "limits.orders.example",
        &json!({"spec": {
            "group": "orders.example", "scope": "Cluster", "names": {"kind": "Limit", "plural": "limits"},
        }}),
    );
    let limit = object("orders.example/v1", "Limit", "most", &json!({}));
    let inventory = inventory().and("crd.yaml", vec![definition]).and("limit.yaml", vec![limit]);
    let suites =
        [shop("shop", 30090).resources("limit.yaml"), shop("stall", 30091).resources("crd.yaml")];
    let plan = plan(&suites, &inventory, &[]).unwrap();
    assert_eq!(
        plan.suite("shop").unwrap().resources[0]["metadata"],
        json!({"name": "most-shop", "labels": {"kindwright/suite": "shop"}})
    );
}

#[test]
fn a_webhook_leads_to_its_suite_and_sees_its_namespaces_only() {
    let hook = json!({"name": "orders.example", "clientConfig": {"service": {"name": "shop", "namespace": "kube-system", "path": "/check"}},
        "namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}});
    let url = json!({"name": "url.example", "clientConfig": {"url": "https://example/"}});
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
        let suite =
            planned(vec![object(ADMISSION, kind, "orders", &json!({"webhooks": [hook, url]}))]);
        let configuration = &suite.resources[0];
        assert_eq!(configuration["metadata"]["name"], "orders-shop");
        assert_eq!(
            configuration["webhooks"][0],
            json!({
                "name": "orders.example",
                "clientConfig": {"service": {"name": "shop", "namespace": "shop", "path": "/check"}},
                "namespaceSelector": {
                    "matchExpressions": [{"key": "a", "operator": "Exists"}],
                    "matchLabels": {"kindwright/suite": "shop"},
                },
            })
        );
        assert_eq!(configuration["webhooks"][1]["namespaceSelector"], own_namespaces());
    }
}

#[test]
fn a_policy_its_binding_and_their_parameters_stay_together() {
    for kind in ["ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"] {
        let suite = planned(vec![
            object(
                ADMISSION,
                kind,
                "limits",
                &json!({"spec": {
                    "paramKind": {"apiVersion": "orders.example/v1", "kind": "Limit"},
                    "matchConstraints": {"resourceRules": []},
                }}),
            ),
            object(
                ADMISSION,
                &format!("{kind}Binding"),
                "limits",
                &json!({"spec": {
                    "policyName": "limits",
                    "paramRef": {"name": "most", "namespace": "somewhere", "parameterNotFoundAction": "Deny"},
                }}),
            ),
            object(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                "limits.orders.example",
                &json!({"spec": {
                    "group": "orders.example", "scope": "Cluster", "names": {"kind": "Limit", "plural": "limits"},
                }}),
            ),
            object("orders.example/v1", "Limit", "most", &json!({})),
        ]);
        let [policy, binding, crd, limit] = suite.resources.as_slice() else { panic!() };
        assert_eq!(policy["metadata"]["name"], "limits-shop");
        assert_eq!(
            policy["spec"]["matchConstraints"],
            json!({"resourceRules": [], "namespaceSelector": own_namespaces()})
        );
        assert_eq!(binding["metadata"]["name"], "limits-shop");
        assert_eq!(
            binding["spec"],
            json!({
                "policyName": "limits-shop",
                "paramRef": {"name": "most-shop", "namespace": "shop", "parameterNotFoundAction": "Deny"},
                "matchResources": {"namespaceSelector": own_namespaces()},
            })
        );
        assert_eq!(crd["metadata"], json!({"name": "limits.orders.example"}), "it is shared");
        assert_eq!(limit["metadata"]["name"], "most-shop");
        assert_eq!(limit["metadata"].get("namespace"), None);
    }
}

#[test]
fn conversions_and_api_services_lead_to_their_suite_and_keep_their_names() {
    let service = json!({"name": "shop", "namespace": "somewhere"});
    let suite = planned(vec![
        object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "orders.example",
            &json!({"spec": {
                "conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"service": service}}},
            }}),
        ),
        object(
            "apiregistration.k8s.io/v1",
            "APIService",
            "v1.example",
            &json!({"spec": {"service": service}}),
        ),
        object(STORAGE, "CSIDriver", "driver.example", &json!({"spec": {}})),
    ]);
    let [crd, api, driver] = suite.resources.as_slice() else { panic!() };
    let path = "/spec/conversion/webhook/clientConfig/service/namespace";
    assert_eq!(crd.pointer(path), Some(&json!("shop")));
    assert_eq!(
        (&api["metadata"]["name"], &api["spec"]["service"]["namespace"]),
        (&json!("v1.example"), &json!("shop"))
    );
    assert_eq!(driver["metadata"]["name"], "driver.example");
    assert!(suite.resources.iter().all(|object| object["metadata"].get("namespace").is_none()));
}

#[test]
fn what_is_made_outside_of_the_namespace_is_known_for_its_release() {
    let crd =
        object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "orders.example", &json!({}));
    let suite = planned(vec![
        crd,
        object(
            RBAC,
            "ClusterRole",
            "seller",
            &json!({"metadata": {"name": "seller", "namespace": "by-mistake"}}),
        ),
        object("apiregistration.k8s.io/v1", "APIService", "v1.example", &json!({})),
        object("v1", "ConfigMap", "settings", &json!({})),
    ]);
    let names: Vec<_> = suite.cluster_wide().map(|object| &object["metadata"]["name"]).collect();
    assert_eq!(names, ["seller-shop", "v1.example"]);
}
