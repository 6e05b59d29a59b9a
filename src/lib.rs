//! Runs black-box end-to-end suites on Kubernetes, from `cargo test`.
//!
//! Before its first effect a run is one walk through pure rooms: what was typed, what the
//! environment says and what suites declare become a plan, with all its problems together.
//! Then it is a set of tasks, each of which owns what it changes:
//!
//! ```text
//! argv ─► Cli ──┐
//! env ──► Settings ─► Selection ─► Inventory ─► Plan
//! suites ───────┘                     Seed ──────┘ │
//!                                                  ▼
//! images   builds each once, a few at once ──► shelf ──┐
//! keeper   one per cluster: make, room by node ────────┼─► suite: planned ─► admitted ─► up ─► judging ─► released
//! judge    a thread a case ─── turn? / ended ──► desk ─┘
//!
//! all that happens ──► events ──► terminal, tally (the verdict), JSON lines
//! every effect is promised to the ledger before it begins, and undone newest first
//! ```
//!
//! The private module `run` is the only one that knows the order; it knows clusters and stacks by a
//! few questions, which its tests answer from memory. To find where an effect happens, look for the
//! room that owns it: processes in `exec`, time in [`wait`], the environment in `settings`, the
//! terminal in `report`, where stacks live in `cluster`, undoing in `ledger`, `cluster` and `janitor`.
//!
//! A suite's author needs [`Suite`], [`Workload`], [`Endpoint`], [`Image`], [`Secret`],
//! [`Migrations`], [`Table`], [`Step`], [`cases!`], [`Ctx`], [`ensure!`] and [`ensure_eq!`]; [`main`] does the rest.

pub mod case;
mod cli;
mod cluster;
mod command;
mod difference;
mod digest;
mod docker;
mod durations;
mod events;
mod evidence;
mod exec;
mod exit;
mod image;
mod inventory;
mod janitor;
mod ledger;
mod manifest;
mod migrate;
mod partial;
mod password;
mod plan;
mod pod_logs;
mod postgres;
mod problem;
mod report;
pub mod rows;
mod run;
mod seed;
mod selection;
mod settings;
mod stack;
pub mod suite;
mod text;
mod transport;
pub mod wait;

/// The method of [`Ctx::request`], as the crate `http` has it.
pub use http::Method;
/// The URL that [`Ctx::url`] and [`Postgres::url`] return, as the crate `url` has it.
pub use url::Url;
pub use {
    case::{
        Answer, AttachError, CaseResult, Ctx, DatabaseError, Disturb, DisturbError, EndpointError,
        Failure, GivenUp, HttpError, LogLine, Logs, Mark, Metrics, MetricsError, NoImage,
        NoPassword, NotGiven, Objects, ObjectsError, Postgres, ReadError, Unmet,
    },
    command::command,
    inventory::Project,
    rows::{Entry, Row, Rows, RowsError, Timeline, UnmetRows, UnmetTimeline},
    run::main,
    suite::{
        Ca, Case, Condition, Database, Endpoint, Image, Migrations, Reserve, Secret, Step,
        Strategy, Suite, Table, Workload, password, text,
    },
};
