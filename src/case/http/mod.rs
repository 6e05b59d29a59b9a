//! The HTTP client of a case, which records every exchange for the case's failure.

use std::{sync::PoisonError, time::Duration};

use http::Method;
use url::Url;

mod answer;
mod error;
mod exchange;
mod request;

pub use answer::Answer;
pub use error::HttpError;
pub use exchange::Exchange;
pub(crate) use exchange::Exchanges;
pub use request::Request;

use super::permission::Permission;
use crate::transport::Client;

/// How long an answer may take unless the request says otherwise.
const LIMIT: Duration = Duration::from_secs(30);

/// Sends requests to the services of a suite's stack.
#[derive(Clone, Debug)]
pub(super) struct Http {
    exchanges: Exchanges,
    permission: Permission,
}

/// What is sent, and by what.
#[derive(Debug)]
struct Prepared {
    client: Client,
    builder: reqwest::RequestBuilder,
}

impl Http {
    pub(super) fn new(exchanges: Exchanges, permission: Permission) -> Self {
        Self { exchanges, permission }
    }

    /// What was sent and received by now.
    pub(super) fn exchanges(&self) -> Exchanges {
        Exchanges::clone(&self.exchanges)
    }

    /// A request of `method` to a URL, by the client that is for it.
    pub(super) fn request(
        &self,
        method: Method,
        target: Result<(Client, Url), HttpError>,
    ) -> Request {
        let title = match &target {
            Ok((_, url)) => format!("{method} {url}"),
            Err(error) => error.to_string(),
        };
        let prepared = target.map(|(client, url)| {
            let builder = client.request(method, url).timeout(LIMIT);
            Prepared { client, builder }
        });
        Request { http: self.clone(), prepared, title, sent: String::new() }
    }

    fn record(&self, exchange: &Exchange) {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.push(exchange.clone());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn an_exchange_reads_as_sent_and_received() {
        let exchange = Exchange {
            request: "POST http://127.0.0.1:30120/incident/analyze".into(),
            sent: "{}".into(),
            outcome: "400 {\"title\":\"Bad Request\"}".into(),
        };
        let error = HttpError::Status { expected: 200, exchange };
        assert_eq!(
            error.to_string(),
            "expected status 200:\n    > POST http://127.0.0.1:30120/incident/analyze\n    > {}\n    < 400 {\"title\":\"Bad Request\"}"
        );
    }

    #[tokio::test]
    async fn a_case_that_was_given_up_sends_nothing() {
        let (exchanges, permission) = (Exchanges::default(), Permission::default());
        let http = Http::new(Arc::clone(&exchanges), permission.clone());
        permission.end();
        let url = Url::parse("http://127.0.0.1:1/").unwrap();
        let sent = http.request(Method::GET, Ok((Client::clear().unwrap(), url))).send().await;
        assert!(matches!(sent, Err(HttpError::GivenUp(_))), "{sent:?}");
        assert!(exchanges.lock().unwrap().is_empty());
    }
}
