//! The HTTP client of a case, which records every exchange for the case's failure.

use std::{borrow::Borrow, sync::PoisonError, time::Duration};

use http::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

mod error;
mod exchange;

pub use error::HttpError;
pub use exchange::Exchange;
pub(crate) use exchange::Exchanges;

use super::permission::Permission;
use crate::{
    partial,
    transport::{Client, Reply, TransportError},
};
use exchange::NO_ANSWER;

/// How long an answer may take unless the request says otherwise.
const LIMIT: Duration = Duration::from_secs(30);

/// Sends requests to the services of a suite's stack.
#[derive(Clone, Debug)]
pub(super) struct Http {
    exchanges: Exchanges,
    permission: Permission,
}

/// A request on its way; [`Ctx::get`](crate::Ctx::get) and the like make it.
///
/// ```no_run
/// # use std::time::Duration;
/// # use kindwright::{CaseResult, Ctx, Method};
/// # use serde_json::json;
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let orders = ctx.get("shop", "/orders").query(&[("sku", "tea")]).send().await?.expect(200)?;
/// let change = ctx.request(Method::PATCH, "shop", "/orders/7").header("if-match", "3");
/// change.json(&json!({"count": 2})).send().await?.expect(200)?;
/// let bad = ctx.post("shop", "/orders").body("application/json", "{").limit(Duration::from_secs(5));
/// bad.send().await?.expect(400)?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a request is sent by `send`"]
pub struct Request {
    http: Http,
    prepared: Result<Prepared, HttpError>,
    title: String,
    sent: String,
}

/// What is sent, and by what.
#[derive(Debug)]
struct Prepared {
    client: Client,
    builder: reqwest::RequestBuilder,
}

/// An answer with its whole body.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let answer = ctx.get("shop", "/orders/7").send().await?;
/// ensure!(answer.status() < 500, "the shop broke down:\n{}", answer.exchange());
/// ensure!(answer.header("content-type") == Some("application/json"), "{}", answer.text());
/// let order: serde_json::Value = answer.expect(200)?.json()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
    exchange: Exchange,
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

impl Request {
    /// Sends `body` as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.sent = serde_json::to_string(body).unwrap_or_default();
        self.with(|builder| builder.json(body))
    }

    /// Sends `body` as it is, as the given content type.
    pub fn body(mut self, content_type: &str, body: impl Into<String>) -> Self {
        self.sent = body.into();
        let body = self.sent.clone();
        self.with(|builder| builder.header(reqwest::header::CONTENT_TYPE, content_type).body(body))
    }

    /// Adds a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    /// Adds parameters to the query.
    pub fn query(self, parameters: &[(&str, &str)]) -> Self {
        self.with(|builder| builder.query(parameters))
    }

    /// Sets how long the answer may take; the default is 30 s.
    pub fn limit(self, limit: Duration) -> Self {
        self.with(|builder| builder.timeout(limit))
    }

    fn with(
        mut self,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Self {
        self.prepared = self
            .prepared
            .map(|Prepared { client, builder }| Prepared { client, builder: change(builder) });
        self
    }

    /// Sends it, and reads the whole answer, whatever its status.
    pub async fn send(self) -> Result<Answer, HttpError> {
        let permission = self.http.permission.clone();
        permission.act(self.exchange()).await
    }

    async fn exchange(self) -> Result<Answer, HttpError> {
        let Self { http, prepared, title, sent } = self;
        let exchange =
            |outcome: String| Exchange { request: title.clone(), sent: sent.clone(), outcome };
        let silent = |source: TransportError| {
            let exchange = exchange(NO_ANSWER.to_owned());
            http.record(&exchange);
            HttpError::Silent { exchange, source: source.into() }
        };
        let Prepared { client, builder } = prepared?;
        let Reply { status, headers, body } = client.send(builder).await.map_err(silent)?;
        let status = status.as_u16();
        let exchange = exchange(format!("{status} {body}"));
        http.record(&exchange);
        Ok(Answer { status, headers, body, exchange })
    }
}

impl Answer {
    /// The answer itself if it has this status, else an error that shows the exchange.
    pub fn expect(self, status: u16) -> Result<Self, HttpError> {
        if self.status == status {
            return Ok(self);
        }
        Err(HttpError::Status { expected: status, exchange: self.exchange })
    }

    /// The answer itself if its body is JSON in which every given key has the given value, else an error that shows
    /// the exchange and the difference.
    ///
    /// Objects may have further keys at every depth; arrays have as many elements, which match one by one.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let answer = ctx.get("shop", "/orders/7").send().await?.expect(200)?;
    /// answer.matching(json!({"sku": "tea", "payment": {"currency": "EUR"}}))?;
    /// # Ok(()) }
    /// ```
    pub fn matching(self, partial: impl Borrow<Value>) -> Result<Self, HttpError> {
        let differences = partial::differences(partial.borrow(), &self.json()?, "answer");
        if differences.is_empty() {
            return Ok(self);
        }
        Err(HttpError::Mismatch { exchange: self.exchange, differences })
    }

    /// Its status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header, if it has it and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Its body.
    pub fn text(&self) -> &str {
        &self.body
    }

    /// Its body, read as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_str(&self.body)
            .map_err(|source| HttpError::Body { exchange: self.exchange.clone(), source })
    }

    /// The exchange, for a message.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

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

    #[test]
    fn a_body_that_does_not_match_is_shown_with_the_difference() {
        let body = r#"{"sku":"tea","count":3}"#.to_owned();
        let exchange = Exchange {
            request: "GET http://127.0.0.1:30120/orders/7".into(),
            sent: String::new(),
            outcome: format!("200 {body}"),
        };
        let headers = reqwest::header::HeaderMap::new();
        let answer = Answer { status: 200, headers, body, exchange };
        let answer = answer.matching(json!({"sku": "tea"})).unwrap();
        assert_eq!(
            answer.matching(json!({"count": 4})).unwrap_err().to_string(),
            "the body does not match:\n    > GET http://127.0.0.1:30120/orders/7\n    < 200 {\"sku\":\"tea\",\"count\":3}\n\
             --- expected\n+++ answer\n@@ -1,3 +1,3 @@\n {\n-  \"count\": 4\n+  \"count\": 3\n }"
        );
    }
}
