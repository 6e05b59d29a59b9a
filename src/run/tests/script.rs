//! A run of memory: what is declared and typed, what goes wrong in it, and what it did.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::Parser as _;
use serde_json::json;
use tokio::sync::watch;

use super::memory::{Act, Fault, Log, Memory};
use crate::{
    cli::Cli,
    durations::Took,
    events::{Consumer, Event, Events, What},
    inventory::Inventory,
    manifest::Requests,
    plan::{Inputs, Plan},
    report::{Counts, Tally},
    run::{body::Patience, course::Course, interrupt::Interrupt},
    seed::Seed,
    selection::Selection,
    settings::Settings,
    suite::{Case, Image, Suite, Workload},
};

/// How long a case may block its thread, and how long a stopped run waits.
const PATIENCE: Patience =
    Patience { to_yield: Duration::from_millis(20), to_stop: Duration::from_secs(5) };

/// Keeps what was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Consumer for Told {
    fn take(&mut self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// A run of memory, before it begins.
pub(super) struct Script {
    suites: Vec<Suite>,
    typed: Vec<&'static str>,
    settings: Settings,
    faults: BTreeMap<String, Fault>,
    after: BTreeMap<String, String>,
    acts: BTreeMap<String, Act>,
    durations: BTreeMap<String, Took>,
    cpu: Vec<u64>,
    bodies: usize,
    clusters: usize,
    interrupted: bool,
}

/// A run of memory, when it is over.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) log: Vec<String>,
    pub(super) counts: Counts,
    pub(super) events: Vec<Event>,
}

/// A suite of one pod that asks for so many thousandths of a core, with cases of these names.
pub(super) fn suite(name: &str, cases: &[&'static str]) -> Suite {
    Suite::new(name, name)
        .image(Image::program(name, "/a/program", ["serve"]))
        .tier([Workload::new(name, format!("{name}.yaml"))])
        .cases(cases.iter().map(|name| Case::declared(*name, ())))
}

impl Script {
    /// A run of these suites, in which nothing goes wrong.
    pub(super) fn of(suites: impl IntoIterator<Item = Suite>) -> Self {
        Self {
            suites: suites.into_iter().collect(),
            typed: Vec::new(),
            settings: Settings::default(),
            faults: BTreeMap::new(),
            after: BTreeMap::new(),
            acts: BTreeMap::new(),
            durations: BTreeMap::new(),
            cpu: vec![2000],
            bodies: 32,
            clusters: 2,
            interrupted: false,
        }
    }

    /// With these flags.
    pub(super) fn typed(mut self, flags: &[&'static str]) -> Self {
        self.typed.extend(flags);
        self
    }

    /// With the image of a suite replaced by a real one.
    pub(super) fn replaced(mut self, image: &str) -> Self {
        self.settings.images.insert(image.to_uppercase(), "real:1".to_owned());
        self
    }

    /// In which a step meets a fault.
    pub(super) fn fault(mut self, step: &str, fault: Fault) -> Self {
        self.faults.insert(step.to_owned(), fault);
        self
    }

    /// In which a step waits for another.
    pub(super) fn after(mut self, step: &str, before: &str) -> Self {
        self.after.insert(step.to_owned(), before.to_owned());
        self
    }

    /// In which a case does this.
    pub(super) fn act(mut self, case: &str, act: Act) -> Self {
        self.acts.insert(case.to_owned(), act);
        self
    }

    /// After a run in which the only case of a suite took so many seconds.
    pub(super) fn took(mut self, suite: &str, seconds: f64) -> Self {
        self.durations.insert(suite.to_owned(), Took { seconds, cases: 1 });
        self
    }

    /// On nodes that have so many thousandths of a core.
    pub(super) fn nodes(mut self, cpu: &[u64]) -> Self {
        self.cpu = cpu.to_vec();
        self
    }

    /// In which so many cases may run at once.
    pub(super) fn bodies(mut self, bodies: usize) -> Self {
        self.bodies = bodies;
        self
    }

    /// That is interrupted before anything is there.
    pub(super) fn interrupted(mut self) -> Self {
        self.interrupted = true;
        self
    }

    fn plan(&self, cli: &Cli, selection: &Selection) -> Plan {
        let manifests = self.suites.iter().map(|suite| {
            // A suite's name ends with what its pod asks for, if that is not 100m.
            let cpu = suite.name().rsplit_once('-').map_or("100", |(_, cpu)| cpu);
            let containers = json!([{"name": "a", "image": format!("localhost/{}", suite.name()),
                "resources": {"requests": {"cpu": format!("{cpu}m")}}}]);
            let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
                "spec": {"containers": containers}});
            (format!("{}.yaml", suite.name()), vec![object])
        });
        let orders = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "orders.example.io"}, "spec": {"names": {"kind": "Order"}}});
        let manifests = manifests.chain([("orders.yaml".to_owned(), vec![orders])]);
        let inventory = Inventory::of_all(manifests);
        let inputs = Inputs {
            cli,
            settings: &self.settings,
            suites: &self.suites,
            selection,
            inventory: &inventory,
            seed: &Seed::fixed("0a1b2c3d", selection),
            durations: &self.durations,
            reused: None,
        };
        Plan::of(&inputs).unwrap()
    }

    /// Runs it to its end.
    pub(super) async fn run(self) -> Over {
        let cli = Cli::parse_from([&["e2e", "--quiet"], &self.typed[..]].concat());
        let selection = Selection::of(&cli, &self.suites);
        let plan = self.plan(&cli, &selection);
        let (tally, told) = (Tally::default(), Told::default());
        let events = Events::new(vec![Box::new(tally.clone()), Box::new(told.clone())]);
        let interrupt = Interrupt::new();
        if self.interrupted {
            interrupt.raise("interrupted", &events);
        }
        let log = Log(Arc::new(watch::Sender::new(Vec::new())));
        let nodes = self.cpu.iter().map(|cpu| Requests { cpu: *cpu, memory: 1 << 30, pods: 110 });
        let memory = Memory {
            faults: self.faults,
            after: self.after,
            acts: self.acts,
            nodes: nodes.collect(),
            log: log.clone(),
            interrupt: interrupt.clone(),
            events: events.clone(),
        };
        // What libtest-mimic prints is no part of these tests.
        let printed = tempfile::NamedTempFile::new().unwrap();
        let mut arguments = selection.arguments(&cli);
        arguments.logfile = Some(printed.path().display().to_string());
        let course = Course {
            world: &Arc::new(memory),
            plan: &plan,
            events: &events,
            interrupt: &interrupt,
            tally: &tally,
            patience: PATIENCE,
            clusters: self.clusters,
            bodies: self.bodies,
            arguments,
        };
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, course.run()).await.expect("the run hangs");
        let log = log.0.borrow().clone();
        let events = told.0.lock().unwrap().clone();
        Over { log, counts: tally.counts(), events }
    }
}

