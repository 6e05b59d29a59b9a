//! Runs programs in the container of a node.

use std::{pin::pin, time::Duration};

use bollard::{
    Docker,
    container::LogOutput,
    errors::Error,
    exec::StartExecResults,
    models::{ContainerStateStatusEnum, ExecConfig},
    query_parameters::LogsOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt as _, TryStreamExt as _,
    future::{self, Either},
    stream,
};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::{
    cluster::DeliveryError,
    docker::is_absent,
    text,
    wait::{self, Limit, Poll, WaitError},
};

/// How many of the last lines of a node, or of a program in it, are kept.
const LINES: usize = 12;

/// The kubelet sees what is in this namespace of containerd.
const CTR: [&str; 2] = ["ctr", "--namespace=k8s.io"];

/// How long Docker may take to notice that a program has ended whose output has.
const REAPED: Limit = Limit { total: Duration::from_secs(10), every: Duration::from_millis(10) };

/// What a program in a node has said, and how it ended.
struct Said {
    code: i64,
    output: String,
    error: String,
}

/// How long the containerd of a new node may take to answer.
const CONTAINERD: Limit =
    Limit { total: Duration::from_mins(10), every: Duration::from_millis(200) };

/// Waits until the containerd of every node answers, long before the cluster is ready.
pub(super) async fn all_answer(docker: &Docker, nodes: &[String]) -> Result<(), DeliveryError> {
    for node in nodes {
        let answer = wait::until(format!("an answer of {node}"), CONTAINERD, async || {
            Ok(if answers(docker, node).await? {
                Poll::Ready(())
            } else {
                Poll::NotYet("no containerd".to_owned())
            })
        });
        answer.await.map_err(|error| match error {
            WaitError::Broken { source, .. } => source,
            WaitError::TimedOut { last, .. } => {
                DeliveryError::Ended { node: node.clone(), state: "silent".to_owned(), log: last }
            }
        })?;
    }
    Ok(())
}

/// Whether containerd in the container `node` answers.
///
/// A node that does not exist yet does not answer; one that has ended never will.
async fn answers(docker: &Docker, node: &str) -> Result<bool, DeliveryError> {
    if !runs(docker, node).await? {
        return Ok(false);
    }
    match run(docker, node, &["version"], stream::empty()).await {
        Ok(said) => Ok(said.code == 0),
        // It may end between the two requests; the next look says how.
        Err(Error::DockerResponseServerError { .. }) => Ok(false),
        Err(error) => Err(DeliveryError::docker(format!("ask the containerd of `{node}`"))(error)),
    }
}

/// Whether the container `node` runs; one that has ended is an error.
async fn runs(docker: &Docker, node: &str) -> Result<bool, DeliveryError> {
    let container = match docker.inspect_container(node, None).await {
        Ok(container) => container,
        Err(error) if is_absent(&error) => return Ok(false),
        Err(error) => {
            return Err(DeliveryError::docker(format!("inspect the node `{node}`"))(error));
        }
    };
    let state = container.state.unwrap_or_default();
    match state.status {
        Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD) => {
            Err(DeliveryError::Ended {
                node: node.to_owned(),
                state: format!("gone (exit code {})", state.exit_code.unwrap_or_default()),
                log: last_lines(docker, node).await,
            })
        }
        status => Ok(status == Some(ContainerStateStatusEnum::RUNNING)),
    }
}

/// Runs `ctr` with these arguments in `node`, and returns what it prints.
pub(super) async fn ctr(
    docker: &Docker,
    node: &str,
    arguments: &[&str],
) -> Result<String, DeliveryError> {
    ctr_reading(docker, node, arguments, stream::empty()).await
}

/// Runs `ctr`, which reads `input`.
///
/// Its input ends early when the stream breaks or this future is dropped, so
/// that it never waits for more, nor takes a part for the whole.
pub(super) async fn ctr_reading(
    docker: &Docker,
    node: &str,
    arguments: &[&str],
    input: impl Stream<Item = Result<Bytes, Error>>,
) -> Result<String, DeliveryError> {
    let command = format!("ctr {}", arguments.join(" "));
    let said = match run(docker, node, arguments, input).await {
        Ok(said) => said,
        Err(error) => {
            // A node that has ended explains more than the daemon does.
            runs(docker, node).await?;
            let what = format!("run `{command}` in the node `{node}`");
            return Err(DeliveryError::docker(what)(error));
        }
    };
    if said.code == 0 {
        return Ok(said.output);
    }
    if said.error.contains("no space left on device") {
        return Err(DeliveryError::DiskFull { node: node.to_owned() });
    }
    Err(DeliveryError::Refused {
        node: node.to_owned(),
        command,
        code: said.code,
        words: text::tail(&said.error, LINES),
    })
}

