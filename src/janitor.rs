//! Undoes what a run left when the run could not: after `kill -9`, a crash, a closed laptop.
//!
//! The janitor is the same executable, started before the first effect. It
//! leaves the run's session, says "ready", and waits for the end of its input,
//! which comes when the run is gone in whatever way. A run that has undone
//! everything says so in its ledger first; then the janitor has nothing to do.

use std::{
    convert::Infallible,
    ffi::OsString,
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use crate::{
    cluster,
    ledger::{self, LedgerError, MARK},
    report,
    seed::RunId,
    settings::Settings,
    wait::{self, Limit, Poll},
};

/// The first argument that makes an executable of ours a janitor.
pub(crate) const ARGUMENT: &str = "--kindwright-janitor";

/// How long it may take to get ready on a busy machine.
const READY: Duration = Duration::from_secs(30);
/// How many looks in a row must find nothing.
const QUIET: usize = 2;
/// How long it tries; what is left then stays in the ledger, for `kindwright reap`.
const UNDOING: Duration = Duration::from_mins(3);

/// A janitor that stands by.
#[derive(Debug)]
pub(crate) struct Janitor {
    child: tokio::process::Child,
}

/// Why there is no janitor.
#[derive(Debug, Error)]
pub(crate) enum JanitorError {
    /// It could not be started.
    #[error("start the janitor, which undoes this run if it is killed")]
    Start(#[source] io::Error),
    /// It said something else than "ready", or nothing for too long.
    #[error("the janitor did not say that it is ready; its words are in {}", log.display())]
    Mute {
        /// Its log.
        log: PathBuf,
    },
}

impl Janitor {
    /// Starts the janitor of the run whose ledger is in `directory`.
    pub(crate) async fn start(
        directory: &Path,
        run: &RunId,
        settings: &Settings,
    ) -> Result<Self, JanitorError> {
        let log = directory.join("janitor.log");
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&log)
            .map_err(JanitorError::Start)?;
        // The executable itself may have been replaced by a newer build.
        #[expect(
            clippy::disallowed_methods,
            reason = "the janitor outlives the run, unlike every other child"
        )]
        let mut command = tokio::process::Command::new("/proc/self/exe");
        let mut child = command
            .arg(ARGUMENT)
            .arg(directory)
            .arg(run.as_str())
            .env_clear()
            .envs(settings.inherited.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(JanitorError::Start)?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let mut ready = BufReader::new(output);
            let listening = tokio::time::timeout(READY, ready.read_line(&mut line));
            // Whoever is late is told by the empty line.
            listening.await.unwrap_or(Ok(0)).map_err(JanitorError::Start)?;
        }
        if line.trim() != "ready" {
            return Err(JanitorError::Mute { log });
        }
        Ok(Self { child })
    }

    /// Sends it home, once the ledger says that nothing is left to undo.
    pub(crate) async fn dismiss(mut self) {
        drop(self.child.stdin.take());
        // It has nothing to do but to leave; if it cannot, it is no longer ours.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await;
    }
}

/// What the arguments of a janitor are, if these are.
pub(crate) fn called(arguments: &[OsString]) -> Option<(PathBuf, RunId)> {
    match arguments {
        [_, first, directory, run] if first == ARGUMENT => {
            Some((PathBuf::from(directory), run.to_str()?.parse().ok()?))
        }
        _ => None,
    }
}

/// The janitor's whole life.
pub(crate) fn live(directory: &Path, run: &RunId) -> ExitCode {
    // A session of its own: neither Ctrl-C nor a hang-up of the terminal reaches it.
    let _ = rustix::process::setsid();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map(|runtime| runtime.block_on(stand_by(directory, run))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            report::error(&crate::text::chain(&*error));
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn stand_by(directory: &Path, run: &RunId) -> Result<(), Failure> {
    let mut output = tokio::io::stdout();
    output.write_all(b"ready\n").await?;
    output.flush().await?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    match ledger::read(directory) {
        Ok(record) if record.end.is_some() => return Ok(()),
        Ok(_) => {}
        // The run removed its directory before it let go.
        Err(_) if !directory.exists() => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let directory = directory.to_owned();
    let waited = directory.clone();
    let _lock = tokio::task::spawn_blocking(move || ledger::inherit(&waited)).await??;
    // What was written between the first look and the lock counts.
    if ledger::read(&directory)?.end.is_none() {
        clear(&directory, run, UNDOING).await?;
    }
    Ok(())
}

/// Kills what is left of a run, undoes its ledger, and forgets it. The Docker daemon may be `away`
/// for so long: a run may have ended because it is restarted.
pub(crate) async fn clear(directory: &Path, run: &RunId, away: Duration) -> Result<(), Failure> {
    let record = match ledger::read(directory) {
        Ok(record) => record,
        // It died before it had a ledger, so it had no effects either.
        Err(LedgerError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(ledger::forget(directory)?);
        }
        Err(error) => return Err(error.into()),
    };
    if record.undo.is_empty() {
        return Ok(ledger::forget(directory)?);
    }
    let limit = Limit { total: away, every: Duration::from_secs(1) };
    let connecting = wait::until("the Docker daemon to answer", limit, async || {
        Ok::<_, Infallible>(match record.docker.connect().await {
            Ok(docker) => Poll::Ready(docker),
            Err(error) => Poll::NotYet(crate::text::chain(&error)),
        })
    });
    let docker = connecting.await?;
    let killed = || kill_children(run);
    let undone = cluster::undo_until_quiet(&docker, &record.undo, QUIET, UNDOING, killed).await;
    undone.map_err(|left| {
        let words: Vec<_> =
            left.iter().map(|left| format!("{}: {}", left.undo.by_hand(), left.words)).collect();
        format!("not undone: {}", words.join("; "))
    })?;
    Ok(ledger::forget(directory)?)
}

/// Kills every process that carries the run's mark, and counts them.
fn kill_children(run: &RunId) -> usize {
    let mark = format!("{MARK}={run}");
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|process| *process != i32::try_from(std::process::id()).unwrap_or_default())
        .filter(|process| {
            fs::read(format!("/proc/{process}/environ")).is_ok_and(|environment| {
                environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
            })
        })
        .filter_map(Pid::from_raw)
        .filter(|process| kill_process(*process, Signal::KILL).is_ok())
        .count()
}
