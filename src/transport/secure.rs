//! HTTPS to one service, under the name that its certificate is made for.
//!
//! It is built from the parts that reqwest is built from, and not with its features for TLS: each of
//! these brings another provider, or lets clients of a user's own programs end with a panic.

use std::{
    fmt, future, io, iter,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client, Error,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use reqwest::Body;
use tower::{Service, ServiceExt as _};
use tower_http::follow_redirect::{
    FollowRedirect,
    policy::{And, Limited, PolicyExt as _, SameOrigin},
};

use super::{Authorities, AuthoritiesError, REDIRECTS, TransportError};

/// A client of one service.
#[derive(Clone)]
pub(super) struct Secure {
    client: FollowRedirect<Client<HttpsConnector<HttpConnector<Only>>, Body>, Inside>,
    host: Arc<str>,
}

/// Follows redirects that stay where they are.
type Inside = And<SameOrigin, Limited>;

/// Knows one host, whatever the DNS says.
#[derive(Clone, Debug)]
struct Only {
    host: Arc<str>,
    address: SocketAddr,
}

impl Secure {
    pub(super) fn new(
        host: &str,
        address: SocketAddr,
        trusted: &Authorities,
    ) -> Result<Self, AuthoritiesError> {
        let host: Arc<str> = host.into();
        let only = Only { host: Arc::clone(&host), address };
        let mut connector = HttpConnector::new_with_resolver(only);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trusted.config()?)
            .https_only()
            .enable_http1()
            .wrap_connector(connector);
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        let inside = SameOrigin::new().and::<_, Body, Error>(Limited::new(REDIRECTS));
        Ok(Self { client: FollowRedirect::with_policy(client, inside), host })
    }

    pub(super) async fn execute(
        &self,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, TransportError> {
        let request = http::Request::<Body>::try_from(request)?;
        let answer = self.client.clone().oneshot(request).await;
        let answer = answer.map_err(|error| TransportError::Secure(error.into()))?;
        Ok(answer.map(Body::wrap).into())
    }
}

impl Service<Name> for Only {
    type Response = iter::Once<SocketAddr>;
    type Error = io::Error;
    type Future = future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        future::ready(if name.as_str() == &*self.host {
            Ok(iter::once(self.address))
        } else {
            Err(io::Error::other(format!("only `{}` is reached here, not `{name}`", self.host)))
        })
    }
}

impl fmt::Debug for Secure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secure").field("host", &self.host).finish_non_exhaustive()
    }
}
