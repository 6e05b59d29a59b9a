//! Finds the pods of a suite, and those that one of its objects made.

use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, api::ListParams};
use serde_json::{Value, json};

use super::pods::is_made_by;
use crate::{
    manifest::{SUITE, selector, text_at},
    plan::SuitePlan,
};

/// The pods that an object made; a Pod is its own.
pub(super) async fn pods_of(pods: &Api<Pod>, object: &Value) -> Result<Vec<Pod>, kube::Error> {
    if object["kind"] == "Pod" {
        let pod = pods.get_opt(text_at(object, "/metadata/name")).await?;
        return Ok(pod.into_iter().collect());
    }
    let Some(selector) = selector(object) else {
        return Ok(Vec::new());
    };
    let mut made = pods.list(&ListParams::default().labels(&selector)).await?.items;
    made.retain(|pod| is_made_by(pod, object));
    Ok(made)
}

/// The pods of a namespace that one of these objects made, each given by kind and name.
pub(crate) async fn pods_made_by(
    client: &Client,
    namespace: &str,
    makers: &[(String, String)],
) -> Result<Vec<Pod>, kube::Error> {
    let of = |(kind, name): &(String, String)| json!({"kind": kind, "metadata": {"name": name}});
    let makers: Vec<_> = makers.iter().map(of).collect();
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    let mut made = pods.list(&ListParams::default()).await?.items;
    made.retain(|pod| makers.iter().any(|maker| is_made_by(pod, maker)));
    Ok(made)
}

/// The pods of a suite, in all its namespaces.
pub(super) async fn pods_of_suite(
    client: &Client,
    suite: &SuitePlan,
) -> Result<Vec<Pod>, kube::Error> {
    let of_suite = ListParams::default().labels(&format!("{SUITE}={}", suite.name));
    let listing = suite.namespaces().map(|namespace| {
        let pods = Api::<Pod>::namespaced(client.clone(), namespace);
        let of_suite = &of_suite;
        async move { pods.list(of_suite).await }
    });
    Ok(try_join_all(listing).await?.into_iter().flat_map(|list| list.items).collect())
}
