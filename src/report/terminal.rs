//! Shows what a run is doing, what it waits for, and how it ended.
//!
//! On a terminal each phase has a line that moves; elsewhere a line is printed
//! when a phase ends, and now and then while one lasts. Once cases print, there
//! are plain lines only.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal as _},
    path::Path,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{say, timeline::Timeline};
use crate::{
    events::{Consumer, Event, Outcome, Phase, Selected, What},
    text::{gist, shortened},
};

/// How long a phase may last without a word where there is no terminal.
const PATIENCE: Duration = Duration::from_secs(10);
/// How short a phase is no news, in seconds.
const MOMENT: f64 = 0.05;
const TICK: Duration = Duration::from_millis(120);
/// How many failed cases the last screen names; libtest-mimic has told all of them whole.
const NAMED: usize = 20;
/// How much of each cause, in characters.
const CAUSE: usize = 200;

/// What of a run is shown to people.
pub(crate) struct Terminal {
    timeline: Timeline,
    /// Whether the last screen has a line for each phase of each subject.
    timings: bool,
    /// While lines may move.
    screen: Option<MultiProgress>,
    running: BTreeMap<u64, Running>,
    noticed: BTreeSet<String>,
    /// Why stacks did not come up or come back, and of which suites.
    causes: BTreeMap<String, Vec<String>>,
    /// The cases that failed, each with the gist of its cause.
    failed: Vec<String>,
    /// How kept clusters are reached, which is the last thing to be said.
    kept: Vec<String>,
}

struct Running {
    phase: Phase,
    subject: String,
    began: Instant,
    bar: Option<ProgressBar>,
    waits_for: Option<String>,
    said: Instant,
}

