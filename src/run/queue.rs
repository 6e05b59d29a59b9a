//! Who gets a part of a cluster next: the suite that takes longest, as far as that is known.
//!
//! Who fits goes before a longer one that does not, unless that one would then wait for who came
//! after it. So the first of those that wait has only those to wait for that were there before.

use std::{cmp::Reverse, collections::BTreeSet};

use tokio::sync::oneshot;

use super::{
    capacity::{Capacity, First, Fit, Lack},
    setup::SetupError,
};
use crate::{
    events::{Events, Lasting, Phase},
    plan::SuitePlan,
};

/// The suites that wait for a part of a cluster, and what it has.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    events: &'a Events,
    capacity: Capacity,
    /// The longest first.
    waiting: Vec<Waiting<'a>>,
    /// The first of them when somebody was last admitted.
    first: Option<&'a str>,
    /// Who was admitted since it is the first.
    overtaken_by: BTreeSet<String>,
}

/// A suite that waits for its part.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    suite: &'a SuitePlan,
    reply: oneshot::Sender<Result<(), SetupError>>,
    /// Since it is known that it waits, and for what.
    waits: Option<(Lasting, Lack)>,
}

impl<'a> Waiting<'a> {
    /// A suite that wants to know whether it has its part.
    pub(super) fn new(
        suite: &'a SuitePlan,
        reply: oneshot::Sender<Result<(), SetupError>>,
    ) -> Self {
        Self { suite, reply, waits: None }
    }

    /// Tells that it waits, and for what.
    fn waits_for(&mut self, lack: Lack, events: &Events) {
        let name = &self.suite.name;
        let phase = match self.waits.take() {
            Some((phase, known)) if known == lack => phase,
            waits => {
                let phase =
                    waits.map_or_else(|| events.phase(Phase::Admit, name), |(phase, _)| phase);
                events.waits(name, &format!("room: {lack}"));
                phase
            }
        };
        self.waits = Some((phase, lack));
    }
}

impl<'a> Queue<'a> {
    /// Nobody waits yet.
    pub(super) fn new(capacity: Capacity, events: &'a Events) -> Self {
        let (waiting, overtaken_by) = (Vec::new(), BTreeSet::new());
        Self { events, capacity, waiting, first: None, overtaken_by }
    }

    /// Adds a suite behind those that take as long as it does, or longer.
    pub(super) fn join(&mut self, waiting: Waiting<'a>) {
        self.waiting.push(waiting);
        self.waiting.sort_by_key(|waiting| Reverse(waiting.suite.duration()));
    }

    /// Takes back what a suite has.
    pub(super) fn give_back(&mut self, suite: &str) {
        self.capacity.give_back(suite);
        self.overtaken_by.remove(suite);
    }

    /// Notes that a suite will not give its part back.
    pub(super) fn stays(&mut self, suite: &str) {
        self.capacity.stays(suite);
    }

    /// Whether somebody's part stays.
    pub(super) fn is_kept(&self) -> bool {
        self.capacity.is_kept()
    }

    /// Answers whoever fits, and whoever never will.
    pub(super) fn admit(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            // Of others the images will never come, or the run is to stop.
            if !waiting.reply.is_closed() {
                self.answer(waiting);
            }
        }
    }

    /// Answers a suite, or lets it wait on.
    fn answer(&mut self, mut waiting: Waiting<'a>) {
        let (name, demand) = (&waiting.suite.name, &waiting.suite.requests);
        let first = self.waiting.first().map(|first| First {
            suite: &first.suite.name,
            demand: &first.suite.requests,
            overtaken_by: &self.overtaken_by,
        });
        let overtakes = first.is_some();
        let answer = match self.capacity.take(name, demand, first) {
            Fit::Now => Ok(()),
            Fit::Later(lack) => {
                if !overtakes && self.first != Some(name) {
                    self.first = Some(name);
                    self.overtaken_by.clear();
                }
                waiting.waits_for(lack, self.events);
                self.waiting.push(waiting);
                return;
            }
            Fit::NotBesideKept(lack) => Err(SetupError::Kept { lack }),
            Fit::Never(lack) => Err(SetupError::TooBig {
                wanted: demand.total(self.capacity.nodes()),
                reserved: waiting.suite.reserved,
                total: self.capacity.total(),
                lack,
            }),
        };
        let admitted = answer.is_ok();
        drop(waiting.waits.take());
        if waiting.reply.send(answer).is_err() {
            self.capacity.give_back(name);
        } else if admitted && overtakes {
            self.overtaken_by.insert(name.clone());
        }
    }
}
