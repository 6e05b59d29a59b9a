//! Says where the Service of an endpoint leads.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{EndpointAddress, Endpoints, Pod, Service};
use kube::{Api, ResourceExt as _, api::ListParams};

use super::{generation, pods, prospect::Selector, site::Site};
use crate::plan::EndpointPlan;

/// Where a Service leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// To pods of today only.
    Here(Vec<Target>),
    /// To a pod of before too.
    Before(String),
    /// To no pod, because none is ready.
    Unready(String),
    /// To no pod, because there is none with these labels, or because there is no Service.
    Nowhere(Option<Selector>, String),
}

/// What is behind a port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The pod, if it is one.
    pod: Option<String>,
    ip: String,
    port: i32,
    /// Whether it is ready because a probe says so.
    probed: bool,
}

/// Looks where an endpoint leads, whose pods of today have one of these marks.
pub(super) async fn lead(
    site: &Site,
    endpoint: &EndpointPlan,
    marks: &BTreeSet<&str>,
) -> Result<Lead, kube::Error> {
    let client = site.cluster.client();
    let (name, namespace) = (&endpoint.service, &endpoint.namespace);
    let services = Api::<Service>::namespaced(client.clone(), namespace);
    let addresses = Api::<Endpoints>::namespaced(client.clone(), namespace);
    let looking = (services.get_opt(name), addresses.get_opt(name));
    let (service, found) = futures_util::future::try_join(looking.0, looking.1).await?;
    let Some(service) = service else {
        return Ok(Lead::Nowhere(None, format!("there is no Service `{name}`; was it deleted?")));
    };
    let selector = service.spec.and_then(|spec| spec.selector).unwrap_or_default();
    let pods = if selector.is_empty() {
        Vec::new()
    } else {
        let chosen = ListParams::default().labels(&listed(&selector));
        Api::<Pod>::namespaced(client, namespace).list(&chosen).await?.items
    };
    Ok(read(&endpoint.port, &selector, &found.unwrap_or_default(), &pods, marks))
}

/// A selector as the server reads it.
fn listed(selector: &Selector) -> String {
    let labels: Vec<_> = selector.iter().map(|(name, value)| format!("{name}={value}")).collect();
    labels.join(",")
}

/// Where a port leads whose Service selects these pods.
fn read(
    port: &str,
    selector: &Selector,
    endpoints: &Endpoints,
    selected: &[Pod],
    marks: &BTreeSet<&str>,
) -> Lead {
    let mut targets = Vec::new();
    for subset in endpoints.subsets.iter().flatten() {
        // A port that is the only one has no name.
        let ports = subset.ports.iter().flatten();
        let mut ports = ports.filter(|known| known.name.as_deref().is_none_or(|name| name == port));
        let Some(number) = ports.next().map(|port| port.port) else { continue };
        for address in subset.addresses.iter().flatten() {
            let pod = pod_of(address);
            let known = pod.and_then(|name| selected.iter().find(|pod| pod.name_any() == name));
            if let Some(name) = pod
                && !known.is_some_and(|pod| is_of_today(pod, marks))
            {
                return Lead::Before(format!("its Service still leads to `{name}` of before"));
            }
            targets.push(Target {
                pod: pod.map(str::to_owned),
                ip: address.ip.clone(),
                port: number,
                probed: known.is_some_and(pods::has_readiness_probe),
            });
        }
    }
    match selected.len() {
        _ if !targets.is_empty() => Lead::Here(targets),
        0 if selector.is_empty() => Lead::Unready("its Service has no endpoints yet".to_owned()),
        0 => {
            let labels = listed(selector);
            let words =
                format!("its Service selects `{labels}`, and there is no pod with these labels");
            Lead::Nowhere(Some(selector.clone()), words)
        }
        pods => Lead::Unready(format!(
            "of {pods} pods that its Service selects by `{}` none is ready",
            listed(selector)
        )),
    }
}

fn pod_of(address: &EndpointAddress) -> Option<&str> {
    let target = address.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"));
    target?.name.as_deref()
}

/// Whether a pod was made from what is deployed today. What a controller made has no mark of ours.
fn is_of_today(pod: &Pod, marks: &BTreeSet<&str>) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && generation::of_pod(pod).is_none_or(|mark| marks.contains(mark))
}

/// What a Service leads to, in words.
pub(super) fn words(targets: &[Target]) -> String {
    let words: Vec<_> = targets
        .iter()
        .map(|target| {
            let whose = target.pod.as_deref().unwrap_or(&target.ip);
            format!("port {} of `{whose}`", target.port)
        })
        .collect();
    format!("its Service leads to {}", words.join(" and "))
}

