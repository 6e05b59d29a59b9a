//! The one place that knows the order of the rooms.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    path::PathBuf,
    process::ExitCode,
};

mod attempt;
mod body;
mod capacity;
mod course;
mod desk;
mod finish;
mod ground;
mod images;
mod interrupt;
mod judge;
mod live;
mod matrix;
mod noted;
mod output;
mod performance;
mod queue;
mod real;
mod refusal;
mod setup;
mod steps;
mod suite;
#[cfg(test)]
mod tests;
mod turns;
mod world;

use crate::{
    cli::{Cli, PlanFormat, parsed},
    durations::Durations,
    exit,
    inventory::{Inventory, Project},
    janitor,
    ledger::{self, Liveness},
    plan::{self, ClusterName, Inputs, Plan, Reused, ReusedCluster},
    problem::Problem,
    report::{self, JsonLines, Verdict},
    seed::{RunId, Seed},
    selection::{self, Selection},
    settings::Settings,
    suite::Suite,
    text::chain,
};
use live::Live;
use output::Output;
use refusal::Refusal;

/// How many bodies of cases run at once for each core: they wait most of the time, for services
/// that share the cores with them.
const BODIES_PER_CORE: usize = 16;

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
    let cli: Cli = match parsed(as_typed(arguments)) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let verdict = prepare(&cli, project, suites).unwrap_or_else(|refusal| {
        report::error(&chain(&refusal));
        refusal.verdict()
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
    if let Some(words) = selection::unknown_label(cli, suites) {
        report::error(&words);
        return Ok(Verdict::NothingSelected);
    }
    let selection = Selection::of(cli, suites);
    if cli.list {
        // Listing has no conclusion.
        let arguments = selection.arguments(cli);
        let _ = Output::carry(arguments, |arguments| libtest_mimic::run(arguments, listed(suites)));
        say_labels(&selection);
        return Ok(Verdict::Passed);
    }
    if selection.is_empty() {
        report::error(&selection::nothing_selected(cli, suites));
        return Ok(Verdict::NothingSelected);
    }
    if cli.matrix {
        let jobs = matrix::jobs(&selection.suites);
        report::answer(&format!("{}\n", serde_json::json!(jobs)));
        return Ok(Verdict::Passed);
    }
    let mut settings = Settings::read(Some(project.root()))?;
    if settings.nextest {
        return Err(Refusal::Usage(
            "cargo-nextest runs each case in a process of its own, which would make a cluster for each; use `cargo test --test <target>`".to_owned(),
        ));
    }
    let bodies = bodies(cli, &mut settings)?;
    let reused = cli.reuse.as_deref().map(|run| reused(&settings, run)).transpose()?;
    let selection = selection.map(|suite| {
        let needs_all = plan::needs_beyond(cli, &settings, &suite);
        let suite = suite.rooted(project.root()).migrated_from(|name| settings.migrations(name));
        if needs_all { suite } else { suite.without_beyond() }
    });
    let inventory = Inventory::read(project, &selection, &settings);
    let seed = Seed::draw(&selection, &settings);
    let durations = Durations::of(&settings.ledgers, project.root());
    let known = durations.known(selection.suites.iter().map(Suite::name));
    let inputs = Inputs {
        cli,
        settings: &settings,
        suites,
        selection: &selection,
        inventory: &inventory,
        seed: &seed,
        durations: &known,
        reused: reused.as_ref(),
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
    let json_lines = json_lines(cli)?;
    let live = Live {
        cli,
        project,
        selection: &selection,
        settings: &settings,
        durations,
        bodies,
        json_lines,
    };
    let owed = exit::owe();
    let verdict = runtime.block_on(live.run(plan, reused.as_ref()));
    // A case that was abandoned may still block a thread.
    runtime.shutdown_background();
    drop(owed);
    Ok(verdict)
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

/// Says which labels the listed cases have, where no program reads: what libtest prints has no place for it.
fn say_labels(selection: &Selection) {
    let labels = selection::labels(&selection.suites).into_iter();
    let labels: Vec<_> = labels.map(|(label, cases)| format!("{label} ({cases})")).collect();
    if !labels.is_empty() {
        report::say(&format!("labels: {}", labels.join(", ")));
    }
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

/// How many bodies of cases may run at once.
fn bodies(cli: &Cli, settings: &mut Settings) -> Result<usize, Refusal> {
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
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(typed.or(from_environment).unwrap_or(BODIES_PER_CORE * cores))
}

/// The file of events, if one is asked for; not only tried when minutes have passed.
fn json_lines(cli: &Cli) -> Result<Option<JsonLines>, Refusal> {
    let Some(path) = &cli.events else { return Ok(None) };
    let refused =
        |error| Refusal::Usage(format!("write the events to {}: {error}", path.display()));
    JsonLines::create(path).map(Some).map_err(refused)
}

/// The kept run whose clusters `--reuse` names.
fn reused(settings: &Settings, name: &str) -> Result<Reused, Refusal> {
    let run: RunId = name.parse().map_err(Refusal::Usage)?;
    let found = ledger::found(&settings.ledgers)?
        .named(&run)
        .map_err(|error| Refusal::Usage(chain(&error)))?;
    if found.liveness != Liveness::Kept {
        return Err(Refusal::Usage(format!(
            "run {run} is not kept; `kindwright ps` lists the runs"
        )));
    }
    let clusters = found.notes.clusters.iter().cloned().map(|noted| ReusedCluster {
        name: ClusterName::noted(noted.name),
        suites: noted.suites.into_iter().collect(),
        node_image: noted.node_image,
        config: noted.config,
        node_ports: noted.node_ports.into_iter().collect(),
    });
    let clusters: Vec<_> = clusters.collect();
    if clusters.is_empty() {
        return Err(Refusal::Usage(format!("run {run} has no cluster")));
    }
    let endpoints = found.notes.endpoints.iter().cloned();
    let endpoints = endpoints.map(|noted| ((noted.suite, noted.name), noted.node_port));
    Ok(Reused { run, clusters, node_ports: endpoints.collect() })
}
