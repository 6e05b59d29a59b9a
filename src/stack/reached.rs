//! Where the endpoints of a stack are reached, by their names.

use std::{collections::BTreeMap, fmt};

use sqlx::postgres::PgConnectOptions;
use url::Url;

use super::{StackError, ask::options, site::Site};
use crate::{
    cluster::Address,
    password::Password,
    plan::{SuitePlan, WorkloadPlan},
    suite::{Endpoint, EndpointName, Probe},
};

/// How the endpoints of a stack are reached.
#[derive(Clone, Default)]
pub(super) struct Reached {
    urls: BTreeMap<EndpointName, Url>,
    /// How to log in to databases. Their own `Debug` shows passwords.
    logins: BTreeMap<EndpointName, PgConnectOptions>,
}

impl Reached {
    /// How workloads are reached.
    pub(super) fn by(
        site: &Site,
        workloads: &[WorkloadPlan],
        passwords: &BTreeMap<String, Password>,
    ) -> Result<Self, StackError> {
        let mut reached = Self::default();
        for workload in workloads {
            for endpoint in &workload.endpoints {
                reached.note(endpoint, address(site, workload, endpoint)?, passwords);
            }
        }
        Ok(reached)
    }

    fn note(
        &mut self,
        endpoint: &Endpoint,
        address: &Address,
        passwords: &BTreeMap<String, Password>,
    ) {
        match &endpoint.probe {
            Probe::Http(_) => {
                if let Ok(url) = Url::parse(&format!("http://{address}/")) {
                    self.urls.insert(endpoint.name(), url);
                }
            }
            Probe::Postgres(database) => {
                let options = options(address, database, passwords);
                self.logins.insert(endpoint.name(), options);
            }
        }
    }

    /// Adds how others are reached.
    pub(super) fn extend(&mut self, others: Self) {
        self.urls.extend(others.urls);
        self.logins.extend(others.logins);
    }

    /// Where a service of a suite is reached over HTTP, or the port of it that is named after a colon.
    pub(super) fn url(&self, suite: &SuitePlan, name: &str) -> Option<&Url> {
        let endpoint = match name.split_once(':') {
            Some((service, port)) => {
                EndpointName { service: service.to_owned(), port: port.to_owned() }
            }
            None => suite.first_http(name)?.name(),
        };
        self.urls.get(&endpoint)
    }

    /// The endpoints that are reached over HTTP.
    pub(super) fn urls(&self) -> impl Iterator<Item = &EndpointName> {
        self.urls.keys()
    }

    /// How to log in to the database behind an endpoint.
    pub(super) fn login(&self, endpoint: &EndpointName) -> Option<&PgConnectOptions> {
        self.logins.get(endpoint)
    }

    /// How to log in to the first database of these endpoints.
    pub(super) fn database<'a>(
        &self,
        endpoints: impl IntoIterator<Item = &'a Endpoint>,
    ) -> Option<&PgConnectOptions> {
        let mut endpoints = endpoints.into_iter();
        let first = endpoints.find(|endpoint| matches!(endpoint.probe, Probe::Postgres(_)))?;
        self.login(&first.name())
    }
}

impl fmt::Debug for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reached").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// Where an endpoint is reached from here.
pub(super) fn address<'a>(
    site: &'a Site,
    workload: &WorkloadPlan,
    endpoint: &Endpoint,
) -> Result<&'a Address, StackError> {
    site.cluster.address(endpoint.node_port).ok_or_else(|| StackError::Unmapped {
        workload: workload.name.clone(),
        node_port: endpoint.node_port,
        cluster: site.cluster.name().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{Database, Workload};

    fn database(name: &str) -> Database {
        Database { user: "keeper".into(), name: name.into(), password: "db".into() }
    }

    /// A Service with two databases behind it, declared against the alphabet.
    fn endpoints() -> Vec<Endpoint> {
        let workload = Workload::new("store", "store.yaml");
        workload
            .http("http", 30080, "/health")
            .postgres("second", 30002, database("second"))
            .postgres("first", 30001, database("first"))
            .endpoints
    }

    fn reached(endpoints: &[Endpoint]) -> Reached {
        let passwords = BTreeMap::from([("db".to_owned(), Password::new("hunter2".to_owned()))]);
        let mut reached = Reached::default();
        for endpoint in endpoints {
            let address = Address { host: "127.0.0.1".into(), port: endpoint.node_port };
            reached.note(endpoint, &address, &passwords);
        }
        reached
    }

    #[test]
    fn a_password_is_not_shown_by_debug() {
        let reached = reached(&endpoints());
        assert!(format!("{:?}", reached.logins).contains("hunter2"), "nothing is to be hidden");
        assert!(!format!("{reached:?}").contains("hunter2"));
    }

    #[test]
    fn each_database_of_a_service_has_its_own_port_and_the_first_is_the_first_declared() {
        let endpoints = endpoints();
        let reached = reached(&endpoints);
        let port =
            |endpoint: &Endpoint| reached.login(&endpoint.name()).map(PgConnectOptions::get_port);
        assert_eq!(port(&endpoints[1]), Some(30002));
        assert_eq!(port(&endpoints[2]), Some(30001));
        assert_eq!(reached.database(&endpoints).map(PgConnectOptions::get_port), Some(30002));
        assert!(reached.database(&endpoints[..1]).is_none());
    }
}
