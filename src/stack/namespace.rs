//! A suite's namespace, and the Secrets in it.
//!
//! Passwords belong to the cluster: its databases keep them. So they are
//! stored in a Secret of our own, and read back when the cluster is used again.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{
    ByteString,
    api::core::v1::{Namespace, Secret, ServiceAccount},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{StackError, apply::MANAGER, error::is_refusal, insist};
use crate::{
    cluster::Cluster,
    manifest::SUITE,
    password::Password,
    plan::SuitePlan,
    wait::{self, Limit, Poll, WaitError},
};

/// The Secret of ours that holds a namespace's passwords.
pub(super) const PASSWORDS: &str = "kindwright-passwords";
const SERVICE_ACCOUNT: Limit =
    Limit { total: Duration::from_mins(2), every: Duration::from_millis(25) };

/// How long a namespace of the same name may take to be gone.
const LEFT: Limit = Limit { total: Duration::from_mins(1), every: Duration::from_millis(100) };

/// What is written on a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// Makes a namespace of a suite, and waits until pods can be made in it.
pub(crate) async fn ensure(
    client: &Client,
    namespace: &str,
    suite: &str,
) -> Result<(), StackError> {
    let labels = BTreeMap::from([(SUITE.to_owned(), suite.to_owned())]);
    ensure_marked(client, namespace, &Marks { labels, ..Marks::default() }).await.map(drop)
}

/// Makes a namespace with these marks and no others of ours, and waits until pods can be made in it.
pub(crate) async fn ensure_marked(
    client: &Client,
    namespace: &str,
    marks: &Marks,
) -> Result<Namespace, StackError> {
    let fail = |what: &str, source: kube::Error| StackError::Api {
        what: what.to_owned(),
        namespace: namespace.to_owned(),
        source: source.into(),
    };
    let Marks { labels, annotations } = marks;
    let object = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "labels": labels, "annotations": annotations},
    });
    let namespaces = Api::<Namespace>::all(client.clone());
    let made = insist::until("the end of the one before", LEFT, async || {
        let (how, object) = (PatchParams::apply(MANAGER).force(), Patch::Apply(&object));
        let made = namespaces.patch(namespace, &how, &object).await?;
        Ok(if made.metadata.deletion_timestamp.is_none() {
            Poll::Ready(made)
        } else {
            Poll::NotYet(remaining(&made).unwrap_or_else(|| "its objects are deleted".to_owned()))
        })
    });
    let made = made.await.map_err(|error| match error {
        WaitError::Broken { source, .. } => fail("make the namespace", source),
        WaitError::TimedOut { last, .. } => {
            StackError::Leaving { namespace: namespace.to_owned(), words: last }
        }
    })?;
    // Without it the first pods are refused, and tried again only after a while.
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), namespace);
    let there = insist::until("the default service account", SERVICE_ACCOUNT, async || {
        Ok(match accounts.get_opt("default").await? {
            Some(_) => Poll::Ready(()),
            None => Poll::NotYet("none".to_owned()),
        })
    });
    match there.await {
        Ok(()) => Ok(made),
        Err(WaitError::Broken { source, .. }) => Err(fail("read its service account", source)),
        Err(error @ WaitError::TimedOut { .. }) => Err(StackError::Lost {
            workload: namespace.to_owned(),
            reason: error.to_string(),
            evidence: Vec::new(),
        }),
    }
}

/// Waits until a namespace is gone that is told to end, or until nobody can tell any more.
///
/// Whoever makes it anew waits for the end of the one before, and tells what holds it.
pub(crate) async fn gone(client: Client, namespace: &str) {
    let namespaces = Api::<Namespace>::all(client);
    let looking = async {
        loop {
            match namespaces.get_opt(namespace).await {
                Ok(None) => return,
                Err(error) if is_refusal(&error) => return,
                Ok(Some(_)) | Err(_) => wait::pause(LEFT.every).await,
            }
        }
    };
    let _ = tokio::time::timeout(LEFT.total, looking).await;
}

/// What holds up the deletion of a namespace: objects with finalizers, as the server counts them.
pub(super) fn remaining(namespace: &Namespace) -> Option<String> {
    let conditions = namespace.status.as_ref()?.conditions.iter().flatten();
    let mut holding = conditions.filter(|condition| condition.status == "True");
    holding
        .find(|condition| condition.type_ == "NamespaceFinalizersRemaining")
        .and_then(|condition| condition.message.clone())
}

/// Whether something of an earlier run may be in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing was ever applied in it.
    None,
    /// The suite was brought up in it, or nearly.
    Kept,
}

/// The passwords of the namespace: those that it has, and those of the plan where it has none.
///
/// They are stored before anything else is made, so whether it has any tells of its past.
pub(super) async fn passwords(
    cluster: &Cluster,
    suite: &SuitePlan,
) -> Result<(BTreeMap<String, Password>, Past), StackError> {
    let secrets = Api::<Secret>::namespaced(cluster.client(), &suite.namespace);
    let stored = secrets.get_opt(PASSWORDS).await.map_err(|source| StackError::Api {
        what: "read the passwords".to_owned(),
        namespace: suite.namespace.clone(),
        source: source.into(),
    })?;
    let past = if stored.is_some() { Past::Kept } else { Past::None };
    let mut passwords = suite.passwords.clone();
    for (name, ByteString(bytes)) in stored.and_then(|secret| secret.data).unwrap_or_default() {
        if let Ok(text) = String::from_utf8(bytes) {
            passwords.insert(name, Password::new(text));
        }
    }
    let values = passwords.iter();
    let values = values.map(|(name, password)| (name.clone(), password.reveal().to_owned()));
    store(&secrets, suite, PASSWORDS, values.collect()).await?;
    Ok((passwords, past))
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
            source: source.into(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_hangs_in_deletion_is_named_with_the_finalizer() {
        let words = "Some content in the namespace has finalizers remaining: example.io/hold in 1 resource instances";
        let namespace = |status: &str| -> Namespace {
            let condition =
                json!({"type": "NamespaceFinalizersRemaining", "status": status, "message": words});
            serde_json::from_value(json!({"status": {"conditions": [condition]}})).unwrap()
        };
        assert_eq!(remaining(&namespace("True")).as_deref(), Some(words));
        assert_eq!(remaining(&namespace("False")), None);
    }
}
