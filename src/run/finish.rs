//! Ends a run: keeps or undoes what it made, and says so.

use std::{sync::Arc, time::Duration};

use super::site::Site;
use crate::{
    cli::Keep,
    janitor::Janitor,
    ledger::{self, Undo},
    plan::ClusterPlan,
    report::{self, Facts, Phase, Verdict},
    suite::chain,
};

/// How long undoing may take before the rest is left to the janitor.
const UNDOING: Duration = Duration::from_mins(1);
/// How many looks in a row must find nothing after a run that was cut short.
const QUIET: usize = 2;

/// Keeps or undoes, and returns the verdict.
pub(super) async fn finish(site: Arc<Site>, janitor: Janitor, mut facts: Facts) -> Verdict {
    if keeps(&site, facts.verdict()) {
        return keep(&site, janitor, facts).await;
    }
    let leave = site.interrupt.leave.clone();
    facts.interrupted = site.interrupt.stop.is_cancelled();
    // What was cut short may still be finished by the daemon.
    let cut_short = facts.interrupted || facts.unjudged > 0 || facts.panicked;
    let undone = leave.run_until_cancelled(undo(&site, cut_short)).await;
    match undone {
        Some(Ok(())) => {
            site.progress.settle();
            close(&site, janitor, &mut facts).await;
        }
        Some(Err(left)) => {
            facts.left = true;
            site.progress.settle();
            report::say(
                "left behind, and tried again by the janitor once this process is gone; by hand:",
            );
            for line in left {
                report::say(&format!("    {line}"));
            }
            report::say("`kindwright ps` shows whether it is still there");
        }
        None => {
            site.progress.settle();
            report::say("left at once; the janitor undoes the rest, which was at most:");
            let promises = site.ledger.record().map(|record| record.undo).unwrap_or_default();
            for undo in promises {
                report::say(&format!("    {}", undo.by_hand()));
            }
        }
    }
    facts.interrupted = site.interrupt.stop.is_cancelled();
    closing_words(&site, &facts);
    facts.verdict()
}

fn keeps(site: &Site, verdict: Verdict) -> bool {
    let created =
        !site.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clusters.is_empty();
    let own =
        site.plan.clusters.iter().any(|cluster| matches!(cluster, ClusterPlan::Create { .. }));
    created
        && own
        && match site.plan.keep {
            Keep::Always => true,
            // Who interrupts a run does not wait for what is left of it.
            Keep::OnFailure => !matches!(verdict, Verdict::Passed | Verdict::Interrupted),
            Keep::Never => false,
        }
}

/// Undoes everything; what was cut short until it stays undone.
async fn undo(site: &Site, cut_short: bool) -> Result<(), Vec<String>> {
    let phase = site.progress.phase(Phase::Undo, site.plan.run.as_str());
    let record = site.ledger.record().map_err(|error| vec![chain(&error)])?;
    let quiet = if cut_short { QUIET } else { 0 };
    let undone = ledger::undo_until_quiet(&site.docker, &record.undo, quiet, UNDOING, || 0).await;
    drop(phase);
    undone.map_err(|left| {
        let words = left.iter();
        words.map(|left| format!("{}    ({})", left.undo.by_hand(), left.words)).collect()
    })
}

async fn close(site: &Site, janitor: Janitor, facts: &mut Facts) {
    if let Err(error) = site.ledger.close() {
        report::error(&chain(&error));
    }
    janitor.dismiss().await;
    if let Err(error) = ledger::forget(site.ledger.directory()) {
        facts.left = true;
        report::error(&chain(&error));
    }
}

/// Leaves the clusters to the user; only the tags of the images go.
async fn keep(site: &Site, janitor: Janitor, mut facts: Facts) -> Verdict {
    let promises = site.ledger.record().map(|record| record.undo).unwrap_or_default();
    let tags: Vec<_> =
        promises.into_iter().filter(|undo| matches!(undo, Undo::Image { .. })).collect();
    let undone = ledger::undo_all(&site.docker, &tags).await;
    facts.left = !undone.left.is_empty();
    if let Err(error) = site.ledger.keep() {
        report::error(&chain(&error));
    }
    janitor.dismiss().await;
    site.progress.settle();
    closing_words(site, &facts);
    let run = &site.plan.run;
    let notes = site.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    report::say(&format!("run {run} is kept:"));
    for (name, kubeconfig) in &notes.clusters {
        report::say(&format!(
            "    kubectl --kubeconfig {} get pods -A    # {name}",
            kubeconfig.display()
        ));
    }
    for endpoint in &notes.endpoints {
        report::say(&format!(
            "    {:<16} {:<16} {}",
            endpoint.suite, endpoint.service, endpoint.url
        ));
    }
    report::say(&format!("    kindwright env {run}     # these as variables"));
    report::say(&format!("    kindwright reap {run}    # removes it"));
    facts.verdict()
}

/// The last screen: where the time went, what failed before any case could, and where the rest is.
fn closing_words(site: &Site, facts: &Facts) {
    report::say(&site.progress.timeline());
    for (cause, suites) in &facts.causes {
        report::say(&format!("failed   {}: {cause}", suites.join(", ")));
    }
    if facts.verdict() != Verdict::Passed
        && let Some(directory) = site.evidence.found()
    {
        report::say(&format!("evidence: {}", directory.display()));
    }
}
