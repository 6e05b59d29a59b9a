//! The command `kindwright`: which runs there are, how a kept one is reached, and how dead ones are undone.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

mod cache;
mod env;
mod ps;
mod reap;
mod table;

use crate::{
    cli::parsed,
    ledger,
    report::{self, Verdict},
    seed::RunId,
    settings::Settings,
    text::chain,
};

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
        /// Remove the images that are kept for the next run instead.
        #[arg(long, conflicts_with = "run")]
        cache: bool,
    },
    /// Print how to reach a kept run, as lines for a shell.
    Env {
        /// The run: 8 hexadecimal digits.
        run: RunId,
    },
    /// Print what a run was, suite by suite, as a table of Markdown.
    Table {
        /// The file that `--events` wrote, of a run that is over.
        events: PathBuf,
        /// Put it between the lines `<!-- suites -->` and `<!-- end -->` of this file instead.
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
        /// Say how the table of this file differs from it, in all but random values and seconds.
        #[arg(long, value_name = "FILE", conflicts_with = "into")]
        check: Option<PathBuf>,
    },
}

/// Runs the command line `arguments`: `ps`, `reap` and `env`, for what outlives a run, and `table` for what it was.
///
/// It is all that the program `kindwright` does, so that a project can have it as a program of its own:
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     kindwright::command(std::env::args_os())
/// }
/// ```
pub fn command(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli: Cli = match parsed(arguments) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match carry_out(cli.command) {
        Ok(verdict) => verdict.into(),
        Err(error) => {
            report::error(&chain(&*error));
            Verdict::Usage.into()
        }
    }
}

fn carry_out(command: Command) -> Result<Verdict, Failure> {
    let settings = Settings::read(None)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let runs = ledger::found(&settings.ledgers)?;
    match command {
        Command::Ps => {
            if runs.is_empty() {
                report::say("no run holds anything");
            } else {
                report::answer(&ps::table(&runs));
            }
            match cache::list(&runtime, &settings) {
                Ok(cached) => report::answer(&cache::table(&cached)),
                // Runs are known without it.
                Err(error) => report::say(&format!("cached images: {}", chain(&*error))),
            }
            Ok(Verdict::Passed)
        }
        Command::Reap { cache: true, .. } => {
            let removed = cache::remove(&runtime, &settings)?;
            report::say(&format!("{} cached images removed", removed.len()));
            Ok(Verdict::Passed)
        }
        Command::Reap { run: Some(run), .. } => Ok(reap::one(&runtime, &runs.named(&run)?)),
        Command::Reap { run: None, .. } => Ok(reap::dead(&runtime, &runs)),
        Command::Env { run } => {
            report::answer(&env::lines(&runs.named(&run)?.notes)?);
            Ok(Verdict::Passed)
        }
        Command::Table { events, into, check } => {
            table::carry_out(&events, into.as_deref(), check.as_deref())
        }
    }
}
