//! Lists what runs hold, a line a run.

use std::time::{Duration, SystemTime};

use crate::{
    ledger::{Found, Liveness, Runs},
    text::chain,
};

/// All runs, and of which nothing can be said.
pub(super) fn table(runs: &Runs) -> String {
    let mut text = row("RUN", "STATE", "AGE", "SUITES", "HOLDS");
    for found in &runs.found {
        let (suites, age) = (found.notes.suites.join(","), age(found.notes.began));
        text.push_str(&row(
            found.run.as_str(),
            state(found.liveness),
            &age,
            &suites,
            &holds(found),
        ));
    }
    for unreadable in &runs.unreadable {
        let cause = chain(&unreadable.cause);
        text.push_str(&row(unreadable.run.as_str(), "unreadable", "?", "?", &cause));
    }
    text
}

fn row(run: &str, state: &str, age: &str, suites: &str, holds: &str) -> String {
    format!("{run:<9} {state:<10} {age:>5}  {suites:<24} {holds}\n")
}

fn state(liveness: Liveness) -> &'static str {
    match liveness {
        Liveness::Running => "running",
        Liveness::Kept => "kept",
        Liveness::Dead => "dead",
    }
}

fn holds(found: &Found) -> String {
    let clusters: Vec<_> =
        found.notes.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    if clusters.is_empty() {
        return format!("{} promises", found.record.undo.len());
    }
    clusters.join(" ")
}

fn age(began: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let age = now.saturating_sub(Duration::from_secs(began)).as_secs();
    match age {
        _ if began == 0 => "?".to_owned(),
        0..60 => format!("{age}s"),
        60..3600 => format!("{}m", age / 60),
        3600..86400 => format!("{}h", age / 3600),
        _ => format!("{}d", age / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger;

    #[test]
    fn a_run_that_cannot_be_read_is_shown_as_such_with_the_cause() {
        let state = tempfile::tempdir().unwrap();
        // A file where the directory of a run should be.
        std::fs::write(state.path().join("00000001"), "").unwrap();
        let table = table(&ledger::found(state.path()).unwrap());
        let line = table.lines().nth(1).unwrap();
        assert!(line.starts_with("00000001  unreadable"), "{line}");
        assert!(line.contains("00000001/lock: Not a directory"), "{line}");
    }
}
