//! A run from its first effect to its verdict.

use std::{
    fs::File,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use futures_util::FutureExt as _;

use super::{
    body::{Patience, panic_words},
    course::{CLUSTERS, Course},
    finish,
    interrupt::Interrupt,
    real::Real,
    refusal::Refusal,
};
use crate::{
    cli::Cli,
    cluster::{Kind, Provider},
    docker,
    durations::{Durations, Stopwatch},
    events::{Consumer, Events, Selected, What},
    evidence::Evidence,
    image::{self, Cache, Workshop},
    inventory::Project,
    janitor::Janitor,
    ledger::{self, Ledger, LedgerError, Notes},
    password::Known,
    plan::{self, ClusterName, ClusterPlan, Plan, Reused},
    report::{JsonLines, Tally, Terminal, Verdict},
    selection::Selection,
    settings::Settings,
    suite::Source,
    text::chain,
};

/// What a live run takes from before it began.
pub(super) struct Live<'a> {
    pub(super) cli: &'a Cli,
    pub(super) project: &'a Project,
    pub(super) selection: &'a Selection,
    pub(super) settings: &'a Settings,
    /// Where it is kept how long suites take.
    pub(super) durations: Durations,
    /// How many bodies of cases may run at once.
    pub(super) bodies: usize,
    pub(super) json_lines: Option<JsonLines>,
}

/// A run that can begin.
struct Begun {
    world: Arc<Real>,
    janitor: Janitor,
    /// Nobody may reap the kept run while its clusters are used.
    _lock: Option<File>,
}

