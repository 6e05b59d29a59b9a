//! Carries requests over HTTP and HTTPS to the services of a stack, whatever proxies the environment names.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use http::{HeaderMap, Method, StatusCode};
use reqwest::{
    RequestBuilder,
    redirect::{Action, Attempt, Policy},
};
use thiserror::Error;
use url::Url;

mod authorities;
mod secure;

pub(crate) use authorities::{Authorities, AuthoritiesError};

use secure::Secure;

/// How many redirects are followed, one after another.
const REDIRECTS: usize = 10;

/// A client that goes to a service itself, each time anew.
///
/// A connection that is kept leads to the pod that took it, also after another one took its place. Redirects
/// within the service are followed.
/// Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// What makes requests, and sends those in the clear.
    clear: reqwest::Client,
    /// What sends those over TLS: a client for HTTPS is for one service only.
    secure: Option<Secure>,
}

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum TransportError {
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error("send the request over TLS")]
    Secure(#[source] Box<dyn Error + Send + Sync>),
    #[error("no answer within {0:.1?}")]
    Late(Duration),
}

impl Client {
    /// A client for all services that speak in the clear.
    pub(crate) fn clear() -> Result<Self, TransportError> {
        let clear = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        let clear = clear.redirect(Policy::custom(inside)).build()?;
        Ok(Self { clear, secure: None })
    }

    /// The same for the service at `address`, which proves by TLS that it is `host`.
    pub(crate) fn secured(
        &self,
        host: &str,
        address: SocketAddr,
        trusted: &Authorities,
    ) -> Result<Self, TransportError> {
        let secure = Secure::new(host, address, trusted);
        let secure = secure.map_err(|error| TransportError::Secure(error.into()))?;
        Ok(Self { secure: Some(secure), ..self.clone() })
    }

    /// A request, which [`send`](Self::send) sends.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.clear.request(method, url)
    }

    /// Sends a request of its own, and reads the whole answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Reply, TransportError> {
        let request = request.build()?;
        let Some(secure) = &self.secure else {
            return read(self.clear.execute(request).await?).await;
        };
        let limit = request.timeout().copied();
        let answering = async { read(secure.execute(request).await?).await };
        match limit {
            // On the heap: a case holds these futures too.
            Some(limit) => tokio::time::timeout(limit, Box::pin(answering))
                .await
                .map_err(|_| TransportError::Late(limit))?,
            None => answering.await,
        }
    }
}

/// Follows a redirect that stays where it is. One that leads elsewhere, as to a name that only the cluster
/// knows, is the answer.
fn inside(attempt: Attempt<'_>) -> Action {
    let from = attempt.previous().last().map(Url::origin);
    if from == Some(attempt.url().origin()) && attempt.previous().len() <= REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

async fn read(answer: reqwest::Response) -> Result<Reply, TransportError> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok(Reply { status, headers, body: answer.text().await? })
}

impl TransportError {
    /// Whether there was none in time.
    pub(crate) fn is_late(&self) -> bool {
        match self {
            Self::Request(error) => error.is_timeout(),
            Self::Secure(_) => false,
            Self::Late(_) => true,
        }
    }

    /// What TLS has against the service, if that is why.
    pub(crate) fn refusal(&self) -> Option<&rustls::Error> {
        let mut next: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = next {
            if let Some(refusal) = error.downcast_ref() {
                return Some(refusal);
            }
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                // It is not among the sources of the error that wraps it.
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        None
    }
}
