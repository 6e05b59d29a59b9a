//! The clients for the services of a stack: one for what speaks in the clear, and one for each HTTPS endpoint.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Secret},
};
use kube::Api;
use tokio::sync::OnceCell;

use super::StackError;
use crate::{
    cluster::Cluster,
    plan::{Access, EndpointPlan, SuitePlan, Trusted},
    suite::EndpointName,
    text::chain,
    transport::{Authorities, Client},
};

/// The clients for the services of a stack. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    cluster: Cluster,
    clear: Client,
    /// Each is made when what it trusts is there.
    secure: Arc<BTreeMap<EndpointName, OnceCell<Client>>>,
}

impl Clients {
    /// Those for the services of a suite.
    pub(super) fn new(cluster: &Cluster, suite: &SuitePlan) -> Result<Self, StackError> {
        let secure = suite.endpoints().filter(|it| matches!(it.access, Access::Https { .. }));
        let secure = secure.map(|endpoint| (endpoint.name.clone(), OnceCell::new()));
        Ok(Self {
            cluster: cluster.clone(),
            clear: Client::clear().map_err(StackError::Http)?,
            secure: Arc::new(secure.collect()),
        })
    }

    /// The client for an endpoint, if it is made.
    pub(super) fn of(&self, endpoint: &EndpointName) -> Option<&Client> {
        self.secure.get(endpoint).map_or(Some(&self.clear), OnceCell::get)
    }

    /// The client for an endpoint, or what is missing to make it.
    pub(super) async fn made(
        &self,
        endpoint: &EndpointPlan,
        address: SocketAddr,
    ) -> Result<Client, String> {
        let (Access::Https { server_name, trusted, .. }, Some(cell)) =
            (&endpoint.access, self.secure.get(&endpoint.name))
        else {
            return Ok(self.clear.clone());
        };
        let making = async || {
            let trusted = self.authorities(&endpoint.namespace, trusted).await?;
            let client = self.clear.secured(server_name, address, &trusted);
            client.map_err(|error| chain(&error))
        };
        cell.get_or_try_init(making).await.cloned()
    }

    async fn authorities(&self, namespace: &str, trusted: &Trusted) -> Result<Authorities, String> {
        let own = |text: &[u8]| {
            Authorities::own(text).map_err(|error| format!("{trusted}: {}", chain(&error)))
        };
        match trusted {
            Trusted::Machine => Ok(Authorities::OfMachine),
            Trusted::File { text, .. } => own(text.as_bytes()),
            Trusted::Object { kind, name, key } => {
                let data = self.data(namespace, kind, name).await;
                let data = data.map_err(|error| format!("{trusted}: {}", chain(&error)))?;
                let Some(data) = data else {
                    return Err(format!("there is no {kind} `{name}` in namespace `{namespace}`"));
                };
                let known = || data.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>();
                let text = data.get(key).ok_or_else(|| {
                    format!("there is no {trusted}, which has {}", known().join(", "))
                });
                own(text?)
            }
        }
    }

    /// What an object of a namespace has, if it is there.
    async fn data(
        &self,
        namespace: &str,
        kind: &str,
        name: &str,
    ) -> Result<Option<BTreeMap<String, Vec<u8>>>, kube::Error> {
        let client = self.cluster.client();
        if kind == "Secret" {
            let found = Api::<Secret>::namespaced(client, namespace).get_opt(name).await?;
            let data = found.map(|secret| secret.data.unwrap_or_default().into_iter());
            return Ok(data.map(|data| data.map(|(key, ByteString(text))| (key, text)).collect()));
        }
        let found = Api::<ConfigMap>::namespaced(client, namespace).get_opt(name).await?;
        let data = found.map(|map| map.data.unwrap_or_default().into_iter());
        Ok(data.map(|data| data.map(|(key, text)| (key, text.into_bytes())).collect()))
    }
}
