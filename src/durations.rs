//! How long the suites of a project took in earlier runs, kept in the state directory.
//!
//! Each suite has a file of its own, which is replaced as a whole, so that runs at the same moment do not meet.
//! What cannot be read is not known, and what cannot be written is not known next time: runs only wait longer.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::{
    digest,
    events::{Consumer, Event, Outcome, SuiteState, What},
};

/// The directory, beside those of runs.
const DIRECTORY: &str = "durations";

/// How long all cases of a suite took together, side by side as they run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Took {
    /// From the moment at which its stack was up.
    pub(crate) seconds: f64,
    pub(crate) cases: usize,
}

impl Took {
    /// How long so many of its cases will take.
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many cases")]
    pub(crate) fn of(self, cases: usize) -> Option<Duration> {
        let seconds = self.seconds * cases as f64 / self.cases as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// What is known of the suites of a project.
#[derive(Clone, Debug)]
pub(crate) struct Durations(PathBuf);

impl Durations {
    /// Those of the project in `root`, below `state`.
    pub(crate) fn of(state: &Path, root: &Path) -> Self {
        let project = digest::sha256_of(root.as_os_str().as_encoded_bytes());
        Self(state.join(DIRECTORY).join(project))
    }

    /// How long these suites took when they last passed as a whole, as far as that is known.
    pub(crate) fn known<'a>(
        &self,
        suites: impl Iterator<Item = &'a str>,
    ) -> BTreeMap<String, Took> {
        let known = |suite: &str| serde_json::from_slice(&fs::read(self.file(suite)).ok()?).ok();
        suites.filter_map(|suite| Some((suite.to_owned(), known(suite)?))).collect()
    }

    fn note(&self, suite: &str, took: Took) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let mut file = NamedTempFile::new_in(&self.0)?;
        file.write_all(&serde_json::to_vec(&took)?)?;
        file.persist(self.file(suite))?;
        Ok(())
    }

    fn file(&self, suite: &str) -> PathBuf {
        self.0.join(format!("{suite}.json"))
    }
}

/// Notes how long suites take while a run goes on.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    durations: Durations,
    suites: BTreeMap<String, Running>,
}

/// A suite of which all cases passed by now.
#[derive(Debug)]
struct Running {
    cases: usize,
    passed: usize,
    /// When its stack was up, in seconds after the begin of the run.
    up: f64,
}

impl Stopwatch {
    /// For these suites, each with the number of its cases, of which none is left out.
    pub(crate) fn new(durations: Durations, suites: impl Iterator<Item = (String, usize)>) -> Self {
        let running = |(suite, cases)| (suite, Running { cases, passed: 0, up: 0.0 });
        Self { durations, suites: suites.map(running).collect() }
    }

    /// Counts the end of a case. What failed has ended early, or waited out its limit, and tells nothing.
    fn ended(&mut self, suite: &str, outcome: Outcome, after: f64) {
        let Some(running) = self.suites.get_mut(suite) else { return };
        match outcome {
            Outcome::Passed | Outcome::Skipped => running.passed += 1,
            Outcome::Ignored => return,
            Outcome::Failed | Outcome::Unjudged => {
                self.suites.remove(suite);
                return;
            }
        }
        if running.passed == running.cases {
            let took = Took { seconds: after - running.up, cases: running.cases };
            let _ = self.durations.note(suite, took);
        }
    }
}

