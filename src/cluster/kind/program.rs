//! Runs programs in the container of a node: feeds them, listens to them, and notices when they hang.

use std::{pin::pin, time::Duration};

use bollard::{
    Docker, container::LogOutput, errors::Error, exec::StartExecResults, models::ExecConfig,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use thiserror::Error;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

use crate::wait::{self, Limit, Poll, WaitError};

/// How long nothing may move: neither a part of what is sent, nor a word of the program once it
/// has everything. Docker packs a big image for minutes before it sends the first byte.
const STALLED: Duration = Duration::from_mins(5);

/// How long Docker may take to notice that a program has ended whose output has.
const REAPED: Limit = Limit { total: Duration::from_secs(10), every: Duration::from_millis(10) };

/// What a program has said, and how it ended.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) code: i64,
    pub(super) output: String,
    pub(super) error: String,
}

/// Why nobody knows what a program has done.
#[derive(Debug, Error)]
pub(super) enum ProgramError {
    /// The daemon refused, or its connection broke.
    #[error(transparent)]
    Docker(#[from] Error),
    /// It hangs, or what feeds it does.
    #[error("nothing has moved for {} s", still.as_secs())]
    Stalled {
        /// For how long.
        still: Duration,
    },
}

/// Runs a command in the container `node`, which reads `input`.
///
/// Its input ends early when the stream breaks or this future is dropped, so
/// that it never waits for more, nor takes a part for the whole.
pub(super) async fn run(
    docker: &Docker,
    node: &str,
    command: &[&str],
    input: impl Stream<Item = Result<Bytes, Error>>,
) -> Result<Said, ProgramError> {
    let config = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
        ..ExecConfig::default()
    };
    let exec = docker.create_exec(node, config).await?;
    let mut said = match docker.start_exec(&exec.id, None).await? {
        StartExecResults::Attached { output, input: stdin } => {
            converse(output, stdin, input, STALLED).await?
        }
        StartExecResults::Detached => Said::default(),
    };
    let code = wait::until("the end of a program in a node", REAPED, async || {
        let state = docker.inspect_exec(&exec.id).await?;
        Ok::<_, Error>(match (state.running, state.exit_code) {
            (Some(true), _) | (_, None) => Poll::NotYet("a running program".to_owned()),
            (_, Some(code)) => Poll::Ready(code),
        })
    });
    said.code = code.await.map_err(|error| match error {
        WaitError::Broken { source, .. } => source.into(),
        WaitError::TimedOut { .. } => ProgramError::Stalled { still: REAPED.total },
    })?;
    Ok(said)
}

/// Writes to a program and reads from it at the same time, as it may stop listening before the end.
async fn converse(
    output: impl Stream<Item = Result<LogOutput, Error>>,
    stdin: impl AsyncWrite + Unpin,
    input: impl Stream<Item = Result<Bytes, Error>>,
    still: Duration,
) -> Result<Said, ProgramError> {
    let stalled = |_| ProgramError::Stalled { still };
    let mut output = pin!(output);
    let mut speaking = pin!(speak(stdin, input, still));
    let mut speaks = true;
    let mut said = Said::default();
    loop {
        // While it listens it has nothing to say, and it is the input that must move.
        let patience = if speaks { Duration::MAX } else { still };
        let chunk = tokio::select! {
            spoken = &mut speaking, if speaks => {
                spoken?;
                speaks = false;
                continue;
            }
            chunk = timeout(patience, output.next()) => chunk.map_err(stalled)?,
        };
        match chunk.transpose()? {
            Some(LogOutput::StdErr { message }) => {
                said.error.push_str(&String::from_utf8_lossy(&message));
            }
            Some(
                LogOutput::StdOut { message }
                | LogOutput::Console { message }
                | LogOutput::StdIn { message },
            ) => said.output.push_str(&String::from_utf8_lossy(&message)),
            None => return Ok(said),
        }
    }
}

/// Writes the whole input, or as much as is wanted.
async fn speak(
    mut stdin: impl AsyncWrite + Unpin,
    input: impl Stream<Item = Result<Bytes, Error>>,
    still: Duration,
) -> Result<(), ProgramError> {
    let stalled = |_| ProgramError::Stalled { still };
    let mut input = pin!(input);
    while let Some(chunk) = timeout(still, input.try_next()).await.map_err(stalled)?? {
        if timeout(still, stdin.write_all(&chunk)).await.map_err(stalled)?.is_err() {
            // It has ended, and says why on its other streams.
            return Ok(());
        }
    }
    let _ = timeout(still, stdin.shutdown()).await.map_err(stalled)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::stream;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    fn broken() -> Error {
        Error::IOError { err: io::Error::other("cut off") }
    }

    #[tokio::test]
    async fn a_program_that_stops_listening_is_still_heard() {
        let (stdin, other_end) = tokio::io::duplex(16);
        drop(other_end);
        let words = LogOutput::StdErr { message: "no space".into() };
        let input = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 64])));
        let said = converse(stream::iter([Ok(words)]), stdin, input, STALLED).await.unwrap();
        assert_eq!(said.error, "no space");
    }

    #[tokio::test]
    async fn an_input_that_breaks_is_the_error() {
        let (stdin, _other_end) = tokio::io::duplex(16);
        let input = stream::iter([Err(broken())]);
        let error = converse(stream::pending(), stdin, input, STALLED).await.unwrap_err();
        assert_eq!(error.to_string(), "cut off");
    }

    #[tokio::test]
    async fn the_end_of_the_input_is_told() {
        let (stdin, mut other_end) = tokio::io::duplex(16);
        let input = stream::iter([Ok(Bytes::from_static(b"all"))]);
        let reading = async {
            let mut text = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut other_end, &mut text).await?;
            Ok(LogOutput::StdOut { message: text.into() })
        };
        let said = converse(stream::once(reading), stdin, input, STALLED).await.unwrap();
        assert_eq!(said.output, "all");
    }

    #[tokio::test]
    async fn an_image_that_is_no_longer_sent_ends_the_conversation() {
        let (stdin, _other_end) = tokio::io::duplex(16);
        let sent = stream::iter([Ok(Bytes::from_static(b"half"))]).chain(stream::pending());
        let error = converse(stream::pending(), stdin, sent, SOON).await.unwrap_err();
        assert!(matches!(error, ProgramError::Stalled { still: SOON }), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_takes_no_more_ends_the_conversation() {
        let (stdin, _other_end) = tokio::io::duplex(16);
        let input = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 64])));
        let error = converse(stream::pending(), stdin, input, SOON).await.unwrap_err();
        assert!(matches!(error, ProgramError::Stalled { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_has_everything_and_is_silent_ends_the_conversation() {
        let (stdin, _other_end) = tokio::io::duplex(16);
        let error = converse(stream::pending(), stdin, stream::empty(), SOON).await.unwrap_err();
        assert!(matches!(error, ProgramError::Stalled { .. }), "{error}");
    }
}
