//! A request of a case, from what is said of it to its answer.

use std::time::Duration;

use serde::Serialize;

use super::{Answer, Exchange, Http, HttpError, Prepared, exchange::NO_ANSWER};
use crate::transport::{Reply, TransportError};

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
    pub(super) http: Http,
    pub(super) prepared: Result<Prepared, HttpError>,
    pub(super) title: String,
    pub(super) sent: String,
}

impl Request {
    /// Sends `body` as JSON.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.post("shop", "/orders").json(&json!({"sku": "tea"})).send().await?.expect(201)?;
    /// # Ok(()) }
    /// ```
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.sent = serde_json::to_string(body).unwrap_or_default();
        self.with(|builder| builder.json(body))
    }

    /// Sends `body` as it is, as the given content type.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.post("shop", "/orders").body("text/csv", "sku,count\ntea,1").send().await?.expect(415)?;
    /// # Ok(()) }
    /// ```
    pub fn body(mut self, content_type: &str, body: impl Into<String>) -> Self {
        self.sent = body.into();
        let body = self.sent.clone();
        self.with(|builder| builder.header(reqwest::header::CONTENT_TYPE, content_type).body(body))
    }

    /// Adds a header.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.get("shop", "/orders/7").header("if-none-match", "\"3\"").send().await?.expect(304)?;
    /// # Ok(()) }
    /// ```
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    /// Adds parameters to the query.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.get("shop", "/orders").query(&[("sku", "green tea"), ("paid", "no")]).send().await?.expect(200)?;
    /// # Ok(()) }
    /// ```
    pub fn query(self, parameters: &[(&str, &str)]) -> Self {
        self.with(|builder| builder.query(parameters))
    }

    /// Sets how long the answer may take; the default is 30 s.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let report = ctx.post("shop", "/report").limit(Duration::from_mins(2)).send().await?;
    /// # Ok(()) }
    /// ```
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
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let answer = ctx.get("shop", "/orders/7").send().await?;
    /// ensure!([200, 404].contains(&answer.status()), "neither there nor not:\n{}", answer.exchange());
    /// # Ok(()) }
    /// ```
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
