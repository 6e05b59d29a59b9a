//! The one stream in which a run is told: what happened, when, to which suite, case or phase.
//!
//! Whoever acts tells; whoever shows, counts or writes is a [`Consumer`], and learns of a run from
//! here alone. A consumer is told before [`Events::tell`] returns, so that what it prints stands
//! before what the teller does next.

use std::{
    collections::BTreeSet,
    fmt, panic,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use serde::{Serialize, Serializer};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

mod phase;

pub(crate) use phase::{Lasting, Phase};

use crate::wait;

/// How often consumers hear that time passes.
const TICK: Duration = Duration::from_secs(1);

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Event {
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub(crate) time: SystemTime,
    /// How long after the run began, in seconds.
    pub(crate) after: f64,
    /// What.
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum What {
    /// The plan is about to be carried out.
    RunBegan { run: String, suites: Vec<Selected>, plan: Value },
    /// Something began that takes time; `key` joins it with its end.
    PhaseBegan { key: u64, phase: Phase, subject: String },
    /// What the phases of a subject wait for.
    PhaseWaits { subject: String, waits_for: String },
    /// It is over.
    PhaseEnded { key: u64, phase: Phase, subject: String, began: f64, seconds: f64 },
    /// Something that a user should know.
    Noticed { subject: String, notice: String },
    /// The user asked for an end, for the first, second or third time.
    Interrupted { how: String, next: &'static str },
    /// A suite has come to another state.
    SuiteMoved { suite: String, state: SuiteState },
    /// A suite's stack did not come up, or did not come back.
    SuiteFailed { suite: String, cause: String },
    /// From now on cases print.
    CasesBegan,
    /// A case begins.
    CaseBegan { suite: String, case: String, place: Location },
    /// A case is over.
    CaseEnded(CaseEnded),
    /// The runner itself could not go on.
    RunnerFailed { words: String },
    /// Something is still there; `left` are the commands by which a person removes it.
    LeftBehind { heading: String, left: Vec<String> },
    /// Clusters are left to the user; the lines say how they are reached and removed.
    Kept { run: String, lines: Vec<String> },
    /// The run is over, and this is its exit code.
    RunEnded {
        exit_code: u8,
        evidence: Option<PathBuf>,
        /// Which of it could not be written.
        evidence_lost: Option<String>,
    },
}

/// A suite of a run, and how many of its cases are selected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Selected {
    pub(crate) suite: String,
    pub(crate) cases: usize,
}

/// Where a case is declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Location {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

impl From<&panic::Location<'static>> for Location {
    fn from(place: &panic::Location<'static>) -> Self {
        Self { file: place.file(), line: place.line() }
    }
}

/// How far a suite is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SuiteState {
    /// It waits for its cluster, for room, or for its images.
    Planned,
    /// It has its part of a cluster.
    Admitted,
    /// Its stack is up.
    Up,
    /// Its cases run.
    Judging,
    /// Nothing of it is held any more.
    Released,
}

/// The end of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct CaseEnded {
    pub(crate) suite: String,
    pub(crate) case: String,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) labels: BTreeSet<String>,
    pub(crate) place: Location,
    pub(crate) outcome: Outcome,
    pub(crate) seconds: f64,
    /// Why it failed, was not judged, was set aside, or skipped itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// The folder of its evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<PathBuf>,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// All that it says is true.
    Passed,
    /// Something that it says is not.
    Failed,
    /// It was set aside, with a reason.
    Ignored,
    /// It skipped itself, with a reason.
    Skipped,
    /// It could not be judged.
    Unjudged,
}

/// Somebody who learns what happens.
pub(crate) trait Consumer: Send {
    /// Learns of an event.
    fn take(&mut self, event: &Event);

    /// Learns that some time has passed.
    fn tick(&mut self) {}
}

/// Where events are told. Clones tell the same consumers.
#[derive(Clone)]
pub(crate) struct Events(Arc<Mutex<Inner>>);

struct Inner {
    began: Instant,
    next: u64,
    consumers: Vec<Box<dyn Consumer>>,
}

impl Events {
    /// A stream that these consumers hear, in this order.
    pub(crate) fn new(consumers: Vec<Box<dyn Consumer>>) -> Self {
        Self(Arc::new(Mutex::new(Inner { began: Instant::now(), next: 0, consumers })))
    }

    /// Tells what has just happened.
    pub(crate) fn tell(&self, what: What) {
        self.inner().tell(what);
    }

    /// Tells something that a user should know.
    pub(crate) fn notice(&self, subject: &str, notice: &str) {
        self.tell(What::Noticed { subject: subject.to_owned(), notice: notice.to_owned() });
    }

    /// Tells what the phases of a subject wait for.
    pub(crate) fn waits(&self, subject: &str, waits_for: &str) {
        let (subject, waits_for) = (subject.to_owned(), waits_for.to_owned());
        self.tell(What::PhaseWaits { subject, waits_for });
    }

    /// Begins a phase for a subject (an image, a cluster, a suite), which lasts until it is dropped.
    pub(crate) fn phase(&self, phase: Phase, subject: &str) -> Lasting {
        let mut inner = self.inner();
        let key = inner.next;
        inner.next += 1;
        inner.tell(What::PhaseBegan { key, phase, subject: subject.to_owned() });
        Lasting::new(self.clone(), key, phase, subject)
    }

    /// Lets consumers hear that time passes, for as long as it is polled.
    pub(crate) async fn pass_time(self) {
        loop {
            wait::pause(TICK).await;
            self.inner().consumers.iter_mut().for_each(|consumer| consumer.tick());
        }
    }

    /// How long after the begin of the run a moment is, in seconds.
    fn after(&self, moment: Instant) -> f64 {
        moment.saturating_duration_since(self.inner().began).as_secs_f64()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell(&mut self, what: What) {
        let after = self.began.elapsed().as_secs_f64();
        let event = Event { time: SystemTime::now(), after, what };
        self.consumers.iter_mut().for_each(|consumer| consumer.take(&event));
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let text = OffsetDateTime::from(*time).format(&Rfc3339);
    serializer.serialize_str(&text.map_err(serde::ser::Error::custom)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps all that it hears.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<Event>>>);

    impl Consumer for Memory {
        fn take(&mut self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    #[test]
    fn the_end_of_a_phase_has_the_key_of_its_begin() {
        let memory = Memory::default();
        let events = Events::new(vec![Box::new(memory.clone())]);
        let first = events.phase(Phase::Build, "shop");
        drop(events.phase(Phase::Build, "till"));
        drop(first);
        let told = memory.0.lock().unwrap();
        let events: Vec<_> =
            told.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
        let keys: Vec<_> =
            events.iter().map(|event| format!("{} {}", event["event"], event["key"])).collect();
        let [began, ended] = ["\"phase-began\"", "\"phase-ended\""];
        let expected = [(began, 0), (began, 1), (ended, 1), (ended, 0)];
        assert_eq!(keys, expected.map(|(event, key)| format!("{event} {key}")));
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let what = What::SuiteMoved { suite: "shop".into(), state: SuiteState::Up };
        let event = Event { time: SystemTime::UNIX_EPOCH, after: 1.5, what };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"time":"1970-01-01T00:00:00Z","after":1.5,"event":"suite-moved","suite":"shop","state":"up"}"#
        );
    }
}