/// Whether it is proven that nothing takes requests behind a Service: each of its pods calls itself
/// ready by a probe of its own, and refuses whom the API server sends there itself.
pub(super) async fn is_closed(site: &Site, endpoint: &EndpointPlan, targets: &[Target]) -> bool {
    let pods = Api::<Pod>::namespaced(site.cluster.client(), &endpoint.namespace);
    for target in targets {
        let Some(pod) = target.pod.as_deref().filter(|_| target.probed) else {
            return false;
        };
        // Whatever it answers is no pod, and not of interest. Without the slash it is sent elsewhere.
        match pods.get_subresource("proxy/", &format!("{pod}:{}", target.port)).await {
            Err(kube::Error::Api(status)) if refuses(target, &status.message) => {}
            Ok(_) | Err(_) => return false,
        }
    }
    !targets.is_empty()
}

/// Whether the API server says that a target refused its connection. Its versions begin differently.
fn refuses(target: &Target, message: &str) -> bool {
    let (ip, port) = (&target.ip, target.port);
    message.contains(&format!("dial tcp {ip}:{port}: connect: connection refused"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn endpoints(subsets: &Value) -> Endpoints {
        serde_json::from_value(json!({"metadata": {"name": "shop"}, "subsets": subsets})).unwrap()
    }

    fn leading(pods: &[&str]) -> Endpoints {
        let addresses: Vec<_> = pods
            .iter()
            .map(|pod| json!({"ip": "10.0.0.1", "targetRef": {"kind": "Pod", "name": pod}}))
            .collect();
        let ports = json!([{"name": "metrics", "port": 9090}, {"name": "http", "port": 8081}]);
        endpoints(&json!([{"addresses": addresses, "ports": ports}]))
    }

    fn pod(name: &str, annotations: &Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": name, "annotations": annotations}}))
            .unwrap()
    }

    fn marked(name: &str, mark: &str) -> Pod {
        pod(name, &json!({"kindwright/generation": mark}))
    }

    fn selector() -> Selector {
        Selector::from([("app".to_owned(), "shop".to_owned())])
    }

    fn look(endpoints: &Endpoints, pods: &[Pod]) -> Lead {
        read("http", &selector(), endpoints, pods, &BTreeSet::from(["new"]))
    }

    #[test]
    fn only_pods_that_are_ready_are_addresses() {
        for subsets in [json!(null), json!([{"notReadyAddresses": [{"ip": "10.0.0.1"}]}])] {
            let lead = look(&endpoints(&subsets), &[marked("shop-1", "new")]);
            assert!(matches!(lead, Lead::Unready(_)), "{lead:?}");
        }
        let lead = look(&endpoints(&json!(null)), &[]);
        let words = "its Service selects `app=shop`, and there is no pod with these labels";
        assert_eq!(lead, Lead::Nowhere(Some(selector()), words.to_owned()));
    }

    #[test]
    fn an_address_is_told_with_its_pod_and_the_port_that_was_asked() {
        let lead = look(&leading(&["shop-1"]), &[marked("shop-1", "new")]);
        let Lead::Here(targets) = lead else { panic!("{lead:?}") };
        assert_eq!(words(&targets), "its Service leads to port 8081 of `shop-1`");
    }

    #[test]
    fn a_pod_of_before_may_not_be_behind_a_service() {
        let before = Lead::Before("its Service still leads to `shop-1` of before".to_owned());
        let (old, new) = (marked("shop-1", "old"), marked("shop-2", "new"));
        let both = leading(&["shop-2", "shop-1"]);
        assert_eq!(look(&both, &[old, new.clone()]), before);
        let mut ending = marked("shop-1", "new");
        ending.metadata.deletion_timestamp =
            serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(look(&both, &[ending, new.clone()]), before);
        // It is gone, but the Service does not know it yet.
        assert_eq!(look(&both, &[new]), before);
    }

    #[test]
    fn pods_that_a_controller_made_and_addresses_that_are_no_pods_are_of_today() {
        let lead = look(&leading(&["shop-1"]), &[pod("shop-1", &json!({}))]);
        assert!(matches!(lead, Lead::Here(_)), "{lead:?}");
        let foreign =
            json!([{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"name": "http", "port": 80}]}]);
        let lead = read("http", &Selector::new(), &endpoints(&foreign), &[], &BTreeSet::new());
        assert!(matches!(lead, Lead::Here(_)), "{lead:?}");
    }

    #[test]
    fn a_port_is_closed_when_the_pod_itself_refuses() {
        let lead = look(&leading(&["shop-1"]), &[marked("shop-1", "new")]);
        let Lead::Here(targets) = lead else { panic!("{lead:?}") };
        let refuses = |words: &str| refuses(&targets[0], words);
        assert!(refuses(
            "Error trying to reach service: 'dial tcp 10.0.0.1:8081: connect: connection refused'"
        ));
        assert!(refuses(
            "error trying to reach service: dial tcp 10.0.0.1:8081: connect: connection refused"
        ));
        assert!(!refuses("error trying to reach service: dial tcp 10.0.0.1:8081: i/o timeout"));
        // What a service that answers says of another one.
        assert!(!refuses("dial tcp 10.0.0.7:5432: connect: connection refused"));
    }
}
