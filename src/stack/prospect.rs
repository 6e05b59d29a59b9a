//! Says whether pods may still come that a Service selects.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::manifest::{GroupKind, template};

/// The API groups whose kinds make no pods but those of their own templates.
const BUILT_IN: [&str; 14] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// The labels by which a Service selects pods.
pub(super) type Selector = BTreeMap<String, String>;

/// Whether one of these objects may still make a pod that is selected so: by its template, or
/// because it is of a custom kind, whose controller may make whatever it likes.
pub(super) fn may_come<'a>(
    mut objects: impl Iterator<Item = &'a Value>,
    selector: Option<&Selector>,
) -> bool {
    objects.any(|object| is_custom(object) || selector.is_some_and(|it| is_selected(object, it)))
}

fn is_custom(object: &Value) -> bool {
    !BUILT_IN.contains(&GroupKind::of(object).group.as_str())
}

/// Whether a selector chooses the pods of an object.
fn is_selected(object: &Value, selector: &Selector) -> bool {
    template(object).is_some_and(|template| {
        let labels = &template["metadata"]["labels"];
        selector.iter().all(|(name, value)| labels[name] == value.as_str())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {
            "template": {"metadata": {"labels": {"app": "shop", "tier": "front"}}, "spec": {}},
        }})
    }

    fn selecting(app: &str) -> Selector {
        BTreeMap::from([("app".to_owned(), app.to_owned())])
    }

    #[test]
    fn a_selector_that_fits_no_template_finds_no_pod_later_either() {
        let objects = [deployment(), json!({"apiVersion": "v1", "kind": "Service"})];
        assert!(may_come(objects.iter(), Some(&selecting("shop"))));
        assert!(!may_come(objects.iter(), Some(&selecting("till"))));
        assert!(!may_come(objects.iter(), None));
    }

    #[test]
    fn the_controller_of_a_custom_kind_may_make_any_pod() {
        let objects = [deployment(), json!({"apiVersion": "example.io/v1", "kind": "Shop"})];
        assert!(may_come(objects.iter(), Some(&selecting("till"))));
        assert!(may_come(objects.iter(), None));
    }

    #[test]
    fn the_pods_of_a_cron_job_come_later() {
        let object = json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {
            "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {}},
        }}}});
        assert!(may_come([object].iter(), Some(&selecting("shop"))));
    }
}
