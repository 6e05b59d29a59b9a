//! How a service of a workload is reached from this machine, as a suite declares it.

use std::fmt;

mod ca;
mod name;

use super::Database;

pub use ca::Ca;
pub(crate) use name::EndpointName;

/// A port of a Service that cases reach from this machine.
///
/// It must have answered before cases start. Where it is, cases ask by the names of its workload and
/// of itself: the latter is the name of the port unless it is [`named`](Self::named) otherwise.
///
/// ```
/// use kindwright::{Ca, Database, Endpoint, Workload};
///
/// let gateway = Workload::new("gateway", "manifests/gateway.yaml")
///     .endpoint(Endpoint::https("https").ca(Ca::secret("gateway-tls", "ca.crt")).health("/ready"))
///     .endpoint(Endpoint::http("metrics").service("gateway-metrics"));
/// let redis = Workload::new("redis", "manifests/redis.yaml").endpoint(Endpoint::tcp("redis"));
/// let database = Database::new("shop", "shop", "database");
/// let postgresql = Workload::new("postgresql", "manifests/postgresql.yaml")
///     .endpoint(Endpoint::postgres("postgresql", database).node_port(30432));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) protocol: Protocol,
    /// The name of the Service's port, or the number of one without a name.
    pub(crate) port: String,
    /// What cases know it by.
    pub(crate) name: String,
    /// The Service, if it is not called like the workload.
    pub(crate) service: Option<String>,
    /// The NodePort that the suite would like to have.
    pub(crate) node_port: Option<u16>,
    /// The port of this machine that people know it by, if that is not its NodePort.
    pub(crate) host_port: Option<u16>,
    pub(crate) health: Option<String>,
    pub(crate) ca: Option<Ca>,
    pub(crate) server_name: Option<String>,
    /// The variables by which foreign clients know it.
    pub(crate) variables: Vec<String>,
}

/// What is spoken at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Https,
    Tcp,
    Postgres(Database),
}

impl Endpoint {
    /// HTTP at the Service's port of this name, or of this number if it has no name.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::http("http").health("/health");
    /// ```
    pub fn http(port: impl Into<String>) -> Self {
        Self::new(port, Protocol::Http)
    }

    /// HTTPS at the Service's port of this name.
    ///
    /// The certificate must be valid for `<service>.<namespace>.svc`, whose namespace is the suite's name, unless
    /// [`server_name`](Self::server_name) says otherwise, and signed by an authority that this machine trusts,
    /// unless [`ca`](Self::ca) says by whom. A manifest of several suites has one name for all with `server_name`.
    ///
    /// ```
    /// # use kindwright::{Ca, Endpoint};
    /// let endpoint = Endpoint::https("https").ca(Ca::secret("shop-tls", "ca.crt"));
    /// ```
    pub fn https(port: impl Into<String>) -> Self {
        Self::new(port, Protocol::Https)
    }

    /// Any other protocol at the Service's port of this name.
    ///
    /// It has answered if it takes a connection and keeps it, or says something.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::tcp("redis"); // `ctx.address("redis", "redis")?`
    /// ```
    pub fn tcp(port: impl Into<String>) -> Self {
        Self::new(port, Protocol::Tcp)
    }

    /// PostgreSQL at the Service's port of this name. It has answered if `SELECT 1` is.
    ///
    /// ```
    /// # use kindwright::{Database, Endpoint};
    /// let endpoint = Endpoint::postgres("postgresql", Database::new("shop", "shop", "database"));
    /// ```
    pub fn postgres(port: impl Into<String>, database: Database) -> Self {
        Self::new(port, Protocol::Postgres(database))
    }

    fn new(port: impl Into<String>, protocol: Protocol) -> Self {
        let port = port.into();
        Self {
            protocol,
            name: port.clone(),
            port,
            service: None,
            node_port: None,
            host_port: None,
            health: None,
            ca: None,
            server_name: None,
            variables: Vec::new(),
        }
    }

    /// Names it otherwise than its port, as where two Services of a workload have ports of one name.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::http("http").service("shop-admin").named("admin"); // `shop:admin`
    /// ```
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Names the Service of the workload's manifest, if it is not called like the workload.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::http("metrics").service("shop-metrics");
    /// ```
    #[must_use]
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Wishes for a NodePort. Without it, and where another suite had the wish before, it gets one that is free.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::http("http").node_port(30090);
    /// ```
    #[must_use]
    pub fn node_port(mut self, number: u16) -> Self {
        self.node_port = Some(number);
        self
    }

    /// Documents its port of this machine, where that is not its NodePort.
    ///
    /// It counts with `KINDWRIGHT_HOST_PORTS=fixed` only.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::http("http").node_port(30090).host_port(8090);
    /// ```
    #[must_use]
    pub fn host_port(mut self, number: u16) -> Self {
        self.host_port = Some(number);
        self
    }

    /// Names a path whose GET over HTTP(S) must be answered with 2xx.
    ///
    /// Without it any answer to GET of `/` will do whose status is below 500.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::http("http").health("/health?deep=yes");
    /// ```
    #[must_use]
    pub fn health(mut self, path: impl Into<String>) -> Self {
        self.health = Some(path.into());
        self
    }

    /// Says whose certificates are trusted at this HTTPS endpoint, and no others.
    ///
    /// What is in the cluster is read once, when the workloads of the tier are ready.
    ///
    /// ```
    /// # use kindwright::{Ca, Endpoint};
    /// let endpoint = Endpoint::https("https").ca(Ca::file("certificates/ca.pem"));
    /// ```
    #[must_use]
    pub fn ca(mut self, ca: Ca) -> Self {
        self.ca = Some(ca);
        self
    }

    /// Names the host that the certificate of this HTTPS endpoint is made for, as `shop.example.com`.
    ///
    /// It is asked under this name, in the handshake and in the URL, wherever the connection goes.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::https("https").server_name("shop.example.com");
    /// ```
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Names a variable from which foreign clients read where it is: its URL, or its address if it has none.
    ///
    /// `kindwright env` prints it for a kept run, beside the runner's own names.
    ///
    /// ```
    /// # use kindwright::Endpoint;
    /// let endpoint = Endpoint::http("http").variable("SHOP_URL");
    /// ```
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>) -> Self {
        self.variables.push(name.into());
        self
    }

    /// Its Service.
    pub(crate) fn service_of<'a>(&'a self, workload: &'a str) -> &'a str {
        self.service.as_deref().unwrap_or(workload)
    }

    /// The login, if it is a database.
    pub(crate) fn database(&self) -> Option<&Database> {
        match &self.protocol {
            Protocol::Postgres(database) => Some(database),
            Protocol::Http | Protocol::Https | Protocol::Tcp => None,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Tcp => "TCP",
            Self::Postgres(_) => "PostgreSQL",
        })
    }
}
