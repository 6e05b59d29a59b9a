//! An endpoint with everything decided.

use std::{fmt, path::PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::{Inputs, node_ports::Assigned};
use crate::{
    manifest::text_at,
    suite::{Ca, Database, Endpoint, EndpointName, Protocol, Suite, Workload},
};

/// An endpoint with everything decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct EndpointPlan {
    /// What cases know it by.
    #[serde(flatten)]
    pub(crate) name: EndpointName,
    /// The Service and its namespace.
    pub(crate) service: String,
    pub(crate) namespace: String,
    /// The name of the Service's port, or the number of one without a name.
    pub(crate) port: String,
    /// The NodePort that leads to it.
    pub(crate) node_port: u16,
    /// The one that its suite wishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wished: Option<u16>,
    /// The port of this machine that people know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host_port: Option<u16>,
    /// What it speaks.
    #[serde(flatten)]
    pub(crate) access: Access,
    /// The variables by which foreign clients know it.
    pub(crate) variables: Vec<String>,
}

/// What an endpoint speaks, and what is needed to ask it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "protocol")]
pub(crate) enum Access {
    /// GET of the health path is answered with 2xx, or GET of `/` with less than 500.
    Http { health: Option<String> },
    /// The same over TLS.
    Https { health: Option<String>, server_name: String, trusted: Trusted },
    /// It takes a connection.
    Tcp,
    /// `SELECT 1` is answered.
    Postgres(Database),
}

/// Whose certificates are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trusted {
    /// Those that this machine trusts.
    Machine,
    /// Those of a file.
    File {
        /// Where it is.
        path: PathBuf,
        /// What it says.
        #[serde(skip)]
        text: String,
    },
    /// Those under a key of an object, which is there by then.
    Object {
        /// `Secret` or `ConfigMap`.
        kind: &'static str,
        /// What it is called.
        name: String,
        /// The key.
        key: String,
    },
}

/// Plans the endpoints of a workload, whose objects these are.
pub(super) fn plan(
    inputs: &Inputs<'_>,
    suite: &Suite,
    workload: &Workload,
    objects: &[Value],
    node_ports: &Assigned,
) -> Vec<EndpointPlan> {
    let planned = workload.endpoints().map(|(name, endpoint)| {
        let service = endpoint.service_of(&workload.name);
        // One that is not there is a problem of its own.
        let found = objects.iter().find(|object| is_service(object, service));
        let namespace = found.map(|service| text_at(service, "/metadata/namespace"));
        let namespace = namespace.unwrap_or(&suite.name);
        EndpointPlan {
            node_port: node_ports.of(suite, name.clone()),
            name,
            service: service.to_owned(),
            namespace: namespace.to_owned(),
            port: endpoint.port.clone(),
            wished: endpoint.node_port,
            host_port: endpoint.host_port.or(endpoint.node_port),
            access: access(inputs, endpoint, &format!("{service}.{namespace}.svc")),
            variables: endpoint.variables.clone(),
        }
    });
    planned.collect()
}

fn access(inputs: &Inputs<'_>, endpoint: &Endpoint, own_name: &str) -> Access {
    let health = endpoint.health.clone();
    match &endpoint.protocol {
        Protocol::Http => Access::Http { health },
        Protocol::Https => {
            let server_name = endpoint.server_name.as_deref().unwrap_or(own_name).to_owned();
            let trusted = match &endpoint.ca {
                None => Trusted::Machine,
                Some(Ca::File(path)) => {
                    let text = inputs.inventory.authorities(path).to_owned();
                    Trusted::File { path: path.clone(), text }
                }
                Some(Ca::Secret { name, key }) => object("Secret", name, key),
                Some(Ca::ConfigMap { name, key }) => object("ConfigMap", name, key),
            };
            Access::Https { health, server_name, trusted }
        }
        Protocol::Tcp => Access::Tcp,
        Protocol::Postgres(database) => Access::Postgres(database.clone()),
    }
}

fn object(kind: &'static str, name: &str, key: &str) -> Trusted {
    Trusted::Object { kind, name: name.to_owned(), key: key.to_owned() }
}

fn is_service(object: &Value, name: &str) -> bool {
    object["kind"] == "Service" && text_at(object, "/metadata/name") == name
}

impl EndpointPlan {
    /// Whether it is asked over HTTP, in the clear or not.
    pub(crate) fn is_http(&self) -> bool {
        matches!(self.access, Access::Http { .. } | Access::Https { .. })
    }

    /// The path whose answer says that it is healthy, if it has one.
    pub(crate) fn health(&self) -> Option<&str> {
        match &self.access {
            Access::Http { health } | Access::Https { health, .. } => health.as_deref(),
            Access::Tcp | Access::Postgres(_) => None,
        }
    }

    /// The login, if it is a database.
    pub(crate) fn database(&self) -> Option<&Database> {
        match &self.access {
            Access::Postgres(database) => Some(database),
            Access::Http { .. } | Access::Https { .. } | Access::Tcp => None,
        }
    }
}

impl fmt::Display for EndpointPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, service, port) = (&self.name.endpoint, &self.service, &self.port);
        write!(f, "{name}: {} at {service}:{port}, NodePort {}", self.access, self.node_port)?;
        if let Some(path) = self.health() {
            write!(f, ", healthy by {path}")?;
        }
        match &self.access {
            Access::Http { .. } | Access::Tcp => Ok(()),
            Access::Https { server_name, trusted, .. } => {
                write!(f, ", as {server_name}, trusting {trusted}")
            }
            Access::Postgres(database) => write!(f, ", {} as {}", database.name, database.user),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http { .. } => "HTTP",
            Self::Https { .. } => "HTTPS",
            Self::Tcp => "TCP",
            Self::Postgres(_) => "PostgreSQL",
        })
    }
}

impl fmt::Display for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine => f.write_str("what this machine trusts"),
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Object { kind, name, key } => write!(f, "`{key}` of {kind} `{name}`"),
        }
    }
}
