//! How a database is logged in to.

use serde::Serialize;

/// How to log in to a PostgreSQL database.
///
/// ```
/// use kindwright::{Database, Endpoint, Workload};
///
/// let database = Database::new("shop", "shop", "database");
/// let workload = Workload::new("postgresql", "manifests/postgresql.yaml")
///     .endpoint(Endpoint::postgres("postgresql", database));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Database {
    /// The role.
    pub(crate) user: String,
    /// The database.
    pub(crate) name: String,
    /// Which of the suite's passwords.
    pub(crate) password: String,
}

impl Database {
    /// The database `name`, to which the role `user` logs in with the suite's password of this name, which a
    /// [Secret](crate::Secret) of it has by [`password`](crate::password).
    ///
    /// ```
    /// use kindwright::{Database, Secret, password, text};
    ///
    /// let database = Database::new("seller", "shop", "database");
    /// let secret = Secret::new("postgresql-secret")
    ///     .entry("POSTGRES_USER", [text("seller")])
    ///     .entry("POSTGRES_PASSWORD", [password("database")]);
    /// ```
    pub fn new(
        user: impl Into<String>,
        name: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self { user: user.into(), name: name.into(), password: password.into() }
    }
}
