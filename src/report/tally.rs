//! Counts how cases ended, and says what that makes of the run.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use crate::events::{Consumer, Event, Outcome, What};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every selected case passed.
    Passed,
    /// The command line, the settings or the plan is wrong.
    Usage,
    /// Nothing was selected, which is never a pass.
    NothingSelected,
    /// Nothing could be judged.
    NothingJudged,
    /// All passed, but something was left behind.
    LeftBehind,
    /// A case failed, or a suite was judged and another could not be.
    Failed,
    /// The user stopped it.
    Interrupted,
}

impl Verdict {
    /// The exit code of the process.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Usage => 2,
            Self::NothingSelected => 4,
            Self::NothingJudged => 70,
            Self::LeftBehind => 71,
            Self::Failed => 101, // as `cargo test`
            Self::Interrupted => 130,
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(verdict.code())
    }
}

/// What has been counted by now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Set aside with a reason while the run went on.
    pub(crate) ignored: usize,
    /// Ran, and skipped themselves.
    pub(crate) skipped: usize,
    pub(crate) unjudged: usize,
    /// Suites without a stack, or with a step after their cases that failed.
    pub(crate) suites_failed: usize,
    /// The user stopped it.
    pub(crate) interrupted: bool,
    /// The runner itself failed.
    pub(crate) broken: bool,
    /// Something was left behind.
    pub(crate) left: bool,
}

impl Counts {
    /// The verdict: the worst that a user must know first.
    pub(crate) const fn verdict(self) -> Verdict {
        let judged = self.passed + self.failed > 0;
        let incomplete = self.unjudged > 0 || self.suites_failed > 0 || self.broken;
        if self.interrupted {
            Verdict::Interrupted
        } else if self.failed > 0 || judged && incomplete {
            Verdict::Failed
        } else if incomplete || !judged && self.skipped > 0 {
            Verdict::NothingJudged
        } else if self.left {
            Verdict::LeftBehind
        } else {
            Verdict::Passed
        }
    }
}

/// Counts what it hears. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    /// What has been counted by now.
    pub(crate) fn counts(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for Tally {
    fn take(&mut self, event: &Event) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.what {
            What::CaseEnded(ended) => match ended.outcome {
                Outcome::Passed => counts.passed += 1,
                Outcome::Failed => counts.failed += 1,
                Outcome::Ignored => counts.ignored += 1,
                Outcome::Skipped => counts.skipped += 1,
                Outcome::Unjudged => counts.unjudged += 1,
            },
            What::SuiteFailed { .. } => counts.suites_failed += 1,
            What::Interrupted { .. } => counts.interrupted = true,
            What::RunnerFailed { .. } => counts.broken = true,
            What::LeftBehind { .. } => counts.left = true,
            What::RunBegan { .. }
            | What::PhaseBegan { .. }
            | What::PhaseWaits { .. }
            | What::PhaseEnded { .. }
            | What::Noticed { .. }
            | What::SuiteMoved { .. }
            | What::CasesBegan
            | What::CaseBegan { .. }
            | What::Kept { .. }
            | What::RunEnded { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(change: impl Fn(&mut Counts)) -> u8 {
        let mut counts = Counts { passed: 3, ..Counts::default() };
        change(&mut counts);
        counts.verdict().code()
    }

    #[test]
    fn the_worst_decides() {
        assert_eq!(verdict(|_| {}), 0);
        assert_eq!(verdict(|counts| counts.left = true), 71);
        assert_eq!(verdict(|counts| counts.failed = 1), 101);
        assert_eq!(verdict(|counts| (counts.failed, counts.left) = (1, true)), 101);
        assert_eq!(verdict(|counts| counts.interrupted = true), 130);
        assert_eq!(verdict(|counts| counts.unjudged = 1), 101);
        assert_eq!(verdict(|counts| counts.suites_failed = 1), 101);
        assert_eq!(verdict(|counts| (counts.passed, counts.unjudged) = (0, 2)), 70);
        assert_eq!(verdict(|counts| (counts.passed, counts.broken) = (0, true)), 70);
    }

    #[test]
    fn a_run_in_which_all_cases_skipped_themselves_is_not_green() {
        assert_eq!(verdict(|counts| counts.skipped = 2), 0);
        assert_eq!(verdict(|counts| (counts.passed, counts.skipped) = (0, 2)), 70);
    }
}
