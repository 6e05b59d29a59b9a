//! What the pods of a suite have written, from a moment on.

use std::fmt;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, ResourceExt, api::ListParams};

use super::{
    Ctx,
    permission::Permission,
    subject::{ReadError, Subject},
    waiting::Unmet,
};
use crate::{
    pod_logs::{self, LogLine, Mark},
    stack::{ServerError, pods_made_by},
    text::{indented, shortened},
    wait::{self, History, Limit, Poll},
};

/// How much of a line the history of a wait tells, in characters.
const SHOWN: usize = 200;

/// What the containers of a workload, or of pods, have written; [`Ctx::logs`] makes it.
///
/// All containers of all its pods count, also what they wrote before they were last restarted.
/// What pods wrote that are gone is gone with them.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let before = ctx.mark().await?;
/// ctx.post("shop", "/orders").send().await?.expect(201)?;
/// let text = ctx.logs("shop")?.since(&before).text().await?;
/// ensure!(!text.contains("password"), "it tells secrets: {text}");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "logs are read by `lines`, `text` or `until`"]
pub struct Logs {
    client: Reader,
    subject: Subject,
    since: Option<Mark>,
    permission: Permission,
}

/// A client, and the namespaces of the pods.
#[derive(Clone)]
struct Reader(Client, Vec<String>);

impl Ctx {
    /// What the pods of a workload of the suite have written, or those of another object of its
    /// namespaces: `"Pod/worker-0"`, `"Job/backup"`.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn an_order_is_logged(ctx: Ctx) -> CaseResult {
    ///     let before = ctx.mark().await?;
    ///     ctx.post("shop", "/orders").send().await?.expect(201)?;
    ///     let log = ctx.logs("shop")?.since(&before);
    ///     let limit = Duration::from_secs(5);
    ///     let line = log.until("the order", limit, |line| line.text().contains("ordered")).await?;
    ///     ensure!(line.json().is_some_and(|line| line["level"] == "info"), "{}", line.text());
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The stack has no such workload, or what has a `/` in it names no object.
    pub fn logs(&self, workload: &str) -> Result<Logs, ReadError> {
        let stack = self.stack();
        let plan = stack.plan();
        let subject = Subject::of(plan, workload)?;
        Ok(Logs::of(stack.client(), plan.namespaces.clone(), subject, self.permission().clone()))
    }

    /// How far all pods of the suite's namespaces and of the case's own have written by now, for [`Logs::since`].
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let before = ctx.mark().await?;
    /// ctx.post("shop", "/orders").send().await?.expect(201)?;
    /// let since = ctx.logs("shop")?.since(&before).lines().await?;
    /// # Ok(()) }
    /// ```
    pub async fn mark(&self) -> Result<Mark, ReadError> {
        let (client, plan) = (self.stack().client(), self.stack().plan());
        let marking = async {
            let mut all = Vec::new();
            let own = self.objects().namespaces();
            for namespace in plan.namespaces().chain(own.iter().map(String::as_str)) {
                let pods = Api::<Pod>::namespaced(client.clone(), namespace);
                all.extend(pods.list(&ListParams::default()).await?.items);
            }
            pod_logs::mark(&client, &all).await
        };
        let marking = async {
            marking.await.map_err(|error: kube::Error| ReadError::Api {
                what: "logs",
                subject: format!("all pods of `{}`", plan.name),
                source: Box::new(ServerError::from(error)),
            })
        };
        self.permission().act(marking).await
    }
}

impl Logs {
    pub(super) fn of(
        client: Client,
        namespaces: Vec<String>,
        subject: Subject,
        permission: Permission,
    ) -> Self {
        Self { client: Reader(client, namespaces), subject, since: None, permission }
    }

