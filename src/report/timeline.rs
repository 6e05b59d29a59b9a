//! When each phase of a run began, and how long it took.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use super::Phase;

/// The phases of a run as intervals from its begin.
#[derive(Debug)]
pub(super) struct Timeline {
    begun: Instant,
    spans: BTreeMap<Phase, Vec<(Duration, Duration)>>,
}

impl Timeline {
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now(), spans: BTreeMap::new() }
    }

    /// Adds a phase that began then and ends now.
    pub(super) fn add(&mut self, phase: Phase, begun: Instant) {
        let from = begun.saturating_duration_since(self.begun);
        self.spans.entry(phase).or_default().push((from, self.begun.elapsed()));
    }
}

/// The first moment of some intervals, and the time that they cover together.
fn covered(spans: &[(Duration, Duration)]) -> (Duration, Duration) {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    let first = spans.first().map_or(Duration::ZERO, |(from, _)| *from);
    let mut end = Duration::ZERO;
    let mut sum = Duration::ZERO;
    for (from, to) in spans {
        sum += to.saturating_sub(from.max(end));
        end = end.max(to);
    }
    (first, sum)
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "phase       after      took")?;
        for (phase, spans) in &self.spans {
            let (first, sum) = covered(spans);
            let (first, sum) = (first.as_secs_f64(), sum.as_secs_f64());
            writeln!(f, "{phase:<8} {first:>6.1} s  {sum:>6.1} s")?;
        }
        write!(f, "all               {:>8.1} s", self.begun.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_two_of_a_phase_run_counts_once() {
        let seconds = |from, to| (Duration::from_secs(from), Duration::from_secs(to));
        let spans = [seconds(4, 6), seconds(1, 3), seconds(2, 5), seconds(8, 9)];
        assert_eq!(covered(&spans), (Duration::from_secs(1), Duration::from_secs(6)));
    }
}
