//! Where the endpoints of a stack are, and how they are used.

use std::net::{IpAddr, SocketAddr};

use sqlx::postgres::PgConnectOptions;
use url::Url;

use super::{
    Stack, StackError,
    ask::{self, options},
    site::Site,
};
use crate::{plan::EndpointPlan, suite::Table, transport::Client};

impl Stack {
    /// The endpoints that have answered, in the order in which they are declared.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &EndpointPlan> {
        self.plan.endpoints().filter(|endpoint| self.reached.contains(&endpoint.name))
    }

    /// Those of them that speak HTTP(S).
    pub(crate) fn services(&self) -> impl Iterator<Item = &EndpointPlan> {
        self.endpoints().filter(|endpoint| endpoint.is_http())
    }

    /// Those of them that are databases.
    pub(crate) fn databases(&self) -> impl Iterator<Item = &EndpointPlan> {
        self.endpoints().filter(|endpoint| endpoint.database().is_some())
    }

    /// A database: the first of a workload, with `workload:endpoint` this one, without a name the first of all.
    pub(crate) fn database(&self, name: Option<&str>) -> Option<&EndpointPlan> {
        self.databases().find(|it| name.is_none_or(|name| it.name.is(name)))
    }

    /// Where an endpoint is reached from this machine.
    pub(crate) fn address(&self, endpoint: &EndpointPlan) -> Option<SocketAddr> {
        self.site.cluster.address(endpoint.node_port)
    }

    /// The address of this machine under which its pods reach what listens there.
    pub(crate) fn callback(&self) -> Option<IpAddr> {
        self.site.cluster.callback()
    }

    /// The URL of an endpoint that speaks HTTP(S).
    pub(crate) fn url(&self, endpoint: &EndpointPlan) -> Option<Url> {
        ask::url(endpoint, self.address(endpoint)?)
    }

    /// The client for an endpoint that speaks HTTP(S).
    pub(crate) fn client_of(&self, endpoint: &EndpointPlan) -> Option<&Client> {
        self.clients.of(&endpoint.name)
    }

    /// How to log in to the database behind an endpoint.
    pub(crate) fn login(&self, endpoint: &EndpointPlan) -> Option<PgConnectOptions> {
        Some(options(self.address(endpoint)?, endpoint.database()?, &self.passwords))
    }

    /// How to log in to the database of a table.
    pub(crate) fn login_of(&self, table: &Table) -> Option<PgConnectOptions> {
        self.login(self.database(table.database.as_deref())?)
    }

    /// Where a database is, as a URL with the password in it.
    pub(crate) fn database_url(&self, endpoint: &EndpointPlan) -> Option<Url> {
        ask::database_url(self.address(endpoint)?, endpoint.database()?, &self.passwords)
    }
}

/// Where an endpoint is reached from here.
pub(super) fn address(site: &Site, endpoint: &EndpointPlan) -> Result<SocketAddr, StackError> {
    site.cluster.address(endpoint.node_port).ok_or_else(|| StackError::Unmapped {
        workload: endpoint.name.workload.clone(),
        node_port: endpoint.node_port,
        cluster: site.cluster.name().to_string(),
    })
}
