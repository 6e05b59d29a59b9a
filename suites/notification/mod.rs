//! Notification: messages for people on the console, in files, in the log and in Slack, audited.
//!
//! The cases are the scenarios of contract 6.7. Where the original's test emits the events itself,
//! these assert what the controller emits.
//!
//! None of them was tried with the original's image.

mod audit;
mod fan_out;
mod files;
mod metrics;
mod outage;
mod priorities;
mod refusals;
mod retries;
mod slack;

use kindwright::{Ctx, Endpoint, Image, ObjectsError, Suite, Workload};
use serde_json::{Value, json};

use crate::platform::{self, Ports, SOON, STAND_INS};

/// The controller, as workload, image and emitter of events.
const CONTROLLER: &str = "notification-controller";
/// Its Slack.
const SLACK: &str = "mock-slack";
const VERSION: &str = "kubernaut.ai/v1alpha1";
const KIND: &str = "NotificationRequest";
const SENT: &str = "notification.message.sent";
const FAILED: &str = "notification.message.failed";
const ACKNOWLEDGED: &str = "notification.message.acknowledged";
const ESCALATED: &str = "notification.message.escalated";

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30090, 30090), postgresql: (30432, 15440) };
    let metrics = Endpoint::http("metrics").node_port(30186).host_port(9186).health("/metrics");
    let controller = Workload::new(CONTROLLER, "fixtures/manifests/notification-controller.yaml")
        .endpoint(metrics.service("notification-metrics"));
    let slack = Workload::new(SLACK, "fixtures/manifests/mock-slack.yaml")
        .endpoint(Endpoint::http("http").node_port(30286).health("/health"));
    let suite = Suite::new("notification", CONTROLLER)
        .image(Image::program(CONTROLLER, STAND_INS, [CONTROLLER]))
        .image(Image::program(SLACK, STAND_INS, [SLACK]))
        .resources("fixtures/crds/kubernaut.ai_notificationrequests.yaml")
        .controls(KIND);
    platform::shared(suite, ports, [controller, slack])
        .cases(audit::cases())
        .cases(fan_out::cases())
        .cases(files::cases())
        .cases(metrics::cases())
        .cases(priorities::cases())
        .cases(refusals::cases())
        .cases(retries::cases())
        .cases(slack::cases())
        .cases(outage::cases())
}

/// The object of a notification, which is found under the correlation id of the case.
fn object(ctx: &Ctx, name: &str, more: &Value) -> Value {
    let mut spec = json!({
        "type": "simple",
        "priority": "medium",
        "subject": format!("{name} of {}", ctx.correlation_id()),
        "body": "There is nothing to be done.",
        "channels": ["console"],
        "metadata": {"remediationRequestName": ctx.correlation_id()},
    });
    if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    // Files of all cases lie in one folder, and are called after their notification.
    let name = ctx.objects().own_name(name);
    json!({"apiVersion": VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec})
}

/// Makes a notification; returns its name.
async fn send(ctx: &Ctx, name: &str, more: Value) -> Result<String, ObjectsError> {
    let made = ctx.objects().create(object(ctx, name, &more)).await?;
    Ok(made["metadata"]["name"].as_str().unwrap_or_default().to_owned())
}

/// Waits until the status of a notification is so, and returns the object.
async fn until(ctx: &Ctx, name: &str, status: Value) -> Result<Value, ObjectsError> {
    ctx.objects().until_matching([VERSION, KIND, name], json!({"status": status}), SOON).await
}

/// Tries so often, about a second after one another.
fn impatient(attempts: u32) -> Value {
    json!({
        "maxAttempts": attempts, "initialBackoffSeconds": 1, "backoffMultiplier": 1,
        "maxBackoffSeconds": 60,
    })
}

/// The attempts of a channel.
fn attempts<'a>(notification: &'a Value, channel: &str) -> Vec<&'a Value> {
    let all = notification["status"]["deliveryAttempts"].as_array();
    all.into_iter().flatten().filter(|attempt| attempt["channel"] == channel).collect()
}
