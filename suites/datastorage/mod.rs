//! DataStorage: audit events, whatever happens to the database, and the catalog of workflows.
//!
//! The cases are the scenarios of contract 6.9. Bounds in seconds became ratios
//! between two measurements of the same case.
//!
//! The original's image and migrations were tried: what did not pass with them is `beyond`, or was mended
//! (supplement S4). They were not tried again since.

mod event_types;
mod events;
mod incidents;
mod load;
mod metrics;
mod outage;
mod query;
mod refusals;
mod workflows;

use kindwright::{Ctx, HttpError, Suite, Table};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::platform::{self, Ports};

const SERVICE: &str = "datastorage";
const EVENTS: &str = "/api/v1/audit/events";
/// The table of notifications.
const NOTIFICATIONS: &str = "notification_audit";

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30081, 28090), postgresql: (30432, 25433) };
    let notifications = Table::new(NOTIFICATIONS).id("remediation_id").time("created_at").key("id");
    platform::shared(Suite::new(SERVICE, SERVICE), ports, [])
        .table(notifications.kind("status"))
        .cases(events::cases())
        .cases(query::cases())
        .cases(event_types::cases())
        .cases(incidents::cases())
        .cases(refusals::cases())
        .cases(metrics::cases())
        .cases(workflows::cases())
        .cases(load::cases())
        .cases(outage::cases())
}

/// An event of the case, as a service would send it now.
fn event(ctx: &Ctx, category: &str, event_type: &str, action: &str) -> Value {
    json!({
        "version": "1.0",
        "event_type": event_type,
        "event_timestamp": time(OffsetDateTime::now_utc()),
        "event_category": category,
        "event_action": action,
        "event_outcome": "success",
        "correlation_id": ctx.correlation_id(),
        "event_data": {"case": ctx.correlation_id()},
    })
}

/// A time as the service reads it.
fn time(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

/// Stores an event, and returns the answer.
async fn store(ctx: &Ctx, event: &Value) -> Result<Value, HttpError> {
    ctx.post(SERVICE, EVENTS).json(event).send().await?.expect(201)?.json()
}

/// The events that a question finds.
async fn list(ctx: &Ctx, parameters: &[(&str, &str)]) -> Result<Value, HttpError> {
    ctx.get(SERVICE, EVENTS).query(parameters).send().await?.expect(200)?.json()
}

/// The members of a list of an answer; none where there is no list.
fn members<'a>(answer: &'a Value, pointer: &str) -> &'a [Value] {
    answer.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text of an answer; empty where there is none.
fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
