//! What a case is given: its services by name, and nothing behind them.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use http::Method;
use uuid::Uuid;

use super::{
    AttachError, Disturb, DisturbError, Exchanges, Given, Http, HttpError, Objects, Request,
    attachments::Attachments, permission::Permission,
};
use crate::{
    rows::{Rows, RowsError},
    stack::Stack,
    suite::Table,
    text::listed,
};

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

    /// A GET of a path of a service: of the first HTTP(S) endpoint of a workload, or with `workload:endpoint` of
    /// this one.
    pub fn get(&self, service: &str, path: &str) -> Request {
        self.request(Method::GET, service, path)
    }

    /// A POST to a path of a service, which is named as for [`get`](Self::get).
    pub fn post(&self, service: &str, path: &str) -> Request {
        self.request(Method::POST, service, path)
    }

    /// A request of any method to a path of a service, which is named as for [`get`](Self::get).
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
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The means to stop, start and kill the pods of the suite's own stack, and to replace its ConfigMaps.
    ///
    /// # Errors
    ///
    /// The case is not declared [`alone`](crate::Case::alone).
    pub fn disturb(&self) -> Result<&Disturb, DisturbError> {
        self.disturb.as_ref().ok_or(DisturbError::Shared)
    }

    /// Attaches something to the failure of this case, as a file of its evidence.
    ///
    /// It is kept if the case fails, without secrets where it is text, and dropped otherwise. A later one of
    /// the same name replaces it. All of a case together may have 8 MiB.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let report = ctx.get("shop", "/report").send().await?;
    /// ctx.attach("report.json", report.text())?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The name is none of a file (letters, digits and `_-.`), or it is too much.
    pub fn attach(&self, name: &str, contents: impl Into<Vec<u8>>) -> Result<(), AttachError> {
        self.attachments.add(&self.permission, name, contents.into())
    }

    /// What it has attached.
    pub(crate) fn attachments(&self) -> &Attachments {
        &self.attachments
    }

    /// Assertions on the rows of a table that the suite [declares](crate::Suite::table), by its name or alias.
    ///
    /// They are those under the [correlation id](Self::correlation_id) of this case, unless it says
    /// [otherwise](Rows::under).
    ///
    /// # Errors
    ///
    /// The suite declares no such table.
    pub fn rows(&self, table: &str) -> Result<Rows, RowsError> {
        let tables = &self.shared.stack.plan().tables;
        let found = tables.iter().find(|declared| declared.called() == table);
        let declared = found.ok_or_else(|| RowsError::Unknown {
            table: table.to_owned(),
            known: listed(tables.iter().map(Table::called)),
        })?;
        Ok(self.rows_of(declared, &self.correlation_id))
    }

    /// Assertions on the audit events of this case, in the table that the suite declares by
    /// [`Suite::audit`](crate::Suite::audit).
    pub fn audit(&self) -> Rows {
        self.audit_of(&self.correlation_id)
    }

    /// Assertions on the audit events under another id, which a service chose.
    pub fn audit_of(&self, correlation_id: &str) -> Rows {
        match self.shared.stack.plan().tables.iter().find(|table| table.audit) {
            Some(table) => self.rows_of(table, correlation_id),
            None => Rows::unknown(RowsError::NoAudit),
        }
    }

    fn rows_of(&self, table: &Table, id: &str) -> Rows {
        let database = self.shared.stack.login_of(table);
        Rows::new(database, table.clone(), id, self.shared.settle)
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("correlation_id", &self.correlation_id).finish_non_exhaustive()
    }
}
