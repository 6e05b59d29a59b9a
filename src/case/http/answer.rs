//! An answer to a request of a case.

use std::borrow::Borrow;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Exchange, HttpError};
use crate::partial;

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
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: String,
    pub(super) exchange: Exchange,
}

impl Answer {
    /// The answer itself if it has this status, else an error that shows the exchange.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let order: serde_json::Value = ctx.get("shop", "/orders/7").send().await?.expect(200)?.json()?;
    /// # Ok(()) }
    /// ```
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
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let answer = ctx.post("shop", "/orders").send().await?;
    /// ensure!((400..500).contains(&answer.status()), "it is not refused:\n{}", answer.exchange());
    /// # Ok(()) }
    /// ```
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header, if it has it and it is text.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let answer = ctx.post("shop", "/orders").send().await?.expect(201)?;
    /// let place = answer.header("location").unwrap_or_default().to_owned();
    /// ctx.get("shop", &place).send().await?.expect(200)?;
    /// # Ok(()) }
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Its body.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure_eq};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let answer = ctx.get("shop", "/open").send().await?.expect(200)?;
    /// ensure_eq!(answer.text(), "yes");
    /// # Ok(()) }
    /// ```
    pub fn text(&self) -> &str {
        &self.body
    }

    /// Its body, read as JSON.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure_eq};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     sku: String,
    /// }
    ///
    /// let Order { sku } = ctx.get("shop", "/orders/7").send().await?.expect(200)?.json()?;
    /// ensure_eq!(sku, "tea");
    /// # Ok(()) }
    /// ```
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_str(&self.body)
            .map_err(|source| HttpError::Body { exchange: self.exchange.clone(), source })
    }

    /// The exchange, for a message.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let answer = ctx.get("shop", "/open").send().await?.expect(200)?;
    /// ensure!(answer.text() == "yes", "the shop is closed:\n{}", answer.exchange());
    /// # Ok(()) }
    /// ```
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