impl Terminal {
    /// A terminal with moving lines if standard error is one.
    pub(crate) fn new(timings: bool) -> Self {
        let screen = io::stderr()
            .is_terminal()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self {
            timeline: Timeline::default(),
            timings,
            screen,
            running: BTreeMap::new(),
            noticed: BTreeSet::new(),
            causes: BTreeMap::new(),
            failed: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Says a line without disturbing those that move.
    fn line(&self, words: &str) {
        match &self.screen {
            Some(screen) => screen.suspend(|| say(words)),
            None => say(words),
        }
    }

    fn began(&mut self, key: u64, phase: Phase, subject: &str) {
        let bar = self.screen.as_ref().map(|screen| moving(screen, phase, subject));
        let now = Instant::now();
        let subject = subject.to_owned();
        let running = Running { phase, subject, began: now, bar, waits_for: None, said: now };
        self.running.insert(key, running);
    }

    fn waits(&mut self, subject: &str, words: &str) {
        for running in self.running.values_mut().filter(|running| running.subject == subject) {
            if let Some(bar) = &running.bar {
                bar.set_message(words.to_owned());
            }
            running.waits_for = Some(words.to_owned());
        }
    }

    fn ended(&mut self, key: u64, phase: Phase, subject: &str, seconds: f64) {
        if let Some(bar) = self.running.remove(&key).and_then(|running| running.bar) {
            bar.finish_and_clear();
        }
        if seconds >= MOMENT {
            self.line(&format!("{phase:<8} {subject}  {seconds:.1} s"));
        }
    }

    /// Takes the moving lines away, because something else begins to print.
    fn settle(&mut self) {
        if let Some(screen) = self.screen.take() {
            let _ = screen.clear();
        }
        for running in self.running.values_mut() {
            if let Some(bar) = running.bar.take() {
                bar.finish_and_clear();
            }
        }
    }

    /// The last screen: where the time went, what failed before any case could, and where the rest is.
    fn close(&mut self, exit_code: u8, evidence: Option<&Path>, lost: Option<&str>) {
        self.settle();
        if self.timings {
            say(&self.timeline.details());
        }
        if !self.timeline.is_empty() {
            say(&self.timeline.to_string());
        }
        for (cause, suites) in &self.causes {
            say(&format!("failed   {}: {cause}", suites.join(", ")));
        }
        // Of a long log only the end may be at hand.
        for case in self.failed.iter().take(NAMED) {
            say(&format!("failed   {case}"));
        }
        if let Some(more @ 1..) = self.failed.len().checked_sub(NAMED) {
            say(&format!("failed   {more} more"));
        }
        if let Some(directory) = evidence.filter(|_| exit_code != 0) {
            say(&format!("evidence: {}", directory.display()));
        }
        lost.into_iter().for_each(say);
        self.kept.iter().for_each(|line| say(line));
    }
}

impl Consumer for Terminal {
    fn take(&mut self, event: &Event) {
        self.timeline.take(event);
        match &event.what {
            What::RunBegan { run, suites, .. } => {
                self.line(&format!("run {run}: {}", selected(suites)));
            }
            What::PhaseBegan { key, phase, subject } => self.began(*key, *phase, subject),
            What::PhaseWaits { subject, waits_for } => self.waits(subject, waits_for),
            What::PhaseEnded { key, phase, subject, seconds, .. } => {
                self.ended(*key, *phase, subject, *seconds);
            }
            // Suites with the same migrations have the same to say about them.
            What::Noticed { subject, notice } if self.noticed.insert(notice.clone()) => {
                self.line(&format!("note     {subject}: {notice}"));
            }
            What::Interrupted { how, next } => self.line(&format!("{how}: {next}")),
            What::SuiteFailed { suite, cause } => {
                self.line(&format!("failed   {suite}: {}", gist(cause)));
                self.causes.entry(cause.clone()).or_default().push(suite.clone());
            }
            What::CasesBegan => self.settle(),
            What::RunnerFailed { words } => {
                self.settle();
                super::error(words);
            }
            What::LeftBehind { heading, left } => {
                self.settle();
                say(heading);
                for line in left {
                    say(&format!("    {line}"));
                }
            }
            What::RunEnded { exit_code, evidence, evidence_lost } => {
                self.close(*exit_code, evidence.as_deref(), evidence_lost.as_deref());
            }
            What::Kept { run, lines } => {
                self.kept.push(format!("run {run} is kept:"));
                self.kept.extend(lines.iter().map(|line| format!("    {line}")));
            }
            What::CaseEnded(ended) if ended.outcome == Outcome::Failed => {
                let cause = ended.cause.as_deref().map(gist).filter(|cause| !cause.is_empty());
                let cause = cause
                    .map_or_else(String::new, |cause| format!(": {}", shortened(&cause, CAUSE)));
                self.failed.push(format!("{}::{}{cause}", ended.suite, ended.case));
            }
            // libtest-mimic prints cases.
            What::Noticed { .. }
            | What::SuiteMoved { .. }
            | What::CaseBegan { .. }
            | What::CaseEnded(_) => {}
        }
    }

    /// Says a line for each phase of which nothing was said for long, where no line moves.
    fn tick(&mut self) {
        if self.screen.is_some() {
            return;
        }
        for running in self.running.values_mut() {
            if running.said.elapsed() > PATIENCE {
                running.said = Instant::now();
                let Running { phase, subject, began, waits_for, .. } = running;
                let words = waits_for.iter().fold(String::new(), |text, seen| text + ": " + seen);
                say(&format!("{phase:<8} {subject}{words} ({} s)", began.elapsed().as_secs()));
            }
        }
    }
}

fn selected(suites: &[Selected]) -> String {
    let words: Vec<_> = suites
        .iter()
        .map(|Selected { suite, cases }| {
            format!("{suite} ({cases} {})", if *cases == 1 { "case" } else { "cases" })
        })
        .collect();
    words.join(", ")
}

fn moving(screen: &MultiProgress, phase: Phase, subject: &str) -> ProgressBar {
    let bar = screen.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4}  {wide_msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(format!("{phase:<8} {subject}"));
    bar.enable_steady_tick(TICK);
    bar
}
