//! Replaces ConfigMaps of a stack for a case, and puts them back.
//!
//! A replaced one has the label of the case, so that it is known after a run that was killed.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, api::ListParams};
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
    /// The ConfigMaps of the suite as they are planned, by name.
    pub(crate) fn configs(&self) -> BTreeMap<&str, &Value> {
        let configs = self.plan.objects().filter(|object| object["kind"] == "ConfigMap");
        let own =
            configs.filter(|object| text_at(object, "/metadata/namespace") == self.plan.namespace);
        own.map(|object| (text_at(object, "/metadata/name"), object)).collect()
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
        let configs = Api::<ConfigMap>::namespaced(self.client(), &self.plan.namespace);
        let replaced = configs.list(&ListParams::default().labels(CASE)).await;
        let replaced = replaced.map_err(|source| StackError::Api {
            what: "look for replaced ConfigMaps".to_owned(),
            namespace: self.plan.namespace.clone(),
            source: source.into(),
        })?;
        let names = replaced.items.iter().map(kube::ResourceExt::name_any).collect();
        self.put_back_at_once(&names).await
    }

    async fn apply_planned(&self, configs: &BTreeSet<String>) -> Result<(), StackError> {
        let planned = self.configs();
        for object in configs.iter().filter_map(|name| planned.get(name.as_str())) {
            self.apply_config("put back", object).await?;
        }
        Ok(())
    }

    async fn apply_config(&self, what: &str, object: &Value) -> Result<(), StackError> {
        let namespace = &self.plan.namespace;
        let applied = self.site.applier.apply(namespace, object).await;
        applied.map_err(|source: ServerError| StackError::Api {
            what: format!("{what} the ConfigMap `{}`", text_at(object, "/metadata/name")),
            namespace: namespace.clone(),
            source,
        })
    }

    /// The workloads whose pods name one of these ConfigMaps.
    fn readers_of(&self, configs: &BTreeSet<String>) -> impl Iterator<Item = &WorkloadPlan> {
        let reads = |object: &Value| configs.iter().any(|name| names_config(object, name));
        self.plan.workloads().filter(move |workload| workload.objects.iter().any(reads))
    }
}