    /// Only what was written since `mark`.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let before = ctx.mark().await?;
    /// ctx.get("shop", "/orders/7").send().await?.expect(404)?;
    /// let text = ctx.logs("shop")?.since(&before).text().await?;
    /// ensure!(!text.contains("panicked"), "{text}");
    /// # Ok(()) }
    /// ```
    pub fn since(mut self, mark: &Mark) -> Self {
        self.since = Some(mark.clone());
        self
    }

    /// The lines by now, in the order in which they were written.
    ///
    /// # Errors
    ///
    /// The server does not answer, or what was named by its kind and name has no pods.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// for line in ctx.logs("shop")?.lines().await? {
    ///     ensure!(line.json().is_some(), "{} writes no JSON: {}", line.pod(), line.text());
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn lines(&self) -> Result<Vec<LogLine>, ReadError> {
        self.permission.act(self.read()).await
    }

    /// The lines by now, as one text.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let text = ctx.logs("shop")?.text().await?;
    /// ensure!(text.contains("listening"), "it does not say that it listens: {text}");
    /// # Ok(()) }
    /// ```
    pub async fn text(&self) -> Result<String, ReadError> {
        let lines = self.lines().await?;
        Ok(lines.iter().fold(String::new(), |text, line| text + line.text() + "\n"))
    }

    /// Reads until `holds` is true of a line, for at most `limit`, and returns the first such line.
    ///
    /// `what` names the line in the message of a failure, which tells what was written instead.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, LogLine};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let limit = Duration::from_secs(10);
    /// let is_shipped = |line: &LogLine| line.json().is_some_and(|line| line["event"] == "shipped");
    /// let line = ctx.logs("shop")?.until("the shipment", limit, is_shipped).await?;
    /// # Ok(()) }
    /// ```
    pub async fn until(
        &self,
        what: impl fmt::Display,
        limit: impl Into<Limit>,
        holds: impl Fn(&LogLine) -> bool,
    ) -> Result<LogLine, ReadError> {
        let mut history = History::begin();
        let looking = async {
            let check = async || {
                let lines = match self.read().await {
                    // It may come later.
                    Err(error @ ReadError::NoPod { .. }) => {
                        return Ok(Poll::NotYet(error.to_string()));
                    }
                    lines => lines?,
                };
                let seen = match lines.last() {
                    Some(line) => shortened(line.text(), SHOWN),
                    None => "no line".to_owned(),
                };
                let found = lines.into_iter().find(&holds);
                Ok::<_, ReadError>(found.map_or(Poll::NotYet(seen), Poll::Ready))
            };
            wait::look(limit.into(), &mut history, check).await.transpose()
        };
        let looked = self.permission.act(looking).await?;
        looked.ok_or_else(|| {
            let (what, waited) =
                (format!("{what} in the logs of {}", self.subject), history.elapsed());
            Unmet::Late { what, waited, history: Box::new(history) }.into()
        })
    }

    async fn read(&self) -> Result<Vec<LogLine>, ReadError> {
        let Reader(client, namespaces) = &self.client;
        let unread = |error| self.subject.unread("logs", error);
        let mut pods = Vec::new();
        for namespace in namespaces {
            let made = pods_made_by(client, namespace, self.subject.objects()).await;
            pods.extend(made.map_err(unread)?);
        }
        if pods.is_empty() && !self.subject.is_known() {
            return Err(self.no_pod().await.unwrap_or_else(unread));
        }
        pod_logs::lines(client, &pods, self.since.as_ref()).await.map_err(unread)
    }

    async fn no_pod(&self) -> Result<ReadError, kube::Error> {
        let Reader(client, namespaces) = &self.client;
        let mut known = Vec::new();
        for namespace in namespaces {
            let pods = Api::<Pod>::namespaced(client.clone(), namespace);
            known
                .extend(pods.list(&ListParams::default()).await?.iter().map(ResourceExt::name_any));
        }
        let known = indented(known.iter().map(|name| format!("there is `Pod/{name}`")));
        Ok(ReadError::NoPod { subject: self.subject.to_string(), known })
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reader").field(&self.1).finish_non_exhaustive()
    }
}
