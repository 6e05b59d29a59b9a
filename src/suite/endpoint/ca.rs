//! Whose certificates are trusted at an HTTPS endpoint.

use std::path::PathBuf;

/// Where the certificates are, in PEM, of the authorities that sign the one of an HTTPS endpoint.
///
/// ```
/// use kindwright::{Ca, Endpoint};
///
/// let gateway = Endpoint::https("https").ca(Ca::file("certificates/ca.pem"));
/// // What a Job, or cert-manager, writes while the suite is brought up.
/// let till = Endpoint::https("https").ca(Ca::secret("till-tls", "ca.crt"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ca {
    /// In this file, from the project's root.
    File(PathBuf),
    /// Under a key of a Secret.
    Secret {
        /// The Secret.
        name: String,
        /// The key.
        key: String,
    },
    /// Under a key of a `ConfigMap`.
    ConfigMap {
        /// The `ConfigMap`.
        name: String,
        /// The key.
        key: String,
    },
}

impl Ca {
    /// The file `path`, from the project's root.
    ///
    /// ```
    /// # use kindwright::{Ca, Endpoint};
    /// let endpoint = Endpoint::https("https").ca(Ca::file("certificates/ca.pem"));
    /// ```
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// What the Secret `name` has under `key`, in the namespace of the Service.
    ///
    /// ```
    /// # use kindwright::{Ca, Endpoint};
    /// let endpoint = Endpoint::https("https").ca(Ca::secret("shop-tls", "ca.crt"));
    /// ```
    pub fn secret(name: impl Into<String>, key: impl Into<String>) -> Self {
        Self::Secret { name: name.into(), key: key.into() }
    }

    /// What the `ConfigMap` `name` has under `key`, in the namespace of the Service.
    ///
    /// ```
    /// # use kindwright::{Ca, Endpoint};
    /// let endpoint = Endpoint::https("https").ca(Ca::config_map("authorities", "ca.pem"));
    /// ```
    pub fn config_map(name: impl Into<String>, key: impl Into<String>) -> Self {
        Self::ConfigMap { name: name.into(), key: key.into() }
    }
}
