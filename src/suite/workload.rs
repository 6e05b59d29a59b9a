//! What a stack is made of, as a suite declares it.

use std::{collections::BTreeMap, path::PathBuf};

use super::{Endpoint, EndpointName, Patience};
use crate::password::Password;

/// One manifest, and how its services are reached from this machine.
///
/// ```
/// use kindwright::{Endpoint, Workload};
///
/// let shop = Workload::new("shop", "manifests/shop.yaml")
///     .endpoint(Endpoint::http("http").health("/health"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) beyond: bool,
    pub(crate) patience: Patience,
}

impl Workload {
    /// The workload `name`, whose objects are in `manifest` (from the project's root).
    ///
    /// The manifest is a file that `kubectl apply -f` would take. Namespace,
    /// images, NodePorts and labels are set by the runner.
    ///
    /// ```
    /// # use kindwright::Workload;
    /// let shop = Workload::new("shop", "manifests/shop.yaml");
    /// ```
    pub fn new(name: impl Into<String>, manifest: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            manifest: manifest.into(),
            endpoints: Vec::new(),
            beyond: false,
            patience: Patience::default(),
        }
    }

    /// Adds a port of one of its Services that cases reach, and that must have answered before they start.
    ///
    /// Of several that speak HTTP(S), the first is the one that is meant where a case names the workload alone.
    ///
    /// ```
    /// # use kindwright::{Endpoint, Workload};
    /// let shop = Workload::new("shop", "manifests/shop.yaml")
    ///     .endpoint(Endpoint::http("http").health("/health"))
    ///     .endpoint(Endpoint::http("metrics"));
    /// ```
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Says that only cases need it that are [beyond](crate::Case::beyond) what real services do.
    ///
    /// Where the suite is [real](crate::Suite::real) it is not deployed, unless one of them runs all the same
    /// (`--include-ignored`).
    ///
    /// ```
    /// # use kindwright::Workload;
    /// let bank = Workload::new("bank", "manifests/stand-in-bank.yaml").beyond();
    /// ```
    #[must_use]
    pub fn beyond(mut self) -> Self {
        self.beyond = true;
        self
    }

    /// Its endpoints, with what cases know them by.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (EndpointName, &Endpoint)> {
        self.endpoints.iter().map(|endpoint| {
            let name =
                EndpointName { workload: self.name.clone(), endpoint: endpoint.name.clone() };
            (name, endpoint)
        })
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
    /// The files of `directory` (from the project's root), for the first database of `workload`, or with
    /// `workload:endpoint` for this one.
    ///
    /// ```
    /// # use kindwright::Migrations;
    /// let migrations = Migrations::new("migrations/billing", "postgresql:billing");
    /// ```
    pub fn new(directory: impl Into<PathBuf>, workload: impl Into<String>) -> Self {
        Self { directory: directory.into(), workload: workload.into(), tables: Vec::new() }
    }

    /// Names tables that must exist afterwards: `table`, or `schema.table`.
    ///
    /// ```
    /// # use kindwright::Migrations;
    /// let migrations = Migrations::new("migrations", "postgresql").create(["orders", "billing.invoices"]);
    /// ```
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
///
/// ```
/// use kindwright::{password, suite::Part, text};
///
/// assert_eq!(text("shop"), Part::Text("shop".to_owned()));
/// assert_eq!(password("database"), Part::Password("database".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// This text.
    Text(String),
    /// The password of this name, the same wherever the suite names it.
    Password(String),
}

/// A part that is this text.
///
/// ```
/// use kindwright::{Secret, text};
///
/// let secret = Secret::new("shop-secret").entry("user", [text("shop")]);
/// ```
pub fn text(text: impl Into<String>) -> Part {
    Part::Text(text.into())
}

/// A part that is the suite's password of this name, drawn at random.
///
/// ```
/// use kindwright::{Secret, password, text};
///
/// let url = [text("postgres://shop:"), password("database"), text("@postgresql/shop")];
/// let secret = Secret::new("shop-secret").entry("url", url);
/// ```
pub fn password(name: impl Into<String>) -> Part {
    Part::Password(name.into())
}

impl Secret {
    /// An empty Secret called `name`.
    ///
    /// ```
    /// # use kindwright::{Secret, text};
    /// let secret = Secret::new("shop-secret").entry("user", [text("shop")]);
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), entries: Vec::new() }
    }

    /// Adds an entry, whose value is its parts one after another.
    ///
    /// ```
    /// # use kindwright::{Secret, password, text};
    /// let url = [text("redis://:"), password("cache"), text("@redis:6379")];
    /// let secret = Secret::new("shop-secret").entry("user", [text("shop")]).entry("REDIS_URL", url);
    /// ```
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
