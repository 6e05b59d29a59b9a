//! What an alert leaves in the audit table on its way, across all services.

use kindwright::{Ctx, Timeline};
use serde_json::Value;

use super::text;

/// The gateway takes the alert in. It tells of the request when it has written its status, and the orchestrator may have
/// begun by then (S6.3).
pub(super) const RECEIVED: [&str; 3] =
    ["gateway.signal.received", "gateway.crd.created", "orchestrator.lifecycle.started"];
/// It is enriched and classified.
pub(super) const PROCESSED: [&str; 8] = [
    MOVED,
    "signalprocessing.enrichment.completed",
    "signalprocessing.phase.transition",
    "signalprocessing.phase.transition",
    "signalprocessing.phase.transition",
    "signalprocessing.classification.decision",
    "signalprocessing.business.classified",
    "signalprocessing.signal.processed",
];
/// HAPI is asked, and its answer judged.
pub(super) const ANALYZED: [&str; 8] = [
    MOVED,
    "aianalysis.phase.transition",
    "aianalysis.holmesgpt.call",
    "aianalysis.phase.transition",
    "aianalysis.rego.evaluation",
    "aianalysis.approval.decision",
    "aianalysis.phase.transition",
    "aianalysis.analysis.completed",
];
/// HAPI is asked, and proposes nothing that could be judged.
pub(super) const UNJUDGED: [&str; 5] = [
    MOVED,
    "aianalysis.phase.transition",
    "aianalysis.holmesgpt.call",
    "aianalysis.phase.transition",
    "aianalysis.analysis.completed",
];
pub(super) const MOVED: &str = "orchestrator.phase.transitioned";
pub(super) const ENDED: &str = "orchestrator.lifecycle.completed";
pub(super) const EXECUTED: [&str; 3] = [MOVED, "workflow.started", "workflow.completed"];
/// What is told of a question to HAPI; who asks it again makes it tell again (S6.4).
const TOLD: [&str; 6] = [
    "aianalysis.holmesgpt.call",
    "llm_request",
    "llm_response",
    "llm_tool_call",
    "workflow_validation_attempt",
    "workflow.catalog.search_completed",
];

/// The timeline of a request until its analysis begins, joined over the ids that its services have for it.
pub(super) fn of(ctx: &Ctx, request: &Value) -> Timeline {
    let name = text(request, "/metadata/name");
    ctx.timeline()
        .under("request", name)
        .under("request's uid", text(request, "/metadata/uid"))
        .under("execution", format!("we-{name}"))
        .under("approval's message", format!("nr-approval-{name}"))
        .under("failure's message", format!("nr-manual-review-{name}"))
        .then(RECEIVED)
        .then(PROCESSED)
        .beside(TOLD)
}

/// A person is asked.
pub(super) const ASKED: [&str; 4] = [
    "orchestrator.approval.requested",
    MOVED,
    "notification.message.sent",
    "notification.message.acknowledged",
];

/// The timeline of a request that is remedied once a person has approved it.
pub(super) fn of_approval(ctx: &Ctx, request: &Value) -> Timeline {
    let asked = of(ctx, request).then(ANALYZED).then(ASKED);
    asked.then(["orchestrator.approval.approved"]).then(EXECUTED).then([ENDED])
}

/// The timeline of a request that is remedied by itself.
pub(super) fn of_remedy(ctx: &Ctx, request: &Value) -> Timeline {
    of(ctx, request).then(ANALYZED).then(EXECUTED).then([ENDED])
}