async fn run(
    docker: &Docker,
    node: &str,
    arguments: &[&str],
    input: impl Stream<Item = Result<Bytes, Error>>,
) -> Result<Said, Error> {
    let command = CTR.iter().chain(arguments).map(|word| (*word).to_owned());
    let config = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(command.collect()),
        ..ExecConfig::default()
    };
    let exec = docker.create_exec(node, config).await?;
    let (output, error) = match docker.start_exec(&exec.id, None).await? {
        StartExecResults::Attached { output, input: stdin } => {
            converse(output, stdin, input).await?
        }
        StartExecResults::Detached => Default::default(),
    };
    let code = wait::until("the end of a program in a node", REAPED, async || {
        let state = docker.inspect_exec(&exec.id).await?;
        Ok::<_, Error>(match (state.running, state.exit_code) {
            (Some(true), _) | (_, None) => Poll::NotYet("a running program".to_owned()),
            (_, Some(code)) => Poll::Ready(code),
        })
    });
    let code = code.await.map_err(|error| match error {
        WaitError::Broken { source, .. } => source,
        WaitError::TimedOut { .. } => Error::RequestTimeoutError,
    })?;
    Ok(Said { code, output, error })
}

/// Writes to a program and reads from it at the same time, as it may stop listening before the end.
async fn converse(
    output: impl Stream<Item = Result<LogOutput, Error>>,
    mut stdin: impl AsyncWrite + Unpin,
    input: impl Stream<Item = Result<Bytes, Error>>,
) -> Result<(String, String), Error> {
    let speaking = async {
        let mut input = pin!(input);
        while let Some(chunk) = input.try_next().await? {
            if stdin.write_all(&chunk).await.is_err() {
                // It has ended, and says why on its other streams.
                return Ok(());
            }
        }
        let _ = stdin.shutdown().await;
        Ok(())
    };
    let listening =
        output.try_fold((String::new(), String::new()), async |(mut out, mut err), chunk| {
            match chunk {
                LogOutput::StdErr { message } => err.push_str(&String::from_utf8_lossy(&message)),
                LogOutput::StdOut { message }
                | LogOutput::Console { message }
                | LogOutput::StdIn { message } => {
                    out.push_str(&String::from_utf8_lossy(&message));
                }
            }
            Ok((out, err))
        });
    match future::select(pin!(speaking), pin!(listening)).await {
        Either::Left((Ok(()), listening)) => listening.await,
        Either::Left((Err(error), _)) => Err(error),
        Either::Right((said, _)) => said,
    }
}

/// What a node said last, for the error of its end.
async fn last_lines(docker: &Docker, node: &str) -> String {
    let options =
        LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&LINES.to_string()).build();
    let lines = docker.logs(node, Some(options)).filter_map(async |line| line.ok());
    let lines: String = lines.map(|line| line.to_string()).collect().await;
    text::tail(&lines, LINES)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn broken() -> Error {
        Error::IOError { err: io::Error::other("cut off") }
    }

    #[tokio::test]
    async fn a_program_that_stops_listening_is_still_heard() {
        let (stdin, other_end) = tokio::io::duplex(16);
        drop(other_end);
        let words = LogOutput::StdErr { message: "no space".into() };
        let input = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 64])));
        let said = converse(stream::iter([Ok(words)]), stdin, input).await.unwrap();
        assert_eq!(said, (String::new(), "no space".to_owned()));
    }

    #[tokio::test]
    async fn an_input_that_breaks_is_the_error() {
        let (stdin, _other_end) = tokio::io::duplex(16);
        let input = stream::iter([Err(broken())]);
        let error = converse(stream::pending(), stdin, input).await.unwrap_err();
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
        let said = converse(stream::once(reading), stdin, input).await.unwrap();
        assert_eq!(said, ("all".to_owned(), String::new()));
    }
}
