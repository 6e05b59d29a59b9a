//! When each phase of a run began, and how long it took.

use std::{collections::BTreeMap, fmt};

use crate::events::{Event, Phase, What};

/// The phases of a run as intervals from its begin, in seconds.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    spans: Vec<Span>,
    /// When each case that runs has begun.
    cases: BTreeMap<(String, String), f64>,
    end: f64,
}

/// One phase of one subject.
#[derive(Clone, Debug)]
struct Span {
    phase: Phase,
    subject: String,
    from: f64,
    to: f64,
}

impl Timeline {
    /// Learns of an event.
    pub(super) fn take(&mut self, event: &Event) {
        self.end = event.after;
        match &event.what {
            What::PhaseEnded { phase, subject, began, seconds, .. } => {
                self.add(*phase, subject, *began, began + seconds);
            }
            What::CaseBegan { suite, case, .. } => {
                self.cases.insert((suite.clone(), case.clone()), event.after);
            }
            What::CaseEnded(ended) => {
                let key = (ended.suite.clone(), ended.case.clone());
                if let Some(from) = self.cases.remove(&key) {
                    self.add(Phase::Cases, &ended.suite, from, event.after);
                }
            }
            What::RunBegan { .. }
            | What::PhaseBegan { .. }
            | What::PhaseWaits { .. }
            | What::Noticed { .. }
            | What::Interrupted { .. }
            | What::SuiteMoved { .. }
            | What::SuiteFailed { .. }
            | What::CasesBegan
            | What::RunnerFailed { .. }
            | What::LeftBehind { .. }
            | What::Kept { .. }
            | What::RunEnded { .. } => {}
        }
    }

    fn add(&mut self, phase: Phase, subject: &str, from: f64, to: f64) {
        self.spans.push(Span { phase, subject: subject.to_owned(), from, to });
    }

    /// Whether nothing took any time.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// A line for each phase of each subject, in the order of their begins; cases as one.
    pub(super) fn details(&self) -> String {
        let mut spans: Vec<_> =
            self.spans.iter().filter(|span| span.phase != Phase::Cases).collect();
        spans.sort_by(|a, b| a.from.total_cmp(&b.from));
        let lines = spans.iter().map(|Span { phase, subject, from, to }| {
            format!("{from:>6.2} s  {:>6.2} s  {phase:<8} {subject}\n", to - from)
        });
        let heading = " after      took  phase\n".to_owned();
        lines.fold(heading, |text, line| text + &line)
    }
}

/// The first moment of some intervals, and the time that they cover together.
fn covered<'a>(spans: impl Iterator<Item = &'a Span>) -> (f64, f64) {
    let mut spans: Vec<_> = spans.map(|span| (span.from, span.to)).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = spans.first().map_or(0.0, |(from, _)| *from);
    let (mut end, mut sum) = (0.0_f64, 0.0);
    for (from, to) in spans {
        sum += (to - from.max(end)).max(0.0);
        end = end.max(to);
    }
    (first, sum)
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "phase       after      took")?;
        let mut phases: Vec<_> = self.spans.iter().map(|span| span.phase).collect();
        phases.sort_unstable();
        phases.dedup();
        for phase in phases {
            let (first, sum) = covered(self.spans.iter().filter(|span| span.phase == phase));
            writeln!(f, "{phase:<8} {first:>6.1} s  {sum:>6.1} s")?;
        }
        write!(f, "all               {:>8.1} s", self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_two_of_a_phase_run_counts_once() {
        let mut timeline = Timeline { end: 9.5, ..Timeline::default() };
        for (from, to) in [(4.0, 6.0), (1.0, 3.0), (2.0, 5.0), (8.0, 9.0)] {
            timeline.add(Phase::Build, "shop", from, to);
        }
        timeline.add(Phase::Create, "kw-1", 0.0, 0.25);
        assert_eq!(
            timeline.to_string(),
            "\
phase       after      took
build       1.0 s     6.0 s
create      0.0 s     0.2 s
all                    9.5 s"
        );
        let details = timeline.details();
        assert!(details.contains("  0.00 s    0.25 s  create   kw-1\n  1.00 s"), "{details}");
    }
}
