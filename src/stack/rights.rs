//! Proves what the accounts of pods may not do, by the server's own access reviews.

use std::{collections::BTreeSet, fmt, time::Duration};

use futures_util::future::join_all;
use k8s_openapi::{
    api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client,
    api::{ListParams, PostParams},
};

use super::{Stack, StackError, insist, made};
use crate::{
    manifest::{pod_spec, text_at},
    plan::SuitePlan,
    pod_logs::{self, Extent, Run},
    text::listed,
    wait::{Limit, Poll},
};

/// How long the server may take to act by roles that were just applied.
const ACTS: Limit = Limit { total: Duration::from_secs(30), every: Duration::from_millis(100) };
/// How much of a log is searched for refusals.
const EXTENT: Extent = Extent { lines: 200, bytes: 1 << 17, ..Extent::WHOLE };
/// What every controller does with what it controls.
const WATCHES: [&str; 2] = ["list", "watch"];
/// How the name of the user begins that an account of pods is.
const ACCOUNT: &str = "system:serviceaccount:";

/// Something that an account may or may not do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    /// The account, by namespace and name.
    account: (String, String),
    verb: String,
    /// The kind in the plural, and its subresource, if one is meant.
    resource: String,
    group: String,
    /// The namespace in which it would be done, or all of them.
    namespace: Option<String>,
}

/// Fails if no account of the suite's pods may watch what the suite controls, once all its roles are applied.
pub(super) async fn check(client: &Client, suite: &SuitePlan) -> Result<(), StackError> {
    let controls = &suite.controls;
    if controls.is_empty() {
        return Ok(());
    }
    let fail = |error: kube::Error| StackError::Api {
        what: "review what accounts may do".to_owned(),
        namespace: suite.namespace.clone(),
        source: error.into(),
    };
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    let definitions = definitions.list(&ListParams::default()).await.map_err(fail)?.items;
    let accounts = accounts(suite);
    let controlled = definitions.iter().filter(|it| controls.contains(&it.spec.names.kind));
    for definition in controlled {
        let (group, plural) = (&definition.spec.group, &definition.spec.names.plural);
        for verb in WATCHES {
            let rights = wishes(suite, &accounts, [verb, plural, group]);
            let allowed = insist::until("a right of the controller", ACTS, async || {
                let reviews = join_all(rights.iter().map(|right| is_allowed(client, right))).await;
                let reviews: Vec<_> = reviews.into_iter().collect::<Result<_, _>>()?;
                Ok(if reviews.contains(&true) {
                    Poll::Ready(())
                } else {
                    Poll::NotYet("nobody may".to_owned())
                })
            });
            if allowed.await.is_err() {
                let names = listed(accounts.iter().map(|(_, name)| format!("`{name}`")));
                return Err(StackError::Rights {
                    suite: suite.name.clone(),
                    kind: definition.spec.names.kind.clone(),
                    accounts: names,
                    rule: rule(group, plural, "get, list, watch"),
                });
            }
        }
    }
    Ok(())
}

/// The accounts of the suite's pods, by namespace and name.
fn accounts(suite: &SuitePlan) -> BTreeSet<(String, String)> {
    let objects = suite.workloads().flat_map(|workload| &workload.objects);
    let accounts = objects.filter_map(|object| {
        let name = text_at(pod_spec(object)?, "/serviceAccountName");
        let name = if name.is_empty() { "default" } else { name };
        Some((text_at(object, "/metadata/namespace").to_owned(), name.to_owned()))
    });
    accounts.collect()
}

/// Everywhere that one of the accounts may want to do this: in all namespaces, or in one of the suite.
fn wishes(
    suite: &SuitePlan,
    accounts: &BTreeSet<(String, String)>,
    [verb, resource, group]: [&str; 3],
) -> Vec<Right> {
    let places = suite.namespaces().map(|name| Some(name.to_owned())).chain([None]);
    let places: Vec<_> = places.collect();
    let wishes = accounts.iter().flat_map(|account| {
        places.iter().map(|namespace| Right {
            account: account.clone(),
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            group: group.to_owned(),
            namespace: namespace.clone(),
        })
    });
    wishes.collect()
}

/// What these lines say was refused to accounts of pods and what the server refuses still, a line for each.
pub(super) async fn proven<'a>(
    client: &Client,
    lines: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    let refused: BTreeSet<_> = lines.into_iter().filter_map(Right::read).collect();
    let reviews = refused.iter().map(|right| async move {
        // Who cannot be asked proves nothing.
        matches!(is_allowed(client, right).await, Ok(false)).then(|| right.to_string())
    });
    join_all(reviews).await.into_iter().flatten().collect()
}

