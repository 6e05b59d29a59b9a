//! What a stack is made of, as a suite declares it.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;

use super::Patience;
use crate::password::Password;

/// One manifest, and how its services are reached from this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) beyond: bool,
    pub(crate) patience: Patience,
}

/// A port of the Service of a workload that cases reach through a NodePort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Endpoint {
    /// The Service, which has the workload's name.
    pub(crate) service: String,
    /// The name of the Service's port.
    pub(crate) port: String,
    /// The NodePort that the suite would like to have.
    pub(crate) node_port: u16,
    /// The port of this machine that people know it by.
    pub(crate) host_port: u16,
    /// How it is asked whether it answers.
    pub(crate) probe: Probe,
    /// The variables by which foreign clients know it.
    pub(crate) variables: Vec<String>,
}

/// What an endpoint is known by in its suite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct EndpointName {
    /// The Service.
    pub(crate) service: String,
    /// The name of the Service's port.
    pub(crate) port: String,
}

/// The request that a service must answer before cases start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Probe {
    /// GET of this path is answered with 2xx.
    Http(String),
    /// `SELECT 1` is answered.
    Postgres(Database),
}

/// How to log in to a PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Database {
    /// The role.
    pub user: String,
    /// The database.
    pub name: String,
    /// Which of the suite's passwords, by the name used in [`password`].
    pub password: String,
}

impl Workload {
    /// The workload `name`, whose objects are in `manifest` (from the project's root).
    ///
    /// The manifest is a file that `kubectl apply -f` would take. Namespace,
    /// images, NodePorts and labels are set by the runner.
    pub fn new(name: impl Into<String>, manifest: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            manifest: manifest.into(),
            endpoints: Vec::new(),
            beyond: false,
            patience: Patience::default(),
        }
    }

    /// Reaches the Service's port `port` over HTTP, at best through `node_port`.
    ///
    /// A Service may have several; [`Ctx::url`](crate::Ctx::url) is that of the first one.
    /// GET of `health` must be answered with 2xx before cases start.
    #[must_use]
    pub fn http(self, port: &str, node_port: u16, health: &str) -> Self {
        self.endpoint(port, node_port, Probe::Http(health.to_owned()))
    }

    /// Reaches the Service's port `port` as PostgreSQL, at best through `node_port`.
    #[must_use]
    pub fn postgres(self, port: &str, node_port: u16, database: Database) -> Self {
        self.endpoint(port, node_port, Probe::Postgres(database))
    }

    /// Documents the port of this machine for the last endpoint, where it is not its NodePort.
    ///
    /// It counts with `KINDWRIGHT_HOST_PORTS=fixed` only.
    #[must_use]
    pub fn host_port(mut self, port: u16) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.host_port = port;
        }
        self
    }

    /// Names a variable from which foreign clients read where the last endpoint is.
    ///
    /// `kindwright env` prints it for a kept run, beside the runner's own name.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.variables.push(name.into());
        }
        self
    }

    /// Says that only cases need it that are [beyond](crate::Case::beyond) what real services do.
    ///
    /// Where the suite is [real](crate::Suite::real) it is not deployed, unless one of them runs all the same
    /// (`--include-ignored`).
    #[must_use]
    pub fn beyond(mut self) -> Self {
        self.beyond = true;
        self
    }

    fn endpoint(mut self, port: &str, node_port: u16, probe: Probe) -> Self {
        self.endpoints.push(Endpoint {
            service: self.name.clone(),
            port: port.to_owned(),
            node_port,
            host_port: node_port,
            probe,
            variables: Vec::new(),
        });
        self
    }
}

impl Endpoint {
    /// Whether it is a database.
    pub(crate) fn is_database(&self) -> bool {
        matches!(self.probe, Probe::Postgres(_))
    }

    /// What it is known by in its suite.
    pub(crate) fn name(&self) -> EndpointName {
        EndpointName { service: self.service.clone(), port: self.port.clone() }
    }
}

/// A database among endpoints: the first of a workload, with `workload:port` the one of this port, without a name
/// the first of all.
pub(crate) fn database<'a>(
    endpoints: impl Iterator<Item = &'a Endpoint>,
    name: Option<&str>,
) -> Option<&'a Endpoint> {
    let mut databases = endpoints.filter(|endpoint| endpoint.is_database());
    databases.find(|endpoint| match name.map(|name| name.split_once(':').unwrap_or((name, ""))) {
        Some((service, port)) => {
            endpoint.service == service && (port.is_empty() || endpoint.port == port)
        }
        None => true,
    })
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.port)
    }
}

/// The migrations of one database: goose files, or plain SQL, in the order of their numbers.
///
/// ```
/// # use kindwright::{Migrations, Suite};
/// let migrations = Migrations::new("migrations", "postgresql").create(["orders", "customers"]);
/// let suite = Suite::new("shop", "shop-tests").migrations(migrations);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrations {
    pub(crate) directory: PathBuf,
    pub(crate) workload: String,
    pub(crate) tables: Vec<String>,
}

impl Migrations {
    /// The files of `directory` (from the project's root), for the database of `workload`.
    pub fn new(directory: impl Into<PathBuf>, workload: impl Into<String>) -> Self {
        Self { directory: directory.into(), workload: workload.into(), tables: Vec::new() }
    }

    /// Names tables that must exist afterwards: `table`, or `schema.table`.
    #[must_use]
    pub fn create<T: Into<String>>(mut self, tables: impl IntoIterator<Item = T>) -> Self {
        self.tables.extend(tables.into_iter().map(Into::into));
        self
    }
}

/// A Secret that is made in code, because its passwords are drawn at random.
///
/// ```
/// use kindwright::{Secret, password, text};
///
/// let secret = Secret::new("shop-secret").entry("user", [text("shop")]).entry(
///     "url",
///     [text("postgres://shop:"), password("database"), text("@postgresql/shop")],
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub(crate) name: String,
    pub(crate) entries: Vec<(String, Vec<Part>)>,
}

/// A part of a Secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// This text.
    Text(String),
    /// The password of this name, the same wherever the suite names it.
    Password(String),
}

/// A part that is this text.
pub fn text(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

/// A part that is the suite's password of this name, drawn at random.
pub fn password(name: impl Into<String>) -> Part {
    Part::Password(name.into())
}

impl Secret {
    /// An empty Secret called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), entries: Vec::new() }
    }

    /// Adds an entry, whose value is its parts one after another.
    #[must_use]
    pub fn entry(mut self, key: impl Into<String>, parts: impl IntoIterator<Item = Part>) -> Self {
        self.entries.push((key.into(), parts.into_iter().collect()));
        self
    }

    /// Its values, with the passwords filled in.
    pub(crate) fn values(
        &self,
        passwords: &BTreeMap<String, Password>,
    ) -> BTreeMap<String, String> {
        let value = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Password(name) => passwords
                .get(name)
                .map_or_else(String::new, |password| password.reveal().to_owned()),
        };
        let entries = self.entries.iter();
        entries.map(|(key, parts)| (key.clone(), parts.iter().map(value).collect())).collect()
    }

    pub(crate) fn passwords(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().flat_map(|(_, parts)| parts).filter_map(|part| match part {
            Part::Password(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }
}
