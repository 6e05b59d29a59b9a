//! The one place that knows the order of the rooms.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser as _;
use thiserror::Error;

mod live;

use crate::{
    cli::{Cli, PlanFormat},
    cluster::ClusterError,
    docker::DockerError,
    inventory::{Inventory, Project},
    janitor::{self, JanitorError},
    ledger::{self, KeptEndpoint, LedgerError, State},
    plan::{self, ClusterName, Inputs, Kept, Plan},
    problem::Problem,
    report::{self, Verdict},
    seed::{RunId, Seed},
    selection::{self, Selection},
    settings::{Settings, SettingsError},
    suite::Suite,
    text::chain,
};
use live::Live;

/// Why a run never began.
#[derive(Debug, Error)]
enum Refusal {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Docker(#[from] DockerError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Janitor(#[from] JanitorError),
    #[error("start the async runtime")]
    Runtime(#[from] std::io::Error),
    #[error("{0}")]
    Usage(String),
}

/// Runs `suites` as the command line asks. Call it first thing in `main`, and return what it returns.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     kindwright::main(&kindwright::project!(), &[/* the suites */])
/// }
/// ```
pub fn main(project: &Project, suites: &[Suite]) -> ExitCode {
    let arguments: Vec<_> = env::args_os().collect();
    if let Some((directory, run)) = janitor::called(&arguments) {
        return janitor::live(&directory, &run);
    }
    let cli = match Cli::try_parse_from(as_typed(arguments)) {
        Ok(cli) => cli,
        Err(words) => {
            // `--help` and `--version` are answers; clap knows where they go.
            let _ = words.print();
            return ExitCode::from(
                u8::try_from(words.exit_code()).unwrap_or(Verdict::Usage.code()),
            );
        }
    };
    let verdict = prepare(&cli, project, suites).unwrap_or_else(|refusal| {
        report::error(&chain(&refusal));
        match refusal {
            Refusal::Settings(_) | Refusal::Usage(_) => Verdict::Usage,
            Refusal::Docker(_)
            | Refusal::Cluster(_)
            | Refusal::Ledger(_)
            | Refusal::Janitor(_)
            | Refusal::Runtime(_) => Verdict::NothingJudged,
        }
    });
    verdict.into()
}

/// The arguments, after the words that a person typed before them: cargo hides a target behind a hash.
fn as_typed(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if let Some(program) = arguments.first_mut() {
        let path = PathBuf::from(&*program);
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let target = name.rsplit_once('-').map_or(name, |(target, _)| target);
        *program = format!("cargo test --test {target} --").into();
    }
    arguments
}

/// Everything before the first effect.
fn prepare(cli: &Cli, project: &Project, suites: &[Suite]) -> Result<Verdict, Refusal> {
    let selection = Selection::of(cli, suites);
    if cli.list {
        // Listing has no conclusion.
        let _ = libtest_mimic::run(&selection.arguments(cli), listed(suites));
        return Ok(Verdict::Passed);
    }
    if selection.is_empty() {
        report::error(&selection::nothing_selected(cli, suites));
        return Ok(Verdict::NothingSelected);
    }
    if cli.matrix {
        let names: Vec<_> = selection.suites.iter().map(|suite| &suite.name).collect();
        report::answer(&format!("{}\n", serde_json::json!(names)));
        return Ok(Verdict::Passed);
    }
    let mut settings = Settings::read(Some(project.root()))?;
    if settings.nextest {
        return Err(Refusal::Usage(
            "cargo-nextest runs each case in a process of its own, which would make a cluster for each; use `cargo test --test <target>`".to_owned(),
        ));
    }
    let threads = threads(cli, &mut settings)?;
    let kept = cli.reuse.as_deref().map(|run| kept(&settings, run)).transpose()?;
    let selection = selection.map(|suite| {
        let overridden = plan::overridden(&settings, &suite);
        let suite = suite.rooted(project.root()).migrated_from(|name| settings.migrations(name));
        if overridden { suite.without_beyond() } else { suite }
    });
    let inventory = Inventory::read(project, &selection, &settings);
    let seed = Seed::draw(&selection, &settings);
    let inputs = Inputs {
        cli,
        settings: &settings,
        suites,
        selection: &selection,
        inventory: &inventory,
        seed: &seed,
        kept: kept.as_ref(),
    };
    let plan = match Plan::of(&inputs) {
        Ok(plan) => plan,
        Err(problems) => return Ok(refused(&problems)),
    };
    match cli.plan {
        Some(PlanFormat::Text) => {
            report::answer(&plan.to_string());
            return Ok(Verdict::Passed);
        }
        Some(PlanFormat::Json) => {
            let json =
                serde_json::to_value(&plan).map_err(|error| Refusal::Usage(error.to_string()))?;
            report::answer(&format!("{json:#}\n"));
            return Ok(Verdict::Passed);
        }
        None => {}
    }
    if let Some(path) = &cli.logfile {
        // Not only after minutes, when the first case ends.
        File::create(path)
            .map_err(|error| Refusal::Usage(format!("write the log file {path}: {error}")))?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let live = Live { cli, project, selection: &selection, settings: &settings, threads };
    let verdict = runtime.block_on(live.run(plan, kept.as_ref()));
    // A case that was abandoned may still block a thread.
    runtime.shutdown_background();
    verdict
}

fn listed(suites: &[Suite]) -> Vec<libtest_mimic::Trial> {
    let cases = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    cases
        .map(|(suite, case)| {
            libtest_mimic::Trial::test(selection::full_name(suite, case), || Ok(()))
                .with_ignored_flag(case.ignored)
        })
        .collect()
}

fn refused(problems: &[Problem]) -> Verdict {
    let count = problems.len();
    let noun = if count == 1 { "problem" } else { "problems" };
    report::error(&format!("the run cannot be planned ({count} {noun}):"));
    for problem in problems {
        report::say(&format!("  - {problem}"));
    }
    Verdict::Usage
}

fn threads(cli: &Cli, settings: &mut Settings) -> Result<usize, Refusal> {
    let typed = cli.test_threads.map(usize::from);
    let from_environment = match settings.test_threads.take() {
        Some(text) => match text.parse::<usize>() {
            Ok(number) if number > 0 => Some(number),
            _ => {
                return Err(Refusal::Usage(format!(
                    "`RUST_TEST_THREADS={text}`: expected a number above 0"
                )));
            }
        },
        None => None,
    };
    Ok(typed.or(from_environment).unwrap_or(tokio::sync::Semaphore::MAX_PERMITS))
}

/// The kept run whose cluster `--reuse` names.
fn kept(settings: &Settings, name: &str) -> Result<Kept, Refusal> {
    let run: RunId = name.parse().map_err(Refusal::Usage)?;
    let found = ledger::found(&settings.ledgers)?.into_iter().find(|found| found.run == run);
    let Some(found) = found.filter(|found| found.state == State::Kept) else {
        return Err(Refusal::Usage(format!(
            "run {run} is not kept; `kindwright ps` lists the runs"
        )));
    };
    let Some((cluster, _)) = found.notes.clusters.first() else {
        return Err(Refusal::Usage(format!("run {run} has no cluster")));
    };
    let key = |endpoint: &KeptEndpoint| {
        (endpoint.suite.clone(), endpoint.service.clone(), endpoint.port.clone())
    };
    Ok(Kept {
        run,
        cluster: ClusterName::noted(cluster.clone()),
        node_ports: found
            .notes
            .endpoints
            .iter()
            .map(|endpoint| (key(endpoint), endpoint.node_port))
            .collect(),
    })
}
