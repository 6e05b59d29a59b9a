//! The platform's suites. One file a suite; this one lists them.

mod datastorage;
mod gateway;
mod hapi;
mod notification;
mod platform;
mod signalprocessing;
mod workflows;

use std::process::ExitCode;

fn main() -> ExitCode {
    let suites = [
        hapi::suite(),
        datastorage::suite(),
        gateway::suite(),
        notification::suite(),
        signalprocessing::suite(),
    ];
    kindwright::main(&kindwright::project!("../.."), &suites)
}
