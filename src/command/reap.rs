//! Undoes what runs left.

use std::time::Duration;

use tokio::runtime::Runtime;

use super::Failure;
use crate::{
    janitor,
    ledger::{self, Found, Liveness, Runs},
    report::{self, Verdict},
    text::chain,
};

/// How long the Docker daemon may take to answer whoever waits at a terminal.
const AWAY: Duration = Duration::from_secs(10);

/// Undoes one run, kept or dead.
pub(super) fn one(runtime: &Runtime, found: &Found) -> Verdict {
    if undone(runtime, found) { Verdict::Passed } else { Verdict::LeftBehind }
}

/// Undoes all dead runs, and goes on past those that cannot be undone.
pub(super) fn dead(runtime: &Runtime, runs: &Runs) -> Verdict {
    let dead = || runs.found.iter().filter(|found| found.liveness == Liveness::Dead);
    if dead().next().is_none() && runs.unreadable.is_empty() {
        report::say("no dead run left anything");
        return Verdict::Passed;
    }
    let mut verdict = Verdict::Passed;
    for found in dead() {
        if !undone(runtime, found) {
            verdict = Verdict::LeftBehind;
        }
    }
    for unreadable in &runs.unreadable {
        verdict = Verdict::LeftBehind;
        report::error(&format!("run {}: {}", unreadable.run, chain(&unreadable.cause)));
    }
    verdict
}

/// Undoes a run and says so, or says why not.
fn undone(runtime: &Runtime, found: &Found) -> bool {
    let undone = ledger::take(&found.directory, &found.run)
        .map_err(Failure::from)
        .and_then(|_lock| runtime.block_on(janitor::clear(&found.directory, &found.run, AWAY)));
    match &undone {
        Ok(()) => report::say(&format!("run {}: undone", found.run)),
        Err(error) => report::error(&format!("run {}: {}", found.run, chain(&**error))),
    }
    undone.is_ok()
}
