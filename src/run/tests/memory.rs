//! A world made of memory: clusters, images and stacks are words in a log.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::Parser as _;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    case::Failure,
    cli::Cli,
    cluster::{ClusterError, Delivered, DeliveryError, Shelf},
    events::{Consumer, Event, Events, What},
    image::{Built, ImageError},
    inventory::Inventory,
    manifest::Requests,
    plan::{CasePlan, ClusterPlan, ImagePlan, Inputs, Plan, SuitePlan},
    report::{Counts, Tally},
    run::{
        body::Patience,
        course::Course,
        interrupt::Interrupt,
        setup::SetupError,
        world::{self, Body, Finished, World},
    },
    seed::Seed,
    selection::Selection,
    settings::Settings,
    suite::{Case, Image, Suite, Workload},
};

/// How long a case may block its thread, and how long a stopped run waits.
const PATIENCE: Patience =
    Patience { to_yield: Duration::from_millis(20), to_stop: Duration::from_millis(500) };

/// What a step of the world does instead of succeeding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Fails,
    Panics,
    /// It never ends by itself.
    Hangs,
}

/// What a case does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Passes,
    Fails,
    Panics,
    /// Waits until the run is stopped, or its limit is over.
    Waits,
    /// Blocks its thread until it was given up.
    Blocks,
    /// Passes, but its stack does not come back after it.
    Spoils,
    /// The runner itself panics after it.
    BreaksTheRunner,
    /// Interrupts the run.
    Interrupts,
}

/// The script of a run, and the log of what it did.
#[derive(Debug)]
pub(super) struct Memory {
    /// Faults by the step that they are in, as the log names it.
    faults: BTreeMap<String, Fault>,
    /// Steps that wait until another step is in the log.
    after: BTreeMap<String, String>,
    acts: BTreeMap<String, Act>,
    /// What each node has.
    nodes: Vec<Requests>,
    log: Log,
    interrupt: Interrupt,
    events: Events,
}

/// What happened, in order.
#[derive(Clone, Debug)]
struct Log(Arc<watch::Sender<Vec<String>>>);

impl Log {
    fn add(&self, step: &str) {
        self.0.send_modify(|log| log.push(step.to_owned()));
    }

    async fn has(&self, step: &str) {
        let _ = self.0.subscribe().wait_for(|log| log.iter().any(|done| done == step)).await;
    }
}

impl Memory {
    /// Does a step: waits for what it comes after, and meets its fault if it has one.
    async fn step(&self, step: &str) -> bool {
        if let Some(before) = self.after.get(step) {
            self.log.has(before).await;
        }
        self.log.add(step);
        match self.faults.get(step) {
            None => true,
            Some(Fault::Fails) => false,
            Some(Fault::Panics) => panic!("{step} panics"),
            Some(Fault::Hangs) => std::future::pending().await,
        }
    }
}

/// A cluster of memory, by name.
pub(super) struct Ground(String);

impl World for Memory {
    type Ground = Ground;
    type Stack = String;
    type Attempt = Attempt;

    async fn obtain(&self, plan: &ClusterPlan) -> Result<(Ground, Vec<Requests>), SetupError> {
        let name = plan.name().to_string();
        if self.step(&format!("make {}", short(&name))).await {
            return Ok((Ground(name), self.nodes.clone()));
        }
        let (found, needed) = ("0".to_owned(), "1".to_owned());
        Err(SetupError::Cluster(Arc::new(ClusterError::Old { found, needed })))
    }

    async fn delete(&self, plan: &ClusterPlan) {
        self.step(&format!("delete {}", short(plan.name().as_str()))).await;
    }

    async fn build(&self, plan: &ImagePlan) -> Result<Built, ImageError> {
        if self.step(&format!("build {}", plan.name)).await {
            return Ok(Built { id: plan.name.clone(), references: Vec::new() });
        }
        Err(ImageError::Nameless)
    }

    async fn takes_images(&self, _: &ClusterPlan) -> Result<(), DeliveryError> {
        Ok(())
    }

