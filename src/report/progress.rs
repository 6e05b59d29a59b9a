//! Shows what a run is doing, what it waits for, and for how long.
//!
//! On a terminal each phase has a line that moves; elsewhere a line is printed
//! when a phase ends, and now and then while one lasts. Once cases print, there
//! are plain lines only.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, IsTerminal as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{say, timeline::Timeline};
use crate::wait;

/// How long a phase may last without a word where there is no terminal.
const PATIENCE: Duration = Duration::from_secs(10);
/// How short a phase is no news, in seconds.
const MOMENT: f64 = 0.05;
const TICK: Duration = Duration::from_millis(120);
const SECOND: Duration = Duration::from_secs(1);

/// A part of a run that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Build,
    Create,
    Deliver,
    Deploy,
    Migrate,
    Ready,
    Cases,
    Undo,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Build => "build",
            Self::Create => "create",
            Self::Deliver => "deliver",
            Self::Deploy => "deploy",
            Self::Migrate => "migrate",
            Self::Ready => "ready",
            Self::Cases => "cases",
            Self::Undo => "undo",
        })
    }
}

/// The progress of a run. Clones show the same.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    timeline: Timeline,
    /// While lines may move.
    screen: Option<MultiProgress>,
    running: BTreeMap<u64, Running>,
    next: u64,
    noticed: BTreeSet<String>,
}

#[derive(Debug)]
struct Running {
    phase: Phase,
    subject: String,
    begun: Instant,
    bar: Option<ProgressBar>,
    /// What it waits for.
    seen: Option<String>,
    said: Instant,
}

/// A phase that lasts until this is dropped.
#[derive(Debug)]
#[must_use = "a phase ends when it is dropped"]
pub(crate) struct Lasting {
    progress: Progress,
    key: u64,
}

/// A phase without a line, that lasts until this is dropped.
#[derive(Debug)]
#[must_use = "a phase ends when it is dropped"]
pub(crate) struct Quiet {
    progress: Progress,
    phase: Phase,
    begun: Instant,
}

impl Progress {
    /// Progress for people, with moving lines if standard error is a terminal.
    pub(crate) fn new() -> Self {
        let screen = io::stderr()
            .is_terminal()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self(Arc::new(Mutex::new(Inner {
            timeline: Timeline::begin(),
            screen,
            running: BTreeMap::new(),
            next: 0,
            noticed: BTreeSet::new(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a phase for a subject: an image, a cluster, a suite.
    pub(crate) fn phase(&self, phase: Phase, subject: &str) -> Lasting {
        let mut inner = self.inner();
        let bar = inner.screen.as_ref().map(|screen| moving(screen, phase, subject));
        let key = inner.next;
        inner.next += 1;
        let now = Instant::now();
        inner.running.insert(
            key,
            Running { phase, subject: subject.to_owned(), begun: now, bar, seen: None, said: now },
        );
        Lasting { progress: self.clone(), key }
    }

    /// Begins a phase of which nobody needs to hear while it lasts.
    pub(crate) fn quiet_phase(&self, phase: Phase) -> Quiet {
        Quiet { progress: self.clone(), phase, begun: Instant::now() }
    }

    /// Notes what the phases of a subject wait for.
    pub(crate) fn seen(&self, subject: &str, words: &str) {
        let mut inner = self.inner();
        for running in inner.running.values_mut().filter(|running| running.subject == subject) {
            if let Some(bar) = &running.bar {
                bar.set_message(words.to_owned());
            }
            running.seen = Some(words.to_owned());
        }
    }

    /// Says now and then what lasts, where no line moves; for as long as it is polled.
    pub(crate) async fn remind(self) {
        loop {
            wait::pause(SECOND).await;
            let lines = self.inner().reminders();
            for line in lines {
                say(&line);
            }
        }
    }

    /// Says something that the user should know, once, without disturbing moving lines.
    pub(crate) fn notice(&self, subject: &str, words: &str) {
        // Suites with the same migrations have the same to say about them.
        if !self.inner().noticed.insert(words.to_owned()) {
            return;
        }
        self.line(&format!("note     {subject}: {words}"));
    }

    /// Says a line.
    pub(crate) fn line(&self, words: &str) {
        let screen = self.inner().screen.clone();
        match screen {
            Some(screen) => screen.suspend(|| say(words)),
            None => say(words),
        }
    }

    /// Takes the moving lines away, because cases begin to print.
    pub(crate) fn settle(&self) {
        let mut inner = self.inner();
        if let Some(screen) = inner.screen.take() {
            let _ = screen.clear();
        }
        for running in inner.running.values_mut() {
            if let Some(bar) = running.bar.take() {
                bar.finish_and_clear();
            }
        }
    }

    /// When each phase began and how long it took.
    pub(crate) fn timeline(&self) -> String {
        self.inner().timeline.to_string()
    }
}

impl Inner {
    /// A line for each phase of which nothing was said for long.
    fn reminders(&mut self) -> Vec<String> {
        let still = self.screen.is_none();
        let silent =
            self.running.values_mut().filter(|running| still && running.said.elapsed() > PATIENCE);
        let line = |running: &mut Running| {
            running.said = Instant::now();
            let Running { phase, subject, begun, seen, .. } = running;
            let words = seen.iter().fold(String::new(), |text, seen| text + ": " + seen);
            format!("{phase:<8} {subject}{words} ({} s)", begun.elapsed().as_secs())
        };
        silent.map(line).collect()
    }
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

impl Drop for Lasting {
    fn drop(&mut self) {
        let mut inner = self.progress.inner();
        let Some(running) = inner.running.remove(&self.key) else {
            return;
        };
        inner.timeline.add(running.phase, running.begun);
        drop(inner);
        if let Some(bar) = running.bar {
            bar.finish_and_clear();
        }
        let took = running.begun.elapsed().as_secs_f64();
        // A phase of a moment is no news.
        if took >= MOMENT {
            self.progress.line(&format!("{:<8} {}  {took:.1} s", running.phase, running.subject));
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        self.progress.inner().timeline.add(self.phase, self.begun);
    }
}
