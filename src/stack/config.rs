//! Replaces ConfigMaps of a stack for a case, and puts them back.
//!
//! A replaced one has the label of the case, so that it is known after a run that was killed.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt as _, api::ListParams};
use serde_json::{Value, json};

use super::{
    Stack, StackError,
    error::ServerError,
    generation::names_config,
    readiness::{has_replicas, replaces_its_pods},
};
use crate::{
    manifest::{CASE, text_at},
    plan::WorkloadPlan,
};

/// How many seconds a pod has to end that has read what is put back.
const GRACE: u32 = 1;

impl Stack {
    /// The ConfigMaps of the suite as they are planned, by what they are called: `settings`, and
    /// `workers/settings` in the declared namespace `<suite>-workers`.
    pub(crate) fn configs(&self) -> BTreeMap<String, &Value> {
        let configs = self.plan.objects().filter(|object| object["kind"] == "ConfigMap");
        let called = |object| {
            let namespace = text_at(object, "/metadata/namespace");
            Some((self.called(namespace, text_at(object, "/metadata/name"))?, object))
        };
        configs.filter_map(called).collect()
    }

    /// What a ConfigMap is called, if its namespace is the suite's.
    fn called(&self, namespace: &str, name: &str) -> Option<String> {
        let rest = namespace.strip_prefix(&self.plan.namespace)?;
        if rest.is_empty() {
            return Some(name.to_owned());
        }
        Some(format!("{}/{name}", rest.strip_prefix('-')?))
    }

    /// Replaces a ConfigMap by another of its name, for a case.
    pub(crate) async fn replace_config(
        &self,
        mut object: Value,
        case: &str,
    ) -> Result<(), StackError> {
        object["metadata"]["labels"][CASE] = json!(case);
        self.apply_config("replace", &object).await
    }

    /// Puts ConfigMaps back to what is planned, and ends the pods that may have read what was there
    /// instead; returns the workloads that are stopped by that.
    pub(crate) async fn put_back(
        &self,
        configs: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StackError> {
        self.apply_planned(configs).await?;
        let mut stopped = BTreeSet::new();
        for workload in self.readers_of(configs) {
            if workload.objects.iter().any(has_replicas) {
                Box::pin(self.stop(workload, Some(GRACE))).await?;
                stopped.insert(workload.name.clone());
            }
            Box::pin(self.replicas(workload).hurry(GRACE, replaces_its_pods)).await?;
        }
        Ok(stopped)
    }

    /// The same, and waits for nothing: what ended those pods begins others by itself.
    pub(crate) async fn put_back_at_once(
        &self,
        configs: &BTreeSet<String>,
    ) -> Result<(), StackError> {
        self.apply_planned(configs).await?;
        for workload in self.readers_of(configs) {
            Box::pin(self.replicas(workload).hurry(GRACE, replaces_its_pods)).await?;
        }
        Ok(())
    }

    /// Puts back what cases of a killed run have replaced.
    pub(super) async fn put_back_of_before(&self) -> Result<(), StackError> {
        let mut names = BTreeSet::new();
        for namespace in self.plan.namespaces() {
            let configs = Api::<ConfigMap>::namespaced(self.client(), namespace);
            let replaced = configs.list(&ListParams::default().labels(CASE)).await;
            let replaced = replaced.map_err(|source| StackError::Api {
                what: "look for replaced ConfigMaps".to_owned(),
                namespace: namespace.to_owned(),
                source: source.into(),
            })?;
            let called = |config: &ConfigMap| self.called(namespace, &config.name_any());
            names.extend(replaced.items.iter().filter_map(called));
        }
        self.put_back_at_once(&names).await
    }

    /// Those of the ConfigMaps that are planned.
    fn planned(&self, configs: &BTreeSet<String>) -> Vec<&Value> {
        let planned = self.configs();
        configs.iter().filter_map(|name| planned.get(name).copied()).collect()
    }

    async fn apply_planned(&self, configs: &BTreeSet<String>) -> Result<(), StackError> {
        for object in self.planned(configs) {
            self.apply_config("put back", object).await?;
        }
        Ok(())
    }

    async fn apply_config(&self, what: &str, object: &Value) -> Result<(), StackError> {
        let namespace = text_at(object, "/metadata/namespace");
        let applied = self.site.applier.apply(namespace, object).await;
        applied.map_err(|source: ServerError| StackError::Api {
            what: format!("{what} the ConfigMap `{}`", text_at(object, "/metadata/name")),
            namespace: namespace.to_owned(),
            source,
        })
    }

    /// The workloads whose pods name one of these ConfigMaps.
    fn readers_of(&self, configs: &BTreeSet<String>) -> impl Iterator<Item = &WorkloadPlan> {
        let changed = self.planned(configs);
        self.plan.workloads().filter(move |workload| {
            let mut objects = workload.objects.iter();
            objects.any(|object| changed.iter().any(|config| names_config(object, config)))
        })
    }
}
