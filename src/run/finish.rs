//! Ends a run: keeps or undoes what it made, and says so.

use std::time::Duration;

use super::{interrupt::Level, real::Real};
use crate::{
    cli::Keep,
    cluster,
    events::{Phase, What},
    janitor::Janitor,
    ledger::{self, Undo},
    plan::ClusterPlan,
    report::{Tally, Verdict},
    text::chain,
};

/// How long undoing may take before the rest is left to the janitor.
const UNDOING: Duration = Duration::from_mins(1);
/// How many looks in a row must find nothing after a run that was cut short.
const QUIET: usize = 2;

/// Keeps or undoes, tells the end, and returns the verdict.
pub(super) async fn finish(world: &Real, janitor: Janitor, tally: &Tally) -> Verdict {
    for cluster in &world.plan.clusters {
        world.explain_cluster(cluster).await;
    }
    if keeps(world, tally.counts().verdict()) {
        keep(world, janitor).await;
    } else {
        let counts = tally.counts();
        // What was cut short may still be finished by the daemon.
        let cut_short = counts.interrupted || counts.unjudged > 0 || counts.broken;
        let undoing = undo(world, cut_short);
        let (heading, left) = match world.interrupt.until(Level::Leave, undoing).await {
            Some(Ok(())) => close(world, janitor).await,
            Some(Err(left)) => (
                "left behind, and tried again by the janitor once this process is gone (`kindwright ps` shows whether it is still there); by hand:",
                left,
            ),
            None => {
                ("left at once; the janitor undoes the rest, which was at most:", promised(world))
            }
        };
        if !left.is_empty() {
            world.events.tell(What::LeftBehind { heading: heading.to_owned(), left });
        }
    }
    let verdict = tally.counts().verdict();
    let evidence = world.evidence.found().map(ToOwned::to_owned);
    let evidence_lost = world.evidence.lost();
    world.events.tell(What::RunEnded { exit_code: verdict.code(), evidence, evidence_lost });
    verdict
}

/// Whether the clusters are left to the user.
fn keeps(world: &Real, verdict: Verdict) -> bool {
    let made = !world.noted().clusters.is_empty();
    let clusters = &world.plan.clusters;
    let own = clusters.iter().any(ClusterPlan::is_made);
    made && own
        && match world.plan.keep {
            Keep::Always => true,
            // Who interrupts a run does not wait for what is left of it.
            Keep::OnFailure => !matches!(verdict, Verdict::Passed | Verdict::Interrupted),
            Keep::Never => false,
        }
}

/// Undoes everything; what was cut short until it stays undone.
async fn undo(world: &Real, cut_short: bool) -> Result<(), Vec<String>> {
    let _phase = world.events.phase(Phase::Undo, world.plan.run.as_str());
    let record = world.ledger.record().map_err(|error| vec![chain(&error)])?;
    let quiet = if cut_short { QUIET } else { 0 };
    let undone = cluster::undo_until_quiet(&world.docker, &record.undo, quiet, UNDOING, || 0).await;
    undone.map_err(|left| {
        let words = left.iter();
        words.map(|left| format!("{}    ({})", left.undo.by_hand(), left.words)).collect()
    })
}

/// Closes the ledger, sends the janitor home, and forgets the run; what could not be.
async fn close(world: &Real, janitor: Janitor) -> (&'static str, Vec<String>) {
    let mut left = Vec::new();
    left.extend(world.ledger.close().err().map(|error| chain(&error)));
    janitor.dismiss().await;
    left.extend(ledger::forget(world.ledger.directory()).err().map(|error| chain(&error)));
    ("everything was undone, but the ledger is left behind:", left)
}

/// The commands by which a person undoes all that was promised.
fn promised(world: &Real) -> Vec<String> {
    let promises = world.ledger.record().map(|record| record.undo).unwrap_or_default();
    promises.iter().map(Undo::by_hand).collect()
}

/// Leaves the clusters to the user that are there; all else goes, also what was only begun.
async fn keep(world: &Real, janitor: Janitor) {
    let noted = world.noted().clusters;
    let is_kept = |undo: &Undo| match undo {
        Undo::Image { .. } => false,
        Undo::Cluster { name } | Undo::Network { name } => {
            noted.iter().any(|cluster| cluster.name == *name)
        }
    };
    let mut others = world.ledger.record().map(|record| record.undo).unwrap_or_default();
    others.retain(|undo| !is_kept(undo));
    let undoing = cluster::undo_until_quiet(&world.docker, &others, 0, UNDOING, || 0);
    let mut left: Vec<_> = match world.interrupt.until(Level::Leave, undoing).await {
        Some(undone) => {
            undone.err().into_iter().flatten().map(|left| left.undo.by_hand()).collect()
        }
        None => others.iter().map(Undo::by_hand).collect(),
    };
    let kept = world.ledger.keep();
    janitor.dismiss().await;
    match kept {
        Ok(()) => world.events.tell(kept_words(world)),
        // The run looks dead to others: they will undo it.
        Err(error) => left.push(format!(
            "the run is not kept, and undone by `kindwright reap`: {}",
            chain(&error)
        )),
    }
    if !left.is_empty() {
        let heading = "left behind; by hand:".to_owned();
        world.events.tell(What::LeftBehind { heading, left });
    }
}

fn kept_words(world: &Real) -> What {
    let (run, notes) = (world.plan.run.to_string(), world.noted());
    let clusters = notes.clusters.iter().map(|cluster| {
        let (kubeconfig, name) = (cluster.kubeconfig.display(), &cluster.name);
        format!("kubectl --kubeconfig {kubeconfig} get pods -A    # {name}")
    });
    let endpoints = notes.endpoints.iter().map(|endpoint| {
        let place = endpoint.url.as_ref().unwrap_or(&endpoint.address);
        format!("{:<16} {:<24} {place}", endpoint.suite, endpoint.name.to_string())
    });
    let commands = [
        format!("kindwright env {run}     # these as variables"),
        format!("kindwright reap {run}    # removes it"),
    ];
    let lines = clusters.chain(endpoints).chain(commands).collect();
    What::Kept { run, lines }
}
