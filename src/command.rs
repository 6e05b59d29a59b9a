//! The command `kindwright`: which runs there are, how a kept one is reached, and how dead ones are undone.

use std::{
    ffi::OsString,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use clap::{Parser, Subcommand};

use crate::{
    janitor,
    ledger::{self, Found, State},
    report::{self, Verdict},
    seed::RunId,
    settings::{Settings, override_name},
    text::chain,
};

/// How long the Docker daemon may take to answer whoever waits at a terminal.
const AWAY: Duration = Duration::from_secs(10);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Shows and undoes runs of end-to-end suites.
#[derive(Debug, Parser)]
#[command(name = "kindwright", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runs that hold something: whether they are alive, since when, and what they hold.
    Ps,
    /// Undo what dead runs left, or one run that was kept.
    Reap {
        /// The run: 8 hexadecimal digits. Without it all dead runs, but no kept one.
        run: Option<RunId>,
    },
    /// Print how to reach a kept run, as lines for a shell.
    Env {
        /// The run: 8 hexadecimal digits.
        run: RunId,
    },
}

/// Runs the command line `arguments`.
pub fn command(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(words) => {
            let _ = words.print();
            return ExitCode::from(
                u8::try_from(words.exit_code()).unwrap_or(Verdict::Usage.code()),
            );
        }
    };
    let done = Settings::read(None).map_err(Failure::from).and_then(|settings| match cli.command {
        Command::Ps => ps(&settings),
        Command::Reap { run } => reap(&settings, run.as_ref()),
        Command::Env { run } => env(&settings, &run),
    });
    match done {
        Ok(verdict) => verdict.into(),
        Err(error) => {
            report::error(&chain(&*error));
            Verdict::Usage.into()
        }
    }
}

fn ps(settings: &Settings) -> Result<Verdict, Failure> {
    let runs = ledger::found(&settings.ledgers)?;
    if runs.is_empty() {
        report::say("no run holds anything");
        return Ok(Verdict::Passed);
    }
    let mut text =
        format!("{:<9} {:<8} {:>7}  {:<24} {}\n", "RUN", "STATE", "AGE", "SUITES", "HOLDS");
    for found in runs {
        let holds: Vec<_> =
            found.notes.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        let holds = if holds.is_empty() {
            format!("{} promises", found.record.undo.len())
        } else {
            holds.join(" ")
        };
        let (run, state, age) = (found.run.to_string(), state(found.state), age(found.notes.began));
        let suites = found.notes.suites.join(",");
        text = format!("{text}{run:<9} {state:<8} {age:>7}  {suites:<24} {holds}\n");
    }
    report::answer(&text);
    Ok(Verdict::Passed)
}

fn state(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Kept => "kept",
        State::Dead => "dead",
    }
}

fn age(began: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let age = now.saturating_sub(Duration::from_secs(began)).as_secs();
    match age {
        _ if began == 0 => "?".to_owned(),
        0..60 => format!("{age}s"),
        60..3600 => format!("{}m", age / 60),
        3600..86400 => format!("{}h", age / 3600),
        _ => format!("{}d", age / 86400),
    }
}

fn reap(settings: &Settings, wanted: Option<&RunId>) -> Result<Verdict, Failure> {
    let runs = ledger::found(&settings.ledgers)?;
    let chosen: Vec<_> = runs
        .into_iter()
        .filter(|found| match wanted {
            Some(run) => found.run == *run,
            None => found.state == State::Dead,
        })
        .collect();
    if chosen.is_empty() {
        if let Some(run) = wanted {
            return Err(format!("there is no run {run}; `kindwright ps` lists them").into());
        }
        report::say("no dead run left anything");
        return Ok(Verdict::Passed);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut verdict = Verdict::Passed;
    for found in chosen {
        let undone = undo(&runtime, &found);
        match undone {
            Ok(()) => report::say(&format!("run {}: undone", found.run)),
            Err(error) => {
                verdict = Verdict::LeftBehind;
                report::error(&format!("run {}: {}", found.run, chain(&*error)));
            }
        }
    }
    Ok(verdict)
}

fn undo(runtime: &tokio::runtime::Runtime, found: &Found) -> Result<(), Failure> {
    let _lock = ledger::take(&found.directory, &found.run)?;
    runtime.block_on(janitor::clear(&found.directory, &found.run, AWAY))
}

fn env(settings: &Settings, run: &RunId) -> Result<Verdict, Failure> {
    let found = ledger::found(&settings.ledgers)?.into_iter().find(|found| found.run == *run);
    let Some(found) = found else {
        return Err(format!("there is no run {run}; `kindwright ps` lists them").into());
    };
    let mut text = String::new();
    if let Some(cluster) = found.notes.clusters.first() {
        text = format!("export KUBECONFIG={}\n", cluster.kubeconfig.display());
    }
    let several = found.notes.suites.len() > 1;
    for endpoint in &found.notes.endpoints {
        let suite = override_name(&endpoint.suite);
        let prefix = if several { format!("{suite}_") } else { String::new() };
        let own = format!("{}_URL", override_name(&endpoint.service));
        let url = endpoint.url.trim_end_matches('/');
        for name in [&own].into_iter().chain(&endpoint.variables) {
            text = format!("{text}export {prefix}{name}={url}\n");
        }
    }
    report::answer(&text);
    Ok(Verdict::Passed)
}
