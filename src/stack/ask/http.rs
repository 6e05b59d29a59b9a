//! Asks over HTTP, in the clear or not.

use std::{net::SocketAddr, time::Duration};

use http::{Method, StatusCode};
use rustls::{Error, InvalidMessage};
use url::Url;

use super::{Asked, late};
use crate::{
    plan::{Access, EndpointPlan, Trusted},
    text::{chain, shortened},
    transport::{Client, Reply, TransportError},
};

/// How much of an answer a message shows, in characters.
const SHOWN: usize = 200;

/// The URL of an endpoint at an address, if it speaks HTTP(S).
pub(in crate::stack) fn url(endpoint: &EndpointPlan, address: SocketAddr) -> Option<Url> {
    let url = match &endpoint.access {
        Access::Http { .. } => format!("http://{address}/"),
        Access::Https { server_name, .. } => format!("https://{server_name}:{}/", address.port()),
        Access::Tcp | Access::Postgres(_) => return None,
    };
    Url::parse(&url).ok()
}

/// Asks for the health path, or for anything.
pub(super) async fn get(
    client: &Client,
    endpoint: &EndpointPlan,
    address: SocketAddr,
    limit: Duration,
) -> Asked {
    let Some(mut url) = url(endpoint, address) else {
        return Asked::Wrong("it can have no URL".to_owned());
    };
    let health = endpoint.health();
    let path = path(health);
    let (path, query) =
        path.split_once('?').map_or((&*path, None), |(path, query)| (path, Some(query)));
    url.set_path(path);
    url.set_query(query);
    match client.send(client.request(Method::GET, url).timeout(limit)).await {
        Ok(reply) if is_good(&reply, health) => Asked::Answered,
        Ok(Reply { status, body, .. }) => {
            let words = format!("{status} {}", shortened(body.trim(), SHOWN)).trim_end().to_owned();
            match status {
                StatusCode::NOT_FOUND => Asked::NotFound(words),
                // What it needs may come later than it did.
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT => Asked::Starting(words),
                _ => Asked::Wrong(words),
            }
        }
        Err(error) if error.is_late() => Asked::Late(late(limit)),
        Err(error) => match distrust(endpoint, &error) {
            Some(words) => Asked::Untrusted(words),
            None => Asked::Refused(chain(&error)),
        },
    }
}

fn is_good(reply: &Reply, health: Option<&str>) -> bool {
    match health {
        Some(_) => reply.status.is_success(),
        None => !reply.status.is_server_error(),
    }
}

/// The path that is asked for, from the root, however it was written.
pub(super) fn path(health: Option<&str>) -> String {
    format!("/{}", health.unwrap_or_default().trim_start_matches('/'))
}

/// Why what it presents is no proof, and what can be done about that.
fn distrust(endpoint: &EndpointPlan, error: &TransportError) -> Option<String> {
    let Access::Https { trusted, .. } = &endpoint.access else { return None };
    let refusal = error.refusal()?;
    let hint = if matches!(refusal, Error::InvalidMessage(InvalidMessage::InvalidContentType)) {
        "it does not speak TLS; is it `Endpoint::http`?".to_owned()
    } else if !matches!(refusal, Error::InvalidCertificate(_)) {
        return None;
    } else if *trusted == Trusted::Machine {
        "name who signed it with `.ca(..)`".to_owned()
    } else {
        format!("trusted is what {trusted} has")
    };
    Some(format!("{refusal}; {hint}"))
}
