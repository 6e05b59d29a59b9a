//! Runs other programs, and is the only module that does.
//!
//! A command is a program and a list of arguments, never a line for a shell, so
//! nothing in a name or a path can turn into syntax. Each child runs in a
//! process group of its own, so that a Ctrl-C at the terminal reaches only the
//! run, and the whole group is killed when nobody waits for it any more.

use std::{fmt, io, path::Path, process::ExitStatus, process::Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::text::tail;

/// How many of the last lines of a failed command are kept.
const TAIL: usize = 12;

/// A program, its arguments, and what is set in its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// Where a program tells how it is installed, for a message.
fn place(program: &str) -> &'static str {
    match program {
        "docker" => " (https://docs.docker.com/engine/install)",
        "kind" => " (https://kind.sigs.k8s.io)",
        _ => "",
    }
}

/// Why a command gave no result.
#[derive(Debug, Error)]
pub(crate) enum ExecError {
    /// The program is not there.
    #[error("`{program}` was not found on the PATH; install it{}", place(program))]
    Missing {
        /// The program.
        program: String,
    },
    /// The program could not be started.
    #[error("start `{command}`")]
    Start {
        /// What was to be run.
        command: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The program ran, and said no.
    #[error("`{command}` ended with {status}:\n{tail}")]
    Failed {
        /// What was run.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines that it wrote to standard error.
        tail: String,
    },
}

impl Command {
    /// Starts a command line with `program`.
    pub(crate) fn new(program: impl Into<String>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// Adds one argument.
    #[must_use]
    pub(crate) fn arg(mut self, argument: impl fmt::Display) -> Self {
        self.arguments.push(argument.to_string());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub(crate) fn args<T: fmt::Display>(self, arguments: impl IntoIterator<Item = T>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Adds a path as an argument.
    #[must_use]
    pub(crate) fn path(self, path: &Path) -> Self {
        self.arg(path.display())
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub(crate) fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs the command to its end and returns its standard output.
    ///
    /// Dropping the future kills the program and all that it started.
    pub(crate) async fn output(&self) -> Result<String, ExecError> {
        self.watched(|_| {}).await
    }

    /// As [`output`](Self::output); each line of standard error is shown when it comes.
    pub(crate) async fn watched(&self, mut show: impl FnMut(&str)) -> Result<String, ExecError> {
        #[expect(clippy::disallowed_methods, reason = "this module owns processes")]
        let mut command = tokio::process::Command::new(&self.program);
        let mut child = command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| self.not_started(source))?;
        let mut group = Group::of(child.id());
        let (mut output, mut words) = (Vec::new(), String::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let reading = async {
            match stdout {
                Some(mut stdout) => stdout.read_to_end(&mut output).await.map(drop),
                None => Ok(()),
            }
        };
        let listening = async {
            let Some(stderr) = stderr else { return Ok(()) };
            let mut lines = BufReader::new(stderr).split(b'\n');
            while let Some(line) = lines.next_segment().await? {
                let line = String::from_utf8_lossy(&line);
                show(line.trim());
                words.push_str(&line);
                words.push('\n');
            }
            Ok(())
        };
        let ended = tokio::try_join!(child.wait(), reading, listening);
        let (status, (), ()) = ended.map_err(|source| self.not_started(source))?;
        group.ended();
        if status.success() {
            Ok(String::from_utf8_lossy(&output).into_owned())
        } else {
            Err(ExecError::Failed { command: self.to_string(), status, tail: tail(&words, TAIL) })
        }
    }

    fn not_started(&self, source: io::Error) -> ExecError {
        if source.kind() == io::ErrorKind::NotFound {
            return ExecError::Missing { program: self.program.clone() };
        }
        ExecError::Start { command: self.to_string(), source }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}

/// The process group of a child that somebody still waits for.
struct Group(Option<Pid>);

impl Group {
    fn of(id: Option<u32>) -> Self {
        Self(id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            // It may have ended by itself in the meantime; then there is nobody to kill.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_keeps_the_command_and_the_end_of_its_stderr() {
        let error =
            Command::new("sh").args(["-c", "echo no >&2; exit 3"]).output().await.unwrap_err();
        assert_eq!(error.to_string(), "`sh -c echo no >&2; exit 3` ended with exit status: 3:\nno");
    }

    #[tokio::test]
    async fn a_missing_program_is_named_with_the_next_step() {
        let error = Command::new("kind-that-is-not-there").output().await.unwrap_err();
        assert!(error.to_string().ends_with("was not found on the PATH; install it"), "{error}");
        let error = ExecError::Missing { program: "kind".to_owned() };
        assert!(error.to_string().ends_with("install it (https://kind.sigs.k8s.io)"), "{error}");
    }

    #[tokio::test]
    async fn dropping_the_wait_kills_the_children_too() {
        let directory = tempfile::tempdir().unwrap();
        let mark = directory.path().join("alive");
        let script = format!("sleep 2 && touch {} & wait", mark.display());
        let command = Command::new("sh").args(["-c", &script]);
        let wait = std::time::Duration::from_millis(200);
        assert!(tokio::time::timeout(wait, command.output()).await.is_err());
        crate::wait::pause(std::time::Duration::from_millis(2500)).await;
        assert!(!mark.exists());
    }
}
