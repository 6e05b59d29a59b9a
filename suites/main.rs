//! The platform's suites. One file a suite; this one lists them.

mod aianalysis;
mod datastorage;
mod expect;
mod faults;
mod fullpipeline;
mod gateway;
mod hapi;
mod notification;
mod platform;
mod refusals;
mod remediationorchestrator;
mod signalprocessing;
mod workflowexecution;
mod workflows;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Who takes longest comes first, as long as it is not known from a run.
    let suites = [
        remediationorchestrator::suite(),
        fullpipeline::suite(),
        aianalysis::suite(),
        workflowexecution::suite(),
        notification::suite(),
        datastorage::suite(),
        gateway::suite(),
        signalprocessing::suite(),
        hapi::suite(),
    ];
    kindwright::main(&kindwright::project!("../.."), &suites)
}
