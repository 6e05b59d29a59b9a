//! A suite's namespace, and the Secrets in it.
//!
//! Passwords belong to the cluster: its databases keep them. So they are
//! stored in a Secret of our own, and read back when the cluster is used again.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{
    ByteString,
    api::core::v1::{Namespace, Pod, Secret, ServiceAccount},
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::json;

use super::{StackError, apply::MANAGER};
use crate::{
    cluster::Cluster,
    manifest::SUITE,
    password::Password,
    plan::SuitePlan,
    wait::{self, Limit, Poll, WaitError},
};

/// The Secret of ours that holds a namespace's passwords.
const PASSWORDS: &str = "kindwright-passwords";
const SERVICE_ACCOUNT: Limit =
    Limit { total: Duration::from_secs(30), every: Duration::from_millis(25) };

const RELEASED: Limit = Limit { total: Duration::from_mins(1), every: Duration::from_millis(250) };

/// Makes a namespace of a suite, and waits until pods can be made in it.
pub(crate) async fn ensure(
    client: &Client,
    namespace: &str,
    suite: &str,
) -> Result<(), StackError> {
    let fail = |what: &str, source| StackError::Api {
        what: what.to_owned(),
        namespace: namespace.to_owned(),
        source: Box::new(source),
    };
    let object = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "labels": {SUITE: suite}},
    });
    Api::<Namespace>::all(client.clone())
        .patch(namespace, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object))
        .await
        .map_err(|source| fail("make the namespace", source))?;
    // Without it the first pods are refused, and tried again only after a while.
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), namespace);
    let there = wait::until("the default service account", SERVICE_ACCOUNT, async || {
        Ok(match accounts.get_opt("default").await? {
            Some(_) => Poll::Ready(()),
            None => Poll::NotYet("none".to_owned()),
        })
    });
    match there.await {
        Ok(()) => Ok(()),
        Err(WaitError::Broken { source, .. }) => Err(fail("read its service account", source)),
        Err(error @ WaitError::TimedOut { .. }) => Err(StackError::Lost {
            workload: namespace.to_owned(),
            reason: error.to_string(),
            evidence: Vec::new(),
        }),
    }
}

/// Deletes the namespace, and waits a while for its pods to be gone.
///
/// A failure is no news: the namespace goes with the cluster.
pub(crate) async fn release(cluster: &Cluster, namespace: &str) {
    let namespaces = Api::<Namespace>::all(cluster.client());
    let _ = namespaces.delete(namespace, &DeleteParams::background()).await;
    let pods = Api::<Pod>::namespaced(cluster.client(), namespace);
    let _ = wait::until("the end of its pods", RELEASED, async || {
        let left = pods.list(&ListParams::default()).await?.items.len();
        Ok::<_, kube::Error>(if left == 0 {
            Poll::Ready(())
        } else {
            Poll::NotYet(format!("{left} pods"))
        })
    })
    .await;
}

/// The passwords of the namespace: those that it has, and those of the plan where it has none.
pub(super) async fn passwords(
    cluster: &Cluster,
    suite: &SuitePlan,
) -> Result<BTreeMap<String, Password>, StackError> {
    let secrets = Api::<Secret>::namespaced(cluster.client(), &suite.namespace);
    let stored = secrets.get_opt(PASSWORDS).await.map_err(|source| StackError::Api {
        what: "read the passwords".to_owned(),
        namespace: suite.namespace.clone(),
        source: Box::new(source),
    })?;
    let mut passwords = suite.passwords.clone();
    for (name, ByteString(bytes)) in stored.and_then(|secret| secret.data).unwrap_or_default() {
        if let Ok(text) = String::from_utf8(bytes) {
            passwords.insert(name, Password::new(text));
        }
    }
    let values = passwords.iter();
    let values = values.map(|(name, password)| (name.clone(), password.reveal().to_owned()));
    store(&secrets, suite, PASSWORDS, values.collect()).await?;
    Ok(passwords)
}

/// Makes the suite's Secrets.
pub(super) async fn secrets(
    cluster: &Cluster,
    suite: &SuitePlan,
    passwords: &BTreeMap<String, Password>,
) -> Result<(), StackError> {
    let secrets = Api::<Secret>::namespaced(cluster.client(), &suite.namespace);
    for secret in &suite.secrets {
        store(&secrets, suite, &secret.name, secret.values(passwords)).await?;
    }
    Ok(())
}

async fn store(
    secrets: &Api<Secret>,
    suite: &SuitePlan,
    name: &str,
    values: BTreeMap<String, String>,
) -> Result<(), StackError> {
    let data = values.into_iter().map(|(key, value)| (key, ByteString(value.into_bytes())));
    let object = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {SUITE: suite.name}},
        "data": data.collect::<BTreeMap<_, _>>(),
    });
    secrets
        .patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object))
        .await
        .map(drop)
        .map_err(|source| StackError::Api {
            what: format!("make the Secret `{name}`"),
            namespace: suite.namespace.clone(),
            source: Box::new(source),
        })
}