impl Over {
    /// Where a step is in the log.
    #[track_caller]
    pub(super) fn at(&self, step: &str) -> usize {
        let found = self.log.iter().position(|done| done == step);
        found.unwrap_or_else(|| panic!("no `{step}` in {:#?}", self.log))
    }

    /// Fails unless these steps are in the log in this order.
    #[track_caller]
    pub(super) fn in_order<S: AsRef<str> + Debug>(&self, steps: &[S]) -> &Self {
        let places: Vec<_> = steps.iter().map(|step| self.at(step.as_ref())).collect();
        assert!(places.is_sorted(), "not in this order: {steps:?} in {:#?}", self.log);
        self
    }

    /// Fails if this step is in the log.
    #[track_caller]
    pub(super) fn never(&self, step: &str) -> &Self {
        assert!(!self.log.iter().any(|done| done == step), "`{step}` in {:#?}", self.log);
        self
    }

    /// Fails unless so many cases passed, failed and were not judged, with this exit code.
    #[track_caller]
    pub(super) fn counted(&self, counts: [usize; 3], code: u8) -> &Self {
        let Counts { passed, failed, unjudged, .. } = self.counts;
        let told = &self.events;
        assert_eq!(
            ([passed, failed, unjudged], self.counts.verdict().code()),
            (counts, code),
            "{told:#?}"
        );
        self
    }

    /// Why suites have no stack, each with its name.
    pub(super) fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        for event in &self.events {
            if let What::SuiteFailed { suite, cause } = &event.what {
                causes.push(format!("{suite}: {cause}"));
            }
        }
        causes
    }
}
