//! Asks a new cluster until it answers; kind's own `--wait` only warns when its time is up.

use k8s_openapi::api::core::v1::{Endpoints, Node, ServiceAccount};
use kube::{Api, Client, api::ListParams};

use crate::wait::{self, Limit, Poll, WaitError};

/// The version of the server, once its nodes and the default service account are there.
pub(super) async fn answers(
    client: &Client,
    limit: Limit,
    nodes: usize,
) -> Result<(u32, u32), WaitError<kube::Error>> {
    wait::until("the cluster to be ready", limit, async || {
        let version = match client.apiserver_version().await {
            Ok(version) => version,
            Err(error) => return Ok(Poll::NotYet(format!("its API server: {error}"))),
        };
        let ready = match Api::<Node>::all(client.clone()).list(&ListParams::default()).await {
            Ok(list) => list.items.iter().filter(|node| is_ready(node)).count(),
            Err(error) => return Ok(Poll::NotYet(format!("its nodes: {error}"))),
        };
        if ready < nodes {
            return Ok(Poll::NotYet(format!("{ready} of {nodes} nodes ready")));
        }
        let accounts = Api::<ServiceAccount>::namespaced(client.clone(), "default");
        match accounts.get_opt("default").await {
            Ok(Some(_)) => Ok(Poll::Ready((number(&version.major), number(&version.minor)))),
            Ok(None) => Ok(Poll::NotYet("no default service account".to_owned())),
            Err(error) => Ok(Poll::NotYet(format!("its service accounts: {error}"))),
        }
    })
    .await
}

/// Waits for an address behind the cluster's DNS service.
pub(super) async fn resolves_names(
    client: &Client,
    limit: Limit,
) -> Result<(), WaitError<kube::Error>> {
    let endpoints = Api::<Endpoints>::namespaced(client.clone(), "kube-system");
    wait::until("the cluster's DNS to be ready", limit, async || {
        let found = match endpoints.get_opt("kube-dns").await {
            Ok(found) => found,
            Err(error) => return Ok(Poll::NotYet(error.to_string())),
        };
        let subsets = found.and_then(|endpoints| endpoints.subsets).unwrap_or_default();
        let ready = subsets
            .iter()
            .any(|subset| subset.addresses.as_ref().is_some_and(|addresses| !addresses.is_empty()));
        Ok(if ready {
            Poll::Ready(())
        } else {
            Poll::NotYet("no pod of kube-dns is ready".to_owned())
        })
    })
    .await
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// "20+" is 20.
fn number(text: &str) -> u32 {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}