impl Live<'_> {
    /// Carries the plan out, undoes what it made, and tells all of it.
    pub(super) async fn run(mut self, plan: Plan, reused: Option<&Reused>) -> Verdict {
        let tally = Tally::default();
        let whole = plan.suites.iter().filter(|suite| suite.whole);
        let whole = whole.map(|suite| (suite.name.clone(), suite.runs()));
        let stopwatch = Stopwatch::new(self.durations.clone(), whole);
        let events = events(self.cli, self.json_lines.take(), &tally, stopwatch);
        tokio::spawn(events.clone().pass_time());
        let Begun { world, janitor, _lock } = match self.begin(plan, reused, &events).await {
            Ok(begun) => begun,
            Err(refusal) => {
                events.tell(What::RunnerFailed { words: chain(&refusal) });
                let verdict = refusal.verdict();
                let exit_code = verdict.code();
                events.tell(What::RunEnded { exit_code, evidence: None, evidence_lost: None });
                return verdict;
            }
        };
        // Whatever happens in there, what was made is undone.
        let carried = AssertUnwindSafe(self.carry_out(&world, &tally)).catch_unwind().await;
        let words = match carried {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(chain(&error)),
            Err(panic) => Some(format!("the runner panicked: {}", panic_words(&*panic))),
        };
        if let Some(words) = words {
            events.tell(What::RunnerFailed { words });
        }
        finish::finish(&world, janitor, &tally).await
    }

    /// Sees to it that the run can begin, and that it will be undone.
    async fn begin(
        &self,
        plan: Plan,
        reused: Option<&Reused>,
        events: &Events,
    ) -> Result<Begun, Refusal> {
        let settings = self.settings;
        let makes = plan.clusters.iter().filter(|cluster| cluster.is_made()).count();
        let kind = async { if makes > 0 { Kind::check().await } else { Ok(()) } };
        let (endpoint, kind) =
            tokio::join!(docker::Endpoint::resolve(settings.docker_host.as_deref()), kind);
        let endpoint = endpoint?;
        let docker = endpoint.connect().await?;
        kind?;
        let cache = if settings.cache { Cache::Keep } else { Cache::Off };
        let (workshop, needed) = tokio::try_join!(
            Workshop::open(&docker, cache, &settings.proxy),
            image::estimate(&docker, images(&plan))
        )?;
        endpoint.has_room(&docker, makes.min(CLUSTERS) as u64, needed).await?;
        let lock = reused
            .map(|reused| ledger::take(&settings.ledgers.join(reused.run.as_str()), &reused.run))
            .transpose()?;
        let interrupt = Interrupt::new();
        interrupt.listen(events)?;
        let ledger = Arc::new(Ledger::begin(&settings.ledgers, &plan.run, &endpoint)?);
        let janitor = match Janitor::start(ledger.directory(), &plan.run, settings).await {
            Ok(janitor) => janitor,
            Err(error) => {
                ledger::forget(ledger.directory())?;
                return Err(error.into());
            }
        };
        let target = settings.target.clone().unwrap_or_else(|| self.project.root().join("target"));
        let evidence = Evidence::new(target.join("kindwright").join(plan.run.as_str()));
        let provider = Provider::Kind(Kind::new(
            docker.clone(),
            endpoint,
            Arc::clone(&ledger),
            plan.run.clone(),
            settings.ledgers.clone(),
            events.clone(),
        ));
        let known = Known::default();
        plan.suites.iter().for_each(|suite| known.learn(suite.passwords.values()));
        let world = Arc::new(Real {
            notes: Mutex::new(notes(self.project, &plan)),
            unexplained: Mutex::default(),
            reused: reused.map(|reused| settings.ledgers.join(reused.run.as_str())),
            plan,
            selection: self.selection.clone(),
            provider,
            docker,
            workshop,
            ledger,
            events: events.clone(),
            interrupt,
            evidence,
            known,
        });
        Ok(Begun { world, janitor, _lock: lock })
    }

    async fn carry_out(&self, world: &Arc<Real>, tally: &Tally) -> Result<(), LedgerError> {
        world.note(|_| {})?;
        world.promise_images()?;
        let suites = world.plan.suites.iter();
        let selected = suites
            .map(|suite| Selected { suite: suite.name.clone(), cases: suite.cases.len() })
            .collect();
        world.events.tell(What::RunBegan {
            run: world.plan.run.to_string(),
            suites: selected,
            plan: serde_json::json!(world.plan),
        });
        let clusters = plan::at_once(&world.plan.clusters, CLUSTERS);
        let course = Course {
            world,
            plan: &world.plan,
            events: &world.events,
            interrupt: &world.interrupt,
            tally,
            patience: Patience::default(),
            clusters,
            bodies: self.bodies,
            arguments: self.selection.arguments(self.cli),
        };
        course.run().await;
        Ok(())
    }
}

/// The images of a plan, each with the number of nodes that it is brought to.
fn images(plan: &Plan) -> impl Iterator<Item = (&Source, u64)> {
    let nodes = |name: &ClusterName| {
        let cluster = plan.clusters.iter().find(|cluster| cluster.name() == name);
        cluster.map_or(0, ClusterPlan::nodes)
    };
    plan.images.iter().map(move |image| {
        let nodes: usize = image.references.keys().map(nodes).sum();
        (&image.source, nodes as u64)
    })
}

/// Where the run is told, and who hears of it.
fn events(cli: &Cli, json_lines: Option<JsonLines>, tally: &Tally, stopwatch: Stopwatch) -> Events {
    let mut consumers: Vec<Box<dyn Consumer>> =
        vec![Box::new(tally.clone()), Box::new(Terminal::new(cli.timings)), Box::new(stopwatch)];
    if let Some(json_lines) = json_lines {
        consumers.push(Box::new(json_lines));
    }
    Events::new(consumers)
}

/// What a run notes about itself before it has anything.
fn notes(project: &Project, plan: &Plan) -> Notes {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Notes {
        project: project.root().to_owned(),
        process: std::process::id(),
        began: since.unwrap_or_default().as_secs(),
        suites: plan.suites.iter().map(|suite| suite.name.clone()).collect(),
        ..Notes::default()
    }
}
