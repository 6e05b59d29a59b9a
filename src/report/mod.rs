//! Owns the terminal: says how a run goes, and how it ended, by words and by exit code.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    process::ExitCode,
};

mod progress;
mod timeline;

pub(crate) use progress::{Phase, Progress};

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

/// What is known when the verdict is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The user stopped it.
    pub(crate) interrupted: bool,
    /// Cases that ran and passed.
    pub(crate) passed: usize,
    /// Cases that ran and failed.
    pub(crate) failed: usize,
    /// Cases whose stack did not come up.
    pub(crate) unjudged: usize,
    /// Why stacks did not come up or come back, and of which suites.
    pub(crate) causes: BTreeMap<String, Vec<String>>,
    /// The runner itself panicked.
    pub(crate) panicked: bool,
    /// Something was left behind.
    pub(crate) left: bool,
}

impl Facts {
    /// The verdict: the worst that a user must know first.
    pub(crate) const fn verdict(&self) -> Verdict {
        let judged = self.passed + self.failed > 0;
        if self.interrupted {
            Verdict::Interrupted
        } else if self.failed > 0 || judged && (self.unjudged > 0 || self.panicked) {
            Verdict::Failed
        } else if self.unjudged > 0 || self.panicked {
            Verdict::NothingJudged
        } else if self.left {
            Verdict::LeftBehind
        } else {
            Verdict::Passed
        }
    }
}

/// Says something to people. A terminal that is gone is nobody to tell.
pub(crate) fn say(words: &str) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Says why nothing can be done, once.
pub(crate) fn error(words: &str) {
    say(&format!("error: {words}"));
}

/// Writes what a program or a person asked for to standard output.
pub(crate) fn answer(words: &str) {
    let mut output = io::stdout().lock();
    let _ = output.write_all(words.as_bytes());
    let _ = output.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(change: impl Fn(&mut Facts)) -> u8 {
        let mut facts = Facts { passed: 3, ..Facts::default() };
        change(&mut facts);
        facts.verdict().code()
    }

    #[test]
    fn the_worst_decides() {
        assert_eq!(verdict(|_| {}), 0);
        assert_eq!(verdict(|facts| facts.left = true), 71);
        assert_eq!(verdict(|facts| facts.failed = 1), 101);
        assert_eq!(verdict(|facts| (facts.failed, facts.left) = (1, true)), 101);
        assert_eq!(verdict(|facts| facts.interrupted = true), 130);
        assert_eq!(verdict(|facts| facts.unjudged = 1), 101);
        assert_eq!(verdict(|facts| (facts.passed, facts.unjudged) = (0, 2)), 70);
        assert_eq!(verdict(|facts| (facts.passed, facts.panicked) = (0, true)), 70);
    }
}
