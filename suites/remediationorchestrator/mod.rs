//! The orchestrator of remediations, alone: cases play its children, and people.
//!
//! The cases are the scenarios of contract 6.8, with the nine that the original leaves pending. The orchestrator may
//! be woken by what its children say, or may look every few seconds, as the original does: cases wait long enough.
//!
//! None of them was tried with the original's image.

mod adoption;
mod approval;
mod audit;
mod blocking;
mod cascade;
mod children;
mod interruptions;
mod lifecycle;
mod limits;
mod metrics;
mod notifications;
mod operation;
mod play;
mod refusals;
mod targets;

use kindwright::{Endpoint, Image, Suite, Workload};

use crate::platform::{self, Ports, SOON, STAND_INS};

/// The controller, as workload and image.
const CONTROLLER: &str = "remediationorchestrator-controller";
/// What it calls itself as an emitter of events.
const ACTOR: &str = "remediation-orchestrator";
const VERSION: &str = "kubernaut.ai/v1alpha1";

const STARTED: &str = "orchestrator.lifecycle.started";
const MOVED: &str = "orchestrator.phase.transitioned";
const COMPLETED: &str = "orchestrator.lifecycle.completed";

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30081, 8081), postgresql: (30432, 15435) };
    let metrics = Endpoint::http("metrics").node_port(30183).host_port(9183).health("/metrics");
    let controller =
        Workload::new(CONTROLLER, "fixtures/manifests/remediationorchestrator-controller.yaml")
            .endpoint(metrics);
    let suite = [
        "remediationrequests",
        "remediationapprovalrequests",
        "signalprocessings",
        "aianalyses",
        "workflowexecutions",
        "notificationrequests",
    ]
    .into_iter()
    .fold(Suite::new("remediationorchestrator", "remediationorchestrator"), |suite, kinds| {
        suite.resources(format!("fixtures/crds/kubernaut.ai_{kinds}.yaml"))
    });
    platform::shared(suite, ports, [controller])
        .image(Image::program(CONTROLLER, STAND_INS, [CONTROLLER]))
        .controls("RemediationRequest")
        .cases(lifecycle::cases())
        .cases(audit::cases())
        .cases(metrics::cases())
        .cases(approval::cases())
        .cases(blocking::cases())
        .cases(targets::cases())
        .cases(children::cases())
        .cases(cascade::cases())
        .cases(operation::cases())
        .cases(adoption::cases())
        .cases(limits::cases())
        .cases(notifications::cases())
        .cases(refusals::cases())
        .cases(interruptions::cases())
}