    async fn deliver(
        &self,
        plan: &ClusterPlan,
        images: &[Built],
    ) -> Result<Vec<Delivered>, DeliveryError> {
        let names: BTreeSet<_> = images.iter().map(|image| image.id.as_str()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let step = format!("deliver {} to {}", names.join("+"), short(plan.name().as_str()));
        if self.step(&step).await {
            let references = images.iter().flat_map(|image| &image.references);
            return Ok(references.map(Delivered::as_wanted).collect());
        }
        Err(DeliveryError::DiskFull { node: plan.name().to_string() })
    }

    async fn bring_up(
        &self,
        ground: &Ground,
        suite: &SuitePlan,
        images: &Shelf,
    ) -> Result<String, SetupError> {
        let wanted: Vec<_> = suite.images.values().collect();
        images.take(&wanted).await?;
        assert_eq!(ground.0, suite.cluster.to_string(), "a suite is on its own cluster");
        if self.step(&format!("up {}", suite.name)).await {
            return Ok(suite.name.clone());
        }
        Err(SetupError::Panicked(format!("{} cannot come up", suite.name)))
    }

    fn attempt(&self, stack: &Arc<String>, suite: &SuitePlan, case: &CasePlan) -> Attempt {
        assert_eq!(**stack, suite.name, "a case is on its own suite's stack");
        let act = self.acts.get(&case.full_name).copied().unwrap_or(Act::Passes);
        Attempt {
            name: case.full_name.clone(),
            act,
            closed: Arc::new(watch::Sender::new(false)),
            log: self.log.clone(),
            interrupt: self.interrupt.clone(),
            events: self.events.clone(),
        }
    }

    fn explain(&self, _: &SuitePlan, cause: &str) -> String {
        cause.to_owned()
    }

    async fn look_back(&self, _: &String, suite: &SuitePlan) {
        self.step(&format!("look back {}", suite.name)).await;
    }

    async fn collect(&self, _: &Ground, suite: &SuitePlan) {
        self.step(&format!("collect {}", suite.name)).await;
    }

    async fn release(&self, _: &Ground, suite: &SuitePlan) {
        self.step(&format!("release {}", suite.name)).await;
        self.log.add(&format!("released {}", suite.name));
    }
}

/// The part of a cluster's name that is its own: several are numbered.
fn short(name: &str) -> &str {
    name.strip_prefix("kw-0a1b2c3d").map_or(name, |rest| rest.trim_start_matches('-'))
}

/// A case of memory.
#[derive(Clone)]
pub(super) struct Attempt {
    name: String,
    act: Act,
    closed: Arc<watch::Sender<bool>>,
    log: Log,
    interrupt: Interrupt,
    events: Events,
}

impl world::Attempt for Attempt {
    fn begin(&self) -> Option<Body> {
        let this = self.clone();
        Some(Box::pin(async move {
            this.log.add(&format!("begin {}", this.name));
            match this.act {
                Act::Passes | Act::Spoils | Act::BreaksTheRunner => Ok(()),
                Act::Fails => Err(Failure::new("it is wrong")),
                Act::Panics => panic!("the kettle is empty"),
                Act::Waits => std::future::pending().await,
                Act::Blocks => {
                    // What blocks sees nothing of the limit, nor of the stop.
                    while !*this.closed.borrow() {
                        std::thread::yield_now();
                    }
                    Ok(())
                }
                Act::Interrupts => {
                    this.interrupt.raise("interrupted", &this.events);
                    std::future::pending().await
                }
            }
        }))
    }

    fn close(&self) {
        self.closed.send_replace(true);
        self.log.add(&format!("close {}", self.name));
    }

    async fn finish(&self, result: Result<(), String>) -> Finished {
        assert!(self.act != Act::BreaksTheRunner, "the runner is broken");
        let spoiled = (self.act == Act::Spoils).then(|| "it is gone".to_owned());
        Finished { result, spoiled, evidence: None }
    }
}

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
        .cases(cases.iter().map(|name| Case::declared(name, ())))
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
        let inventory = Inventory::of_all(manifests);
        let inputs = Inputs {
            cli,
            settings: &self.settings,
            suites: &self.suites,
            selection,
            inventory: &inventory,
            seed: &Seed::fixed("0a1b2c3d", selection),
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
        let nodes = self.cpu.iter().map(|cpu| Requests { cpu: *cpu, memory: 1 << 30 });
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
    pub(super) fn in_order(&self, steps: &[&str]) -> &Self {
        let places: Vec<_> = steps.iter().map(|step| self.at(step)).collect();
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
