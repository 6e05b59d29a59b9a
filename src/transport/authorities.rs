//! Whose certificates are trusted.

use std::{io, sync::Arc};

use hyper_rustls::ConfigBuilderExt as _;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem, pem::PemObject as _},
};
use thiserror::Error;

/// Whose certificates are trusted.
#[derive(Clone, Debug)]
pub(crate) enum Authorities {
    /// Those that this machine trusts.
    OfMachine,
    /// These only.
    Own(Arc<RootCertStore>),
}

/// Why nobody can be trusted.
#[derive(Debug, Error)]
pub(crate) enum AuthoritiesError {
    #[error("there is no certificate in it; it begins with `-----BEGIN CERTIFICATE-----`")]
    None,
    #[error("it is not PEM")]
    Pem(#[source] pem::Error),
    #[error("its certificate {number} is none")]
    Certificate {
        number: usize,
        #[source]
        source: rustls::Error,
    },
    #[error(
        "read the certificates that this machine trusts; name those of the endpoint with `.ca(..)`"
    )]
    OfMachine(#[source] io::Error),
    #[error("speak TLS")]
    Tls(#[from] rustls::Error),
}

impl Authorities {
    /// Those whose certificates are in this PEM.
    pub(crate) fn own(text: &[u8]) -> Result<Self, AuthoritiesError> {
        let mut store = RootCertStore::empty();
        for (index, certificate) in CertificateDer::pem_slice_iter(text).enumerate() {
            let certificate = certificate.map_err(AuthoritiesError::Pem)?;
            store
                .add(certificate)
                .map_err(|source| AuthoritiesError::Certificate { number: index + 1, source })?;
        }
        if store.is_empty() { Err(AuthoritiesError::None) } else { Ok(Self::Own(Arc::new(store))) }
    }

    /// How a client speaks TLS that trusts them.
    pub(super) fn config(&self) -> Result<ClientConfig, AuthoritiesError> {
        // Named, because no provider of the whole process is the library's to choose.
        let provider = Arc::new(ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = match self {
            Self::OfMachine => builder.with_native_roots().map_err(AuthoritiesError::OfMachine)?,
            Self::Own(store) => builder.with_root_certificates(Arc::clone(store)),
        };
        Ok(builder.with_no_client_auth())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::chain;

    #[test]
    fn what_has_no_certificate_is_told_from_what_has_a_bad_one() {
        let words = |text: &str| chain(&Authorities::own(text.as_bytes()).unwrap_err());
        assert!(words("none").starts_with("there is no certificate in it"));
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(words(key).starts_with("there is no certificate in it"));
        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(words(bad).starts_with("its certificate 1 is none: "), "{}", words(bad));
        assert!(words(&bad[..40]).starts_with("it is not PEM: "), "{}", words(&bad[..40]));
    }
}
