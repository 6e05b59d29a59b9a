//! Where the services of a case are, how it logs in to them, and where they reach the case.

use std::net::{IpAddr, SocketAddr};

use thiserror::Error;
use url::Url;

use super::Ctx;
use crate::{password::Password, plan::EndpointPlan, text::listed, transport::Client};

/// Why there is no way to a service, or from it.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, EndpointError, Failure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let metrics = match ctx.url("shop", "metrics") {
///     Err(EndpointError::Unknown { .. }) => return Err(Failure::skip("this shop counts nothing")),
///     url => url?,
/// };
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The stack has no such endpoint, or none that has answered by now.
    #[error("the stack has no{kind} endpoint `{endpoint}`; it has {known}; {next}")]
    Unknown {
        /// What it speaks, if that was asked for.
        kind: &'static str,
        /// What was asked for.
        endpoint: String,
        /// What there is.
        known: String,
        /// What can be done about it.
        next: &'static str,
    },
    /// What the endpoint speaks has no URL.
    #[error("`{endpoint}` speaks {protocol} and has no URL; `{instead}` says where it is")]
    NoUrl {
        /// The endpoint.
        endpoint: String,
        /// What it speaks.
        protocol: String,
        /// What to call instead.
        instead: &'static str,
    },
    /// The network of the cluster has no address of this machine.
    #[error(
        "the network of the cluster has no address of this machine that pods could reach; `docker network inspect` of the cluster's name shows what it has"
    )]
    NoCallback,
}

/// No Secret of the suite has a password of this name.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, Failure, NoPassword};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let cache = match ctx.password("cache") {
///     Err(NoPassword { known, .. }) => return Err(Failure::skip(format_args!("only {known}"))),
///     Ok(cache) => cache,
/// };
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the suite has no password `{password}` (it has {known}); name it in an entry of a Secret")]
#[non_exhaustive]
pub struct NoPassword {
    /// What was asked for.
    pub password: String,
    /// What there is.
    pub known: String,
}

impl Ctx {
    /// The URL of an endpoint of a workload that speaks HTTP or HTTPS.
    ///
    /// That of HTTPS has the name that the certificate is made for, which no DNS knows outside of the cluster. A
    /// client of the case's own connects to [`address`](Self::address) under this name, as with `resolve` of
    /// reqwest. Requests of [`get`](Self::get) and the like do so by themselves.
    ///
    /// # Errors
    ///
    /// There is no such endpoint, or what it speaks has no URL.
    ///
    /// ```no_run
    /// # fn case(ctx: &kindwright::Ctx) -> kindwright::CaseResult {
    /// let metrics = ctx.url("gateway", "metrics")?; // http://127.0.0.1:41234/
    /// let gateway = ctx.url("gateway", "https")?; // https://gateway.shop.svc:41235/
    /// # Ok(()) }
    /// ```
    pub fn url(&self, workload: &str, endpoint: &str) -> Result<Url, EndpointError> {
        let found = self.endpoint(workload, endpoint)?;
        let instead = match found.database() {
            Some(_) => "ctx.database(..)?.url()",
            None => "ctx.address(..)",
        };
        self.stack().url(found).ok_or_else(|| EndpointError::NoUrl {
            endpoint: found.name.to_string(),
            protocol: found.access.to_string(),
            instead,
        })
    }

    /// Where an endpoint of a workload is reached from this machine, whatever it speaks.
    ///
    /// # Errors
    ///
    /// There is no such endpoint.
    ///
    /// ```no_run
    /// # fn case(ctx: &kindwright::Ctx) -> kindwright::CaseResult {
    /// let redis = format!("redis://:{}@{}", ctx.password("cache")?, ctx.address("redis", "redis")?);
    /// # Ok(()) }
    /// ```
    pub fn address(&self, workload: &str, endpoint: &str) -> Result<SocketAddr, EndpointError> {
        let found = self.endpoint(workload, endpoint)?;
        let address = self.stack().address(found);
        address.ok_or_else(|| self.unknown("", &found.name.to_string()))
    }

    /// A password of the suite, by the name that [`password`](crate::password) gives it.
    ///
    /// It is a secret of this run: it is hidden in evidence and in messages of failures, and whoever prints it
    /// elsewhere shows it.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let request = ctx.get("shop", "/admin").header("x-key", ctx.password("admin")?);
    /// request.send().await?.expect(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// No Secret of the suite has a password of this name.
    pub fn password(&self, name: &str) -> Result<&str, NoPassword> {
        let passwords = &self.stack().passwords;
        passwords.get(name).map(Password::reveal).ok_or_else(|| {
            let known = listed(passwords.keys().map(|name| format!("`{name}`")));
            NoPassword { password: name.to_owned(), known }
        })
    }

    /// The address of this machine under which the pods of the suite reach what a case listens with there, as for
    /// a webhook that a service calls.
    ///
    /// The port is the one that the listener got. What listens ends with the case.
    ///
    /// ```no_run
    /// # use tokio::net::TcpListener;
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let listener = TcpListener::bind((ctx.callback_address()?, 0)).await?;
    /// let hook = serde_json::json!({"url": format!("http://{}/paid", listener.local_addr()?)});
    /// ctx.post("shop", "/hooks").json(&hook).send().await?.expect(201)?;
    /// let (call, _) = listener.accept().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The network of the cluster says no such address.
    pub fn callback_address(&self) -> Result<IpAddr, EndpointError> {
        self.stack().callback().ok_or(EndpointError::NoCallback)
    }

    /// What a request to a service goes through, and the URL of the service.
    pub(super) fn service(&self, name: &str) -> Result<(Client, Url), EndpointError> {
        let stack = self.stack();
        let found = stack.services().find(|endpoint| endpoint.name.is(name));
        let found = found.and_then(|it| Some((stack.client_of(it)?.clone(), stack.url(it)?)));
        found.ok_or_else(|| self.unknown(" HTTP", name))
    }

    fn endpoint(&self, workload: &str, endpoint: &str) -> Result<&EndpointPlan, EndpointError> {
        let mut endpoints = self.stack().endpoints();
        let found = endpoints
            .find(|known| known.name.workload == workload && known.name.endpoint == endpoint);
        let wanted = || format!("{workload}:{endpoint}");
        found.ok_or_else(|| self.unknown("", &wanted()))
    }

    fn unknown(&self, kind: &'static str, endpoint: &str) -> EndpointError {
        let stack = self.stack();
        let of_kind = |known: &&EndpointPlan| kind.is_empty() || known.is_http();
        let known = stack.endpoints().filter(of_kind).map(|known| format!("`{}`", known.name));
        let known = listed(known);
        let mut declared = stack.plan().endpoints().filter(of_kind);
        let next = if declared.any(|it| it.name.is(endpoint)) {
            "it has not answered yet, so a step that uses it comes after its tier"
        } else {
            "correct its name, or declare it with `.endpoint(..)`"
        };
        EndpointError::Unknown { kind, endpoint: endpoint.to_owned(), known, next }
    }
}
