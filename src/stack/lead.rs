//! Says where the Service of an endpoint leads, when nothing answers on its NodePort.

use std::{
    cell::Cell,
    convert::Infallible,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use kube::{Api, api::ListParams};

use super::Place;
use crate::{
    suite::Endpoint,
    wait::{self, Limit, Poll},
};

/// How long a Service of pods that are ready may lead to none of them.
const NOWHERE: Duration = Duration::from_secs(5);
/// How long each request may be refused although the Service leads somewhere.
const REFUSED: Duration = Duration::from_secs(10);
/// The last look is long after whoever asks has given up.
const LOOKS: Limit = Limit { total: Duration::from_mins(10), every: Duration::from_secs(1) };

/// Where a Service leads, in words.
enum Lead {
    /// To pods that are ready.
    Somewhere(String),
    /// To no pod.
    Nowhere(String),
}

/// Ends when it is clear that no request to the endpoint will be answered, with the reason.
///
/// `heard` says whether a request was at least taken.
pub(super) async fn nowhere(
    place: &Place,
    namespace: &str,
    endpoint: &Endpoint,
    heard: &Cell<bool>,
) -> String {
    let begun = Instant::now();
    wait::pause(NOWHERE).await;
    let looking = wait::until("the end of a Service", LOOKS, async || {
        Ok::<_, Infallible>(match lead(place, namespace, endpoint).await {
            Ok(Lead::Nowhere(words)) => Poll::Ready(words),
            Ok(Lead::Somewhere(words)) if !heard.get() && begun.elapsed() >= REFUSED => {
                Poll::Ready(words)
            }
            Ok(Lead::Somewhere(words)) => Poll::NotYet(words),
            Err(error) => Poll::NotYet(error.to_string()),
        })
    });
    match looking.await {
        Ok(words) => words,
        Err(_) => std::future::pending().await,
    }
}

async fn lead(place: &Place, namespace: &str, endpoint: &Endpoint) -> Result<Lead, kube::Error> {
    let client = place.cluster.client();
    let name = &endpoint.service;
    let service = Api::<Service>::namespaced(client.clone(), namespace).get_opt(name).await?;
    let Some(service) = service else {
        return Ok(Lead::Nowhere(format!("there is no Service `{name}`; was it deleted?")));
    };
    let selector = service.spec.and_then(|spec| spec.selector).unwrap_or_default();
    let labels: Vec<_> = selector.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let selector = labels.join(",");
    let found = Api::<Endpoints>::namespaced(client.clone(), namespace).get_opt(name).await?;
    if let Some(words) = addresses(&endpoint.port, &found.unwrap_or_default()) {
        return Ok(Lead::Somewhere(words));
    }
    let chosen = ListParams::default().labels(&selector);
    let pods = Api::<Pod>::namespaced(client, namespace).list(&chosen).await?.items.len();
    Ok(Lead::Nowhere(match pods {
        0 => format!("its Service selects `{selector}`, and there is no pod with these labels"),
        _ => format!("of {pods} pods that its Service selects by `{selector}` none is ready"),
    }))
}

/// The addresses behind a port of a Service, in words, if there are any.
fn addresses(port: &str, endpoints: &Endpoints) -> Option<String> {
    let mut addresses = Vec::new();
    for subset in endpoints.subsets.iter().flatten() {
        // A port that is the only one has no name.
        let ports = subset.ports.iter().flatten();
        let mut ports = ports.filter(|known| known.name.as_deref().is_none_or(|name| name == port));
        let Some(number) = ports.next().map(|port| port.port) else { continue };
        for address in subset.addresses.iter().flatten() {
            let pod = address.target_ref.as_ref().and_then(|pod| pod.name.as_deref());
            addresses.push(format!("port {number} of `{}`", pod.unwrap_or(&address.ip)));
        }
    }
    let nothing = "where nothing takes requests; is `targetPort` right?";
    (!addresses.is_empty())
        .then(|| format!("its Service leads to {}, {nothing}", addresses.join(" and ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn endpoints(subsets: &serde_json::Value) -> Endpoints {
        serde_json::from_value(json!({"metadata": {"name": "shop"}, "subsets": subsets})).unwrap()
    }

    #[test]
    fn only_pods_that_are_ready_are_addresses() {
        for subsets in [json!(null), json!([{"notReadyAddresses": [{"ip": "10.0.0.1"}]}])] {
            assert_eq!(addresses("http", &endpoints(&subsets)), None);
        }
    }

    #[test]
    fn an_address_is_told_with_its_pod_and_the_port_that_was_asked() {
        let words = addresses(
            "http",
            &endpoints(&json!([{
                "addresses": [{"ip": "10.0.0.1", "targetRef": {"kind": "Pod", "name": "shop-1"}}],
                "ports": [{"name": "metrics", "port": 9090}, {"name": "http", "port": 8081}],
            }])),
        );
        assert!(words.unwrap().starts_with("its Service leads to port 8081 of `shop-1`, where"));
    }
}
