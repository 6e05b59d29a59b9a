//! What the objects of a suite are called that belong to no namespace.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    manifest::{GroupKind, text_at},
    suite::Suite,
};

/// The group of roles and their bindings.
pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// The new names of what a suite makes in the cluster, and what it makes in its namespace.
#[derive(Debug)]
pub(super) struct Names<'a> {
    suite: &'a Suite,
    renamed: BTreeMap<(GroupKind, String), String>,
    /// What rules call the kinds that CRDs of any selected suite put into no namespace.
    custom: BTreeMap<GroupKind, String>,
    /// Kind and name of everything that it has.
    own: BTreeSet<(String, String)>,
    /// The roles that it makes in the namespace of Kubernetes' own parts.
    system_roles: BTreeSet<String>,
    /// For each policy the kind of its parameters.
    parameters: BTreeMap<String, GroupKind>,
}

impl<'s> Names<'s> {
    /// The names that the objects of a suite get.
    ///
    /// `all` are the objects of every selected suite: what one defines, another may use.
    pub(super) fn of<'a>(
        suite: &'s Suite,
        objects: impl Iterator<Item = &'a Value>,
        all: impl Iterator<Item = &'a Value>,
    ) -> Self {
        let mut names = Self {
            suite,
            renamed: BTreeMap::new(),
            custom: all.filter_map(defined).collect(),
            own: BTreeSet::new(),
            system_roles: BTreeSet::new(),
            parameters: BTreeMap::new(),
        };
        for object in objects {
            let (kind, name) = (GroupKind::of(object), text_at(object, "/metadata/name"));
            names.own.insert((kind.kind.clone(), name.to_owned()));
            if let Some(parameters) = object.pointer("/spec/paramKind") {
                names.parameters.insert(name.to_owned(), GroupKind::of(parameters));
            }
            if kind.kind == "Role" && is_of_system(object) {
                names.system_roles.insert(name.to_owned());
            }
            let by_purpose = kind.cluster_scoped().is_some_and(|known| known.named_by_purpose);
            if names.is_cluster_scoped(&kind) && !by_purpose {
                names.renamed.insert((kind, name.to_owned()), format!("{name}-{}", suite.name));
            }
        }
        names
    }

    /// Whether objects of a kind belong to no namespace.
    pub(super) fn is_cluster_scoped(&self, kind: &GroupKind) -> bool {
        kind.cluster_scoped().is_some() || self.custom.contains_key(kind)
    }

    /// Gives an object that stays in the namespace of Kubernetes' own parts a name of the suite, and
    /// the role that it binds if that stays there too.
    pub(super) fn rename_in_system(&self, object: &mut Value) {
        let renamed = |name: &str| Value::String(format!("{name}-{}", self.suite.name));
        object["metadata"]["name"] = renamed(text_at(object, "/metadata/name"));
        let role = text_at(object, "/roleRef/name");
        if text_at(object, "/roleRef/kind") == "Role" && self.system_roles.contains(role) {
            object["roleRef"]["name"] = renamed(role);
        }
    }

    /// What an object of the suite of that kind and name is called in the cluster.
    pub(super) fn of_object<'n>(&'n self, kind: &GroupKind, name: &'n str) -> &'n str {
        self.renamed.get(&(kind.clone(), name.to_owned())).map_or(name, String::as_str)
    }

    /// Gives a name the new one, if the suite has a renamed object of that kind and name.
    pub(super) fn follow(&self, kind: &GroupKind, name: &mut Value) {
        if let Value::String(name) = name {
            *name = self.of_object(kind, name).to_owned();
        }
    }

    /// Gives a name of a rule the new one, if an object is meant that is renamed.
    ///
    /// `meant` says whether the rule is about a group and what it calls the kind.
    pub(super) fn follow_rule(&self, name: &mut Value, meant: impl Fn(&str, &str) -> bool) {
        let new = self.renamed.iter().find_map(|((kind, old), new)| {
            let known = kind.cluster_scoped().map(|known| known.plural);
            let plural = known.or_else(|| self.custom.get(kind).map(String::as_str))?;
            (*name == *old && meant(&kind.group, plural)).then_some(new)
        });
        if let Some(new) = new {
            *name = Value::String(new.clone());
        }
    }

    /// The kind of the parameters of a policy of the suite.
    pub(super) fn parameters(&self, policy: &str) -> Option<&GroupKind> {
        self.parameters.get(policy)
    }

    /// Puts a reference to a Service, a `ServiceAccount` or the like into the suite's namespace that it means.
    ///
    /// One to a namespace of Kubernetes itself stays, unless the suite has such an object of its own.
    pub(super) fn bring_home(&self, kind: &str, reference: &mut Value) {
        let foreign = text_at(reference, "/namespace").starts_with("kube-");
        let own = (kind.to_owned(), text_at(reference, "/name").to_owned());
        let home = self.suite.namespace_of(text_at(reference, "/namespace"));
        if let Some(reference) = reference.as_object_mut()
            && (!foreign || self.own.contains(&own))
        {
            reference.insert("namespace".to_owned(), Value::String(home));
        }
    }
}

/// Whether an object says what may be done in the namespace of Kubernetes' own parts, and so is of no use elsewhere.
pub(super) fn is_of_system(object: &Value) -> bool {
    text_at(object, "/metadata/namespace") == "kube-system"
        && ["Role", "RoleBinding"]
            .map(|kind| GroupKind::new(RBAC, kind))
            .contains(&GroupKind::of(object))
}

/// The kind that a CRD puts into no namespace, and what rules call it.
fn defined(object: &Value) -> Option<(GroupKind, String)> {
    if object["kind"] != "CustomResourceDefinition" || object["spec"]["scope"] != "Cluster" {
        return None;
    }
    let kind = GroupKind {
        group: text_at(object, "/spec/group").to_owned(),
        kind: text_at(object, "/spec/names/kind").to_owned(),
    };
    Some((kind, text_at(object, "/spec/names/plural").to_owned()))
}
