//! The catalog of workflows: what it takes and keeps, and what it finds (scenarios 04, 06, 07, 08).

mod keeping;
mod searching;

use kindwright::{Case, Ctx, HttpError};
use serde_json::{Value, json};

use super::{SERVICE, members, text};
use crate::workflows;

const WORKFLOWS: &str = "/api/v1/workflows";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    searching::cases().into_iter().chain(keeping::cases())
}

/// The labels of the case's own signal.
fn labels(ctx: &Ctx) -> Value {
    json!({
        "signal_type": format!("Signal-{}", ctx.correlation_id()),
        "severity": "critical",
        "component": "deployment",
        "environment": "production",
        "priority": "P0",
    })
}

/// A workflow of the case.
fn workflow(ctx: &Ctx, name: &str, version: &str) -> Value {
    let unique = format!("{name}-{}", ctx.correlation_id());
    let mut workflow = workflows::workflow(&unique, version, &labels(ctx));
    workflow["name"] = json!(format!("{name} {version}"));
    workflow
}

/// Registers a workflow, and returns it.
async fn register(ctx: &Ctx, workflow: &Value) -> Result<Value, HttpError> {
    ctx.post(SERVICE, WORKFLOWS).json(workflow).send().await?.expect(201)?.json()
}

/// What a search finds, made for the case's own remediation.
async fn search(ctx: &Ctx, filters: &Value, more: &Value) -> Result<Value, HttpError> {
    let mut request = json!({"filters": filters, "remediation_id": ctx.correlation_id()});
    for (name, value) in more.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    let request = ctx.post(SERVICE, &format!("{WORKFLOWS}/search")).json(&request);
    request.send().await?.expect(200)?.json()
}

/// The titles of what was found, best first.
fn titles(answer: &Value) -> Vec<&str> {
    members(answer, "/workflows").iter().map(|found| text(found, "/title")).collect()
}

async fn read(ctx: &Ctx, id: &str) -> Result<Value, HttpError> {
    ctx.get(SERVICE, &format!("{WORKFLOWS}/{id}")).send().await?.expect(200)?.json()
}