async fn is_allowed(client: &Client, right: &Right) -> Result<bool, kube::Error> {
    let (namespace, name) = &right.account;
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, part)) => (resource, Some(part.to_owned())),
        None => (right.resource.as_str(), None),
    };
    let groups = ["system:serviceaccounts", "system:authenticated"].map(str::to_owned);
    let own = format!("system:serviceaccounts:{namespace}");
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(format!("{ACCOUNT}{namespace}:{name}")),
            groups: Some(groups.into_iter().chain([own]).collect()),
            resource_attributes: Some(ResourceAttributes {
                group: Some(right.group.clone()),
                resource: Some(resource.to_owned()),
                subresource,
                verb: Some(right.verb.clone()),
                namespace: right.namespace.clone(),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews = Api::<SubjectAccessReview>::all(client.clone());
    let review = reviews.create(&PostParams::default(), &review).await?;
    Ok(review.status.is_some_and(|status| status.allowed))
}

impl Right {
    /// What a line says was refused, in the words of the server: `User "system:serviceaccount:shop:till" cannot
    /// list resource "orders" in API group "example.io" in the namespace "shop"`.
    fn read(line: &str) -> Option<Self> {
        // Logs in JSON write quotes with a backslash.
        let line = line.replace('\\', "");
        let (_, rest) = line.split_once(&format!("User \"{ACCOUNT}"))?;
        let (account, rest) = rest.split_once("\" cannot ")?;
        let (verb, rest) = rest.split_once(" resource \"")?;
        let (resource, rest) = rest.split_once("\" in API group \"")?;
        let (group, rest) = rest.split_once('"')?;
        let namespace = match rest.trim_start().strip_prefix("in the namespace \"") {
            Some(rest) => Some(rest.split_once('"')?.0.to_owned()),
            None => None,
        };
        let (own, name) = account.split_once(':')?;
        Some(Self {
            account: (own.to_owned(), name.to_owned()),
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            group: group.to_owned(),
            namespace,
        })
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account: (own, name), verb, resource, group, namespace } = self;
        let place = match namespace {
            Some(namespace) => format!("in namespace `{namespace}`"),
            None => "in all namespaces".to_owned(),
        };
        let rule = rule(group, resource, verb);
        write!(
            f,
            "account `{name}` of `{own}` may not {verb} {resource} {place}, as a review of its access proves; it lacks the rule {rule}"
        )
    }
}

/// A rule of a role, as a manifest has it.
fn rule(group: &str, resource: &str, verbs: &str) -> String {
    format!("{{apiGroups: [\"{group}\"], resources: [{resource}], verbs: [{verbs}]}}")
}

impl Stack {
    /// What was refused to accounts of its pods in the `last` so long, by their logs, and is refused still.
    pub(crate) async fn refused(&self, last: Duration) -> Vec<String> {
        let client = self.client();
        let pods = made::pods_of_suite(&client, self.plan()).await.unwrap_or_default();
        let extent = Extent { last: Some(last), ..EXTENT };
        let client = &client;
        let reading = pods.iter().flat_map(|pod| {
            pod_logs::containers(pod).map(move |container| async move {
                let name = &container.name;
                pod_logs::read(client, pod, name, Run::Latest, extent).await.unwrap_or_default()
            })
        });
        let logs = join_all(reading).await;
        proven(client, logs.iter().flat_map(|log| log.lines())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(namespace: Option<&str>) -> Right {
        Right {
            account: ("shop".to_owned(), "till".to_owned()),
            verb: "update".to_owned(),
            resource: "orders/status".to_owned(),
            group: "example.io".to_owned(),
            namespace: namespace.map(str::to_owned),
        }
    }

    #[test]
    fn a_refusal_of_the_server_is_read_from_a_line_of_any_log() {
        let plain = r#"E orders.example.io "tea" is forbidden: User "system:serviceaccount:shop:till" cannot update resource "orders/status" in API group "example.io" in the namespace "shop""#;
        assert_eq!(Right::read(plain), Some(right(Some("shop"))));
        let json = format!("{{\"level\":\"error\",\"error\":{plain:?}}}");
        assert_eq!(Right::read(&json), Some(right(Some("shop"))));
        let everywhere = plain.replace("in the namespace \"shop\"", "at the cluster scope");
        assert_eq!(Right::read(&everywhere), Some(right(None)));
        for line in [
            "",
            "forbidden",
            r#"User "kubernetes-admin" cannot list resource "orders" in API group """#,
        ] {
            assert_eq!(Right::read(line), None, "{line}");
        }
    }

    #[test]
    fn a_right_that_lacks_is_told_with_the_rule_that_would_give_it() {
        assert_eq!(
            right(None).to_string(),
            "account `till` of `shop` may not update orders/status in all namespaces, as a review of its access proves; it lacks the rule {apiGroups: [\"example.io\"], resources: [orders/status], verbs: [update]}"
        );
    }
}
