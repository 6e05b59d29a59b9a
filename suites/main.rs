//! The platform's suites. One file a suite; this one lists them.

mod datastorage;
mod hapi;
mod platform;
mod workflows;

use std::process::ExitCode;

fn main() -> ExitCode {
    kindwright::main(&kindwright::project!("../.."), &[hapi::suite(), datastorage::suite()])
}
