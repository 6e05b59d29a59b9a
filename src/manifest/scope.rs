//! Which kinds of objects belong to no namespace, and what rules call them.

use serde_json::Value;

use super::text_at;

/// A kind of object, as its API has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupKind {
    /// The group of the API; nothing for the first one.
    pub(crate) group: String,
    pub(crate) kind: String,
}

/// A kind of the cluster's own API that belongs to no namespace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClusterScoped {
    group: &'static str,
    kind: &'static str,
    /// What rules call it.
    pub(crate) plural: &'static str,
    /// Whether its name says what it is for, so that under another name it is something else.
    pub(crate) named_by_purpose: bool,
}

/// All that any version of Kubernetes since 1.20 has, but for what only the server makes.
const CLUSTER_SCOPED: [ClusterScoped; 34] = [
    known("", "Namespace", "namespaces").by_purpose(),
    known("", "Node", "nodes").by_purpose(),
    known("", "PersistentVolume", "persistentvolumes"),
    known(ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    known(ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    known(ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    known(ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    known(ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    known(ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
    known("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions")
        .by_purpose(),
    known("apiregistration.k8s.io", "APIService", "apiservices").by_purpose(),
    known("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests"),
    known("certificates.k8s.io", "ClusterTrustBundle", "clustertrustbundles"),
    known("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas"),
    known(
        "flowcontrol.apiserver.k8s.io",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
    ),
    known("networking.k8s.io", "IPAddress", "ipaddresses").by_purpose(),
    known("networking.k8s.io", "IngressClass", "ingressclasses"),
    known("networking.k8s.io", "ServiceCIDR", "servicecidrs"),
    known("node.k8s.io", "RuntimeClass", "runtimeclasses"),
    known("policy", "PodSecurityPolicy", "podsecuritypolicies"),
    known("rbac.authorization.k8s.io", "ClusterRole", "clusterroles"),
    known("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings"),
    known("resource.k8s.io", "DeviceClass", "deviceclasses"),
    known("resource.k8s.io", "DeviceTaintRule", "devicetaintrules"),
    known("resource.k8s.io", "ResourceSlice", "resourceslices"),
    known("scheduling.k8s.io", "PriorityClass", "priorityclasses"),
    // A driver registers under a name of its own, and is found by it.
    known("storage.k8s.io", "CSIDriver", "csidrivers").by_purpose(),
    known("storage.k8s.io", "CSINode", "csinodes").by_purpose(),
    known("storage.k8s.io", "StorageClass", "storageclasses"),
    known("storage.k8s.io", "VolumeAttachment", "volumeattachments"),
    known("storage.k8s.io", "VolumeAttributesClass", "volumeattributesclasses"),
    known("storagemigration.k8s.io", "StorageVersionMigration", "storageversionmigrations"),
    known("extensions", "PodSecurityPolicy", "podsecuritypolicies"),
    known("internal.apiserver.k8s.io", "StorageVersion", "storageversions").by_purpose(),
];

/// The kinds of the cluster's own API that belong to a namespace, and that something may reconcile.
const NAMESPACED: [&str; 27] = [
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Lease",
    "LimitRange",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "ReplicaSet",
    "ReplicationController",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
];

/// The groups of the cluster's own API.
const OWN: [&str; 24] = [
    "",
    "apps",
    "autoscaling",
    "batch",
    "extensions",
    "policy",
    ADMISSION,
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

const ADMISSION: &str = "admissionregistration.k8s.io";

const fn known(group: &'static str, kind: &'static str, plural: &'static str) -> ClusterScoped {
    ClusterScoped { group, kind, plural, named_by_purpose: false }
}

impl ClusterScoped {
    const fn by_purpose(self) -> Self {
        Self { named_by_purpose: true, ..self }
    }
}

impl GroupKind {
    /// The kind of this name in a version of a group, or in a group.
    pub(crate) fn new(api_version: &str, kind: &str) -> Self {
        let group = match api_version.split_once('/') {
            Some((group, _)) => group,
            // The first API has a version, but no name.
            None if is_version(api_version) => "",
            None => api_version,
        };
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }

    /// The kind of an object.
    pub(crate) fn of(object: &Value) -> Self {
        Self::new(text_at(object, "/apiVersion"), text_at(object, "/kind"))
    }

    /// Whether a CRD brings it, or another API server.
    pub(crate) fn is_custom(&self) -> bool {
        !OWN.contains(&self.group.as_str())
    }

    /// What is known of it if it is a kind of the cluster's own API that belongs to no namespace.
    pub(crate) fn cluster_scoped(&self) -> Option<&'static ClusterScoped> {
        CLUSTER_SCOPED.iter().find(|known| known.group == self.group && known.kind == self.kind)
    }
}

/// Whether the cluster's own API has a kind of this name.
pub(crate) fn is_own(kind: &str) -> bool {
    NAMESPACED.contains(&kind) || CLUSTER_SCOPED.iter().any(|known| known.kind == kind)
}

/// Whether it is a version, as `v1`, and no group.
fn is_version(text: &str) -> bool {
    text.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_its_group_in_every_version() {
        let found = |version, kind| GroupKind::new(version, kind).cluster_scoped().is_some();
        assert!(found("storage.k8s.io/v1", "StorageClass"));
        assert!(found("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema"));
        assert!(found("v1", "PersistentVolume"));
        assert!(!found("v1", "PersistentVolumeClaim"));
        assert!(!found("tea.example/v1", "StorageClass"), "it is somebody else's");
        assert!(!found("snapshot.storage.k8s.io/v1", "VolumeSnapshotClass"), "a CRD brings it");
    }

    #[test]
    fn a_kind_is_custom_unless_its_group_is_kubernetes_own() {
        let custom = |version| GroupKind::new(version, "Thing").is_custom();
        assert!(
            ["example.io/v1", "gateway.networking.k8s.io/v1", "argoproj.io/v1alpha1"]
                .into_iter()
                .all(custom)
        );
        assert!(!["v1", "batch/v1", "networking.k8s.io/v1"].into_iter().any(custom));
    }
}
