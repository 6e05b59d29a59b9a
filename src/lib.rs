//! Runs black-box end-to-end suites on Kubernetes, from `cargo test`.
//!
//! A run is one walk through rooms. Each takes the proof left by the room
//! before it and leaves a proof of its own; nothing flows backwards, and every
//! effect is promised to the ledger before it begins.
//!
//! ```text
//! argv ─► Cli ──┐
//! env ──► Settings ─► Selection ─► Inventory ─► Plan ─┬─► images: build ────────────┐
//! suites ───────┘                     Seed ───────────┴─► cluster: create, deliver ─┴─► Stack ─► cases ─► Verdict
//! ```
//!
//! The private module `run` is the only one that knows the order. To find where
//! an effect happens, look for the room that owns it: processes in `exec`, time
//! in [`wait`], the environment in `settings`, the terminal in `report`,
//! undoing in `ledger` and `janitor`.
//!
//! A suite's author needs [`Suite`], [`Workload`], [`Image`], [`Secret`],
//! [`Migrations`], [`cases!`], [`Ctx`] and [`ensure!`]; [`main`] does the rest.

pub mod audit;
pub mod case;
mod cli;
mod cluster;
mod command;
mod digest;
mod docker;
mod events;
mod evidence;
mod exec;
mod image;
mod inventory;
mod janitor;
mod ledger;
mod manifest;
mod migrate;
mod password;
mod plan;
mod problem;
mod report;
mod run;
mod seed;
mod selection;
mod settings;
mod stack;
pub mod suite;
mod text;
pub mod wait;

/// The method of [`Ctx::request`].
pub use reqwest::Method;
pub use {
    case::{
        Answer, CaseResult, Ctx, Disturb, DisturbError, Failure, GivenUp, HttpError, Objects,
        ObjectsError,
    },
    command::command,
    inventory::Project,
    run::main,
    suite::{Case, Database, Image, Migrations, Secret, Suite, Workload, password, text},
};