impl Consumer for Stopwatch {
    fn take(&mut self, event: &Event) {
        match &event.what {
            What::SuiteMoved { suite, state: SuiteState::Up } => {
                if let Some(running) = self.suites.get_mut(suite) {
                    running.up = event.after;
                }
            }
            What::CaseEnded(case) => self.ended(&case.suite, case.outcome, event.after),
            What::RunBegan { .. }
            | What::PhaseBegan { .. }
            | What::PhaseWaits { .. }
            | What::PhaseEnded { .. }
            | What::Noticed { .. }
            | What::Interrupted { .. }
            | What::SuiteMoved { .. }
            | What::SuiteFailed { .. }
            | What::CasesBegan
            | What::CaseBegan { .. }
            | What::RunnerFailed { .. }
            | What::LeftBehind { .. }
            | What::Kept { .. }
            | What::RunEnded { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::SystemTime};

    use super::*;
    use crate::events::{CaseEnded, Location};

    /// A run in which the stack of `shop` is up after two seconds, and a case ends in each that follows.
    fn run(durations: &Durations, cases: usize, outcomes: &[Outcome]) {
        let mut watch = Stopwatch::new(durations.clone(), [("shop".to_owned(), cases)].into_iter());
        let mut after = 2.0;
        let mut tell = |what| {
            watch.take(&Event { time: SystemTime::UNIX_EPOCH, after, what });
            after += 1.0;
        };
        tell(What::SuiteMoved { suite: "shop".to_owned(), state: SuiteState::Up });
        for outcome in outcomes {
            tell(What::CaseEnded(CaseEnded {
                suite: "shop".to_owned(),
                case: "it_sells".to_owned(),
                labels: BTreeSet::new(),
                place: Location { file: "shop.rs", line: 1 },
                outcome: *outcome,
                seconds: 0.5,
                cause: None,
                evidence: None,
            }));
        }
    }

    fn known(durations: &Durations) -> Option<Took> {
        durations.known(["shop"].into_iter()).remove("shop")
    }

    #[test]
    fn a_suite_of_which_all_cases_passed_is_known_to_the_next_run_of_its_project_only() {
        let state = tempfile::tempdir().unwrap();
        let durations = Durations::of(state.path(), Path::new("/project"));
        run(&durations, 2, &[Outcome::Passed, Outcome::Ignored, Outcome::Skipped]);
        let took = known(&Durations::of(state.path(), Path::new("/project"))).unwrap();
        assert_eq!(took, Took { seconds: 3.0, cases: 2 });
        assert_eq!(took.of(4), Some(Duration::from_secs(6)));
        assert_eq!(known(&Durations::of(state.path(), Path::new("/other"))), None);
        run(&durations, 1, &[Outcome::Passed]);
        assert_eq!(known(&durations), Some(Took { seconds: 1.0, cases: 1 }));
    }

    #[test]
    fn a_run_that_failed_or_was_not_whole_says_nothing() {
        let state = tempfile::tempdir().unwrap();
        let durations = Durations::of(state.path(), Path::new("/project"));
        run(&durations, 2, &[Outcome::Passed, Outcome::Failed]);
        run(&durations, 2, &[Outcome::Unjudged, Outcome::Passed, Outcome::Passed]);
        run(&durations, 2, &[Outcome::Passed]);
        assert_eq!(known(&durations), None);
    }

    #[test]
    fn what_is_torn_or_makes_no_sense_is_not_known() {
        let state = tempfile::tempdir().unwrap();
        let durations = Durations::of(state.path(), Path::new("/project"));
        run(&durations, 1, &[Outcome::Passed]);
        for (text, expected) in [
            (r#"{"seconds": 3.5, "cas"#, None),
            (r#"{"seconds": 3.5, "cases": 0}"#, None),
            (r#"{"seconds": -1.0, "cases": 1}"#, None),
            (r#"{"seconds": 3.5, "cases": 1}"#, Some(Duration::from_millis(3500))),
        ] {
            fs::write(durations.file("shop"), text).unwrap();
            assert_eq!(known(&durations).and_then(|took| took.of(1)), expected, "{text}");
        }
    }

    #[test]
    fn a_state_directory_that_cannot_be_written_stops_nothing() {
        let state = tempfile::NamedTempFile::new().unwrap();
        let durations = Durations::of(state.path(), Path::new("/project"));
        run(&durations, 1, &[Outcome::Passed]);
        assert_eq!(known(&durations), None);
    }
}
