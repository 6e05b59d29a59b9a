//! A world made of memory: clusters, images and stacks are words in a log.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::watch;

use crate::{
    case::{CaseResult, Failure},
    cluster::{ClusterError, Delivered, DeliveryError, Shelf},
    events::Events,
    image::{Built, ImageError},
    manifest::Requests,
    plan::{CasePlan, ClusterPlan, ImagePlan, SuitePlan},
    run::{
        interrupt::Interrupt,
        setup::SetupError,
        world::{self, Body, Finished, World},
    },
};

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
    Skips,
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
    pub(super) faults: BTreeMap<String, Fault>,
    /// Steps that wait until another step is in the log.
    pub(super) after: BTreeMap<String, String>,
    pub(super) acts: BTreeMap<String, Act>,
    /// What each node has.
    pub(super) nodes: Vec<Requests>,
    pub(super) log: Log,
    pub(super) interrupt: Interrupt,
    pub(super) events: Events,
}

/// What happened, in order.
#[derive(Clone, Debug)]
pub(super) struct Log(pub(super) Arc<watch::Sender<Vec<String>>>);

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
        let workloads = suite.workloads().map(std::slice::from_ref);
        let wanted: Vec<_> = workloads.flat_map(|workload| suite.images_of(workload)).collect();
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

    async fn after_cases(&self, _: &Arc<String>, suite: &SuitePlan) -> Result<(), String> {
        let step = format!("tidy up {}", suite.name);
        if self.step(&step).await { Ok(()) } else { Err("the broom is gone".to_owned()) }
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
                Act::Skips => Err(Failure::skip("it has no kettle")),
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

    async fn abandon(&self) {
        self.log.add(&format!("abandon {}", self.name));
    }

    async fn finish(&self, result: CaseResult) -> Finished {
        assert!(self.act != Act::BreaksTheRunner, "the runner is broken");
        let spoiled = (self.act == Act::Spoils).then(|| "it is gone".to_owned());
        Finished { result, spoiled, evidence: None }
    }
}
