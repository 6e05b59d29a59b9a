//! What a case is given: its services by name, and nothing behind them.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use http::Method;
use uuid::Uuid;

use super::{
    Disturb, DisturbError, Exchanges, Given, Http, HttpError, Objects, Request,
    attachments::Attachments, permission::Permission,
};
use crate::stack::Stack;

/// How much of a suite's name is in the ids of its cases, which name namespaces too.
const PREFIX: usize = 40;

/// Everything that a case may touch.
///
/// There is no client of the cluster in here: a case that could reach behind
/// the services would no longer be a black-box test.
///
/// ```
/// use kindwright::{CaseResult, Ctx, ensure_eq};
/// use serde_json::json;
///
/// async fn an_order_is_kept(ctx: Ctx) -> CaseResult {
///     let order = json!({"sku": "tea", "correlation_id": ctx.correlation_id()});
///     ctx.post("shop", "/orders").json(&order).send().await?.expect(201)?;
///     ctx.get("shop", "/orders/1").send().await?.expect(200)?.matching(json!({"sku": "tea"}))?;
///     ctx.audit().kinds(["order.accepted"]).exactly(1).holds().await?;
///     let rows = ctx.default_database()?.query("SELECT sku FROM orders", &[]).await?;
///     ensure_eq!(rows, [json!({"sku": "tea"})]);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Ctx {
    shared: Arc<Shared>,
    correlation_id: String,
    http: Http,
    objects: Objects,
    /// Unless it shares its stack.
    disturb: Option<Disturb>,
    attachments: Attachments,
    permission: Permission,
}

/// What the cases of a suite share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) stack: Arc<Stack>,
    pub(crate) settle: Duration,
    pub(crate) given: Given,
}

impl Ctx {
    /// What a case or a step called so is given; `alone` says that no other runs beside it.
    pub(crate) fn new(
        shared: Arc<Shared>,
        called: &str,
        alone: bool,
        exchanges: Exchanges,
    ) -> Self {
        let suite = &shared.stack.plan().name;
        let unique = Uuid::new_v4().simple().to_string();
        let prefix: String = suite.chars().take(PREFIX).collect();
        let correlation_id = format!("{prefix}-{}", &unique[..12]);
        Self::of(shared, called, correlation_id, alone, exchanges)
    }

    fn of(
        shared: Arc<Shared>,
        called: &str,
        correlation_id: String,
        alone: bool,
        exchanges: Exchanges,
    ) -> Self {
        let permission = Permission::default();
        let (stack, id) = (Arc::clone(&shared.stack), correlation_id.clone());
        Self {
            objects: Objects::new(stack, called, id, permission.clone()),
            disturb: alone.then(|| {
                let (stack, id) = (Arc::clone(&shared.stack), correlation_id.clone());
                Disturb::new(stack, id, permission.clone())
            }),
            http: Http::new(exchanges, permission.clone()),
            attachments: Attachments::default(),
            shared,
            correlation_id,
            permission,
        }
    }

    /// The same for who tidies up after the case, which itself can do nothing any more.
    pub(crate) fn renewed(&self, called: &str) -> Self {
        let (shared, id) = (Arc::clone(&self.shared), self.correlation_id.clone());
        let exchanges = self.http.exchanges();
        let renewed = Self::of(shared, called, id, self.disturb.is_some(), exchanges);
        Self { attachments: self.attachments.clone(), ..renewed }
    }

    /// What steps have returned.
    pub(super) fn all_given(&self) -> &Given {
        &self.shared.given
    }

    /// Takes from the case all that it was given: whatever of it still runs can do nothing any more.
    pub(crate) fn close(&self) {
        self.permission.end();
    }

    /// An id that only this case has, by which it finds what it caused.
    ///
    /// It is the suite's name, 40 characters of it at most, and 12 hexadecimal digits (`shop-0123456789ab`), which Kubernetes takes as a name, and no UUID:
    /// what has ids of its own is found by [`under`](crate::Rows::under) or [`audit_of`](Self::audit_of).
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let order = json!({"sku": "tea", "correlation_id": ctx.correlation_id()});
    /// ctx.post("shop", "/orders").json(&order).send().await?.expect(201)?;
    /// ctx.audit().exactly(1).holds().await?; // what was written under this id
    /// # Ok(()) }
    /// ```
    pub fn correlation_id(&self) -> &str {
        &self.correlation_id
    }

    /// The folder of this machine that the suite's pods have as the host path `/kindwright`: what they
    /// write there can be read here, and the other way round.
    ///
    /// All cases of the suite share it.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn a_report_is_written(ctx: Ctx) -> CaseResult {
    ///     ctx.post("shop", "/reports").send().await?.expect(201)?;
    ///     let report = std::fs::read_to_string(ctx.shared().join("report.txt"))?;
    ///     ensure!(report.contains("tea"), "it says: {report}");
    ///     Ok(())
    /// }
    /// ```
    pub fn shared(&self) -> PathBuf {
        self.shared.stack.shared()
    }

    pub(super) fn permission(&self) -> &Permission {
        &self.permission
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.shared.stack
    }

    /// How long after an answer rows may still arrive.
    pub(super) fn settle(&self) -> Duration {
        self.shared.settle
    }

    /// A GET of a path of a service: of the first HTTP(S) endpoint of a workload, or with `workload:endpoint` of
    /// this one.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// ctx.get("shop", "/orders/7?full=yes").send().await?.expect(200)?;
    /// ctx.get("shop:admin", "/health").send().await?.expect(200)?; // another endpoint of the workload
    /// # Ok(()) }
    /// ```
    pub fn get(&self, service: &str, path: &str) -> Request {
        self.request(Method::GET, service, path)
    }

    /// A POST to a path of a service, which is named as for [`get`](Self::get).
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.post("shop", "/orders").json(&json!({"sku": "tea"})).send().await?.expect(201)?;
    /// # Ok(()) }
    /// ```
    pub fn post(&self, service: &str, path: &str) -> Request {
        self.request(Method::POST, service, path)
    }

    /// A request of any method to a path of a service, which is named as for [`get`](Self::get).
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, Method};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// ctx.request(Method::DELETE, "shop", "/orders/7").send().await?.expect(204)?;
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method, service: &str, path: &str) -> Request {
        let target = self.service(service).map(|(client, mut url)| {
            let (path, query) =
                path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
            url.set_path(path);
            url.set_query(query);
            (client, url)
        });
        self.http.request(method, target.map_err(HttpError::from))
    }

    /// Kubernetes objects in a namespace of this case.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx};
    /// # use serde_json::json;
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let order = json!({"apiVersion": "shop.example.com/v1", "kind": "Order", "metadata": {"name": "tea"}});
    /// ctx.objects().create(order).await?;
    /// # Ok(()) }
    /// ```
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The means to stop, start and kill the pods of the suite's own stack, and to replace its ConfigMaps.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// // The case is declared as `case!(its_name).alone()`.
    /// ctx.disturb()?.kill("shop").await?;
    /// ctx.get("shop", "/orders/7").send().await?.expect(200)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The case is not declared [`alone`](crate::Case::alone).
    pub fn disturb(&self) -> Result<&Disturb, DisturbError> {
        self.disturb.as_ref().ok_or(DisturbError::Shared)
    }

    /// What it has attached.
    pub(crate) fn attachments(&self) -> &Attachments {
        &self.attachments
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("correlation_id", &self.correlation_id).finish_non_exhaustive()
    }
}
