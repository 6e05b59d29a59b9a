//! Looks up how the API server serves a kind, each once.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, TypeMeta},
    discovery::{self, Scope},
};
use serde_json::Value;
use thiserror::Error;

use super::{error::ServerError, insist};
use crate::wait::{Limit, Poll, WaitError};

/// How long after its definition a kind may take to be known to discovery.
const SERVED: Limit = Limit { total: Duration::from_secs(30), every: Duration::from_millis(50) };

/// Why it is not known how a kind is served.
#[derive(Debug, Error)]
pub(crate) enum KindError {
    #[error(
        "the server does not know {version} {kind}; name the version that it serves, or add the CustomResourceDefinition with `.resources(..)`"
    )]
    Unknown { version: String, kind: String },
    #[error(
        "{version} {kind} has a CustomResourceDefinition, but the server did not serve it within {} s",
        SERVED.total.as_secs()
    )]
    Unserved { version: String, kind: String },
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl From<kube::Error> for KindError {
    fn from(error: kube::Error) -> Self {
        Self::Server(error.into())
    }
}

impl From<KindError> for ServerError {
    fn from(error: KindError) -> Self {
        match error {
            KindError::Server(error) => error,
            KindError::Unknown { .. } | KindError::Unserved { .. } => {
                Self::Refused(error.to_string())
            }
        }
    }
}

/// An object as JSON, with its kind: a list, with which a watch begins too, leaves that out of what it has.
pub(crate) fn with_kind(mut object: DynamicObject, [version, kind]: [&str; 2]) -> Value {
    let (api_version, kind) = (version.to_owned(), kind.to_owned());
    object.types.get_or_insert(TypeMeta { api_version, kind });
    serde_json::to_value(object).unwrap_or_default()
}

/// The kinds of one API server.
pub(super) struct Kinds {
    client: Client,
    known: Mutex<HashMap<GroupVersionKind, (ApiResource, Scope)>>,
}

impl Kinds {
    pub(super) fn new(client: Client) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// How a kind is served; one that has a definition is waited for.
    pub(super) async fn find(
        &self,
        kind: &GroupVersionKind,
    ) -> Result<(ApiResource, Scope), KindError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(kind).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let found = match self.discover(kind).await? {
            Some(found) => found,
            None => self.await_served(kind).await?,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(kind.clone(), found.clone());
        Ok(found)
    }

    /// What discovery knows of a kind.
    async fn discover(
        &self,
        kind: &GroupVersionKind,
    ) -> Result<Option<(ApiResource, Scope)>, kube::Error> {
        match discovery::pinned_kind(&self.client, kind).await {
            Ok((resource, capabilities)) => Ok(Some((resource, capabilities.scope))),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(kube::Error::Discovery(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A definition is established some time before discovery knows of it.
    async fn await_served(
        &self,
        kind: &GroupVersionKind,
    ) -> Result<(ApiResource, Scope), KindError> {
        let words = || (kind.api_version(), kind.kind.clone());
        let definitions = Api::<CustomResourceDefinition>::all(self.client.clone());
        let definitions = definitions.list(&ListParams::default()).await?.items;
        if !definitions.iter().any(|definition| defines(definition, kind)) {
            let (version, kind) = words();
            return Err(KindError::Unknown { version, kind });
        }
        let served = insist::until("the kind to be served", SERVED, async || {
            let found = self.discover(kind).await?;
            Ok(found.map_or_else(|| Poll::NotYet("unknown".to_owned()), Poll::Ready))
        });
        served.await.map_err(|error| match error {
            WaitError::Broken { source, .. } => source.into(),
            WaitError::TimedOut { .. } => {
                let (version, kind) = words();
                KindError::Unserved { version, kind }
            }
        })
    }
}

/// Whether a definition promises that a kind is served.
fn defines(definition: &CustomResourceDefinition, kind: &GroupVersionKind) -> bool {
    let spec = &definition.spec;
    let mut versions = spec.versions.iter();
    spec.group == kind.group
        && spec.names.kind == kind.kind
        && versions.any(|version| version.served && version.name == kind.version)
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kinds").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_promises_the_versions_that_it_serves() {
        let definition: CustomResourceDefinition = serde_json::from_value(json!({
            "metadata": {"name": "shops.example.io"},
            "spec": {
                "group": "example.io",
                "names": {"kind": "Shop", "plural": "shops"},
                "scope": "Namespaced",
                "versions": [
                    {"name": "v1", "served": true, "storage": true},
                    {"name": "v1alpha1", "served": false, "storage": false},
                ],
            },
        }))
        .unwrap();
        let of = |group: &str, version: &str, kind: &str| {
            defines(&definition, &GroupVersionKind::gvk(group, version, kind))
        };
        assert!(of("example.io", "v1", "Shop"));
        assert!(!of("example.io", "v1alpha1", "Shop"));
        assert!(!of("example.org", "v1", "Shop"));
        assert!(!of("example.io", "v1", "Till"));
    }
}
