//! Sends an endpoint one real request, as a case would.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

mod http;
mod postgres;
mod tcp;
#[cfg(test)]
mod tests;

pub(super) use http::url;
pub(super) use postgres::{database_url, options};

use super::clients::Clients;
use crate::{
    password::Password,
    plan::{Access, EndpointPlan},
};

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It was answered as it should be.
    Answered,
    /// There is nothing at this path.
    NotFound(String),
    /// It says itself that it does not serve yet.
    Starting(String),
    /// The answer is another than wanted.
    Wrong(String),
    /// It does not take the login.
    Denied(String),
    /// It does not prove who it is, or nobody knows yet by what.
    Untrusted(String),
    /// There was no answer in time.
    Late(String),
    /// Nobody took it.
    Refused(String),
}

/// Asks services of a stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) clients: &'a Clients,
    pub(super) passwords: &'a BTreeMap<String, Password>,
}

impl Asker<'_> {
    /// Sends one request, which may take so long.
    pub(super) async fn ask(
        &self,
        endpoint: &EndpointPlan,
        address: SocketAddr,
        limit: Duration,
    ) -> Asked {
        match &endpoint.access {
            Access::Http { .. } | Access::Https { .. } => {
                match Box::pin(self.clients.made(endpoint, address)).await {
                    Ok(client) => http::get(&client, endpoint, address, limit).await,
                    Err(words) => Asked::Untrusted(words),
                }
            }
            Access::Tcp => tcp::connect(address, limit).await,
            Access::Postgres(database) => {
                postgres::select(&options(address, database, self.passwords), limit).await
            }
        }
    }
}

/// What an endpoint at an address is asked, in words.
pub(super) fn asked(endpoint: &EndpointPlan, address: SocketAddr) -> String {
    let path = http::path(endpoint.health());
    match &endpoint.access {
        Access::Http { .. } => format!("GET {path} on {address}"),
        Access::Https { server_name, .. } => format!("GET {path} of `{server_name}` on {address}"),
        Access::Tcp => format!("a connection to `{}` on {address}", endpoint.name),
        Access::Postgres(database) => format!("SELECT 1 in `{}` on {address}", database.name),
    }
}

fn late(limit: Duration) -> String {
    format!("no answer within {limit:.1?}")
}
