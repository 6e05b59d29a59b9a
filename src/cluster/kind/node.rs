//! The containerd in the container of a node: when it answers, and what it is told through `ctr`.

use std::time::Duration;

use bollard::{Docker, errors::Error, models::ContainerStateStatusEnum};
use bytes::Bytes;
use futures_util::{Stream, future::try_join_all, stream};

use super::{
    containers,
    program::{self, ProgramError},
};
use crate::{
    cluster::error::DeliveryError,
    docker::is_absent,
    text,
    wait::{self, Limit, Poll, WaitError},
};

/// How many of the last lines of a node, or of a program in it, are told with its end.
const LINES: usize = 12;

/// The kubelet sees what is in this namespace of containerd.
const CTR: [&str; 2] = ["ctr", "--namespace=k8s.io"];

/// How long the containerd of a new node may take to answer, from the begin of its creation, which
/// may have to pull the node image.
const CONTAINERD: Limit =
    Limit { total: Duration::from_mins(20), every: Duration::from_millis(200) };

/// Waits until the containerd of every node answers, long before the cluster is ready.
pub(super) async fn all_answer(docker: &Docker, nodes: &[String]) -> Result<(), DeliveryError> {
    try_join_all(nodes.iter().map(async |node| {
        let answer = wait::until(format!("an answer of {node}"), CONTAINERD, async || {
            Ok(if answers(docker, node).await? {
                Poll::Ready(())
            } else {
                Poll::NotYet("no containerd".to_owned())
            })
        });
        answer.await.map_err(|error| match error {
            WaitError::Broken { source, .. } => source,
            WaitError::TimedOut { .. } => {
                DeliveryError::Silent { node: node.clone(), limit: CONTAINERD.total }
            }
        })
    }))
    .await
    .map(drop)
}

/// Whether containerd in the container `node` answers.
///
/// A node that does not exist yet does not answer; one that has ended never will.
async fn answers(docker: &Docker, node: &str) -> Result<bool, DeliveryError> {
    if !runs(docker, node).await? {
        return Ok(false);
    }
    match program::run(docker, node, &command(&["version"]), stream::empty()).await {
        Ok(said) => Ok(said.code == 0),
        // It may end between the two requests; the next look says how.
        Err(ProgramError::Docker(Error::DockerResponseServerError { .. })) => Ok(false),
        Err(error) => Err(unknown(node, "version", error)),
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
            let log = containers::log(docker, node, LINES).await;
            Err(DeliveryError::Ended {
                node: node.to_owned(),
                code: state.exit_code.unwrap_or_default(),
                log: text::tail(&log.unwrap_or_default(), LINES),
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
pub(super) async fn ctr_reading(
    docker: &Docker,
    node: &str,
    arguments: &[&str],
    input: impl Stream<Item = Result<Bytes, Error>>,
) -> Result<String, DeliveryError> {
    let said = match program::run(docker, node, &command(arguments), input).await {
        Ok(said) => said,
        Err(error) => {
            // A node that has ended explains more than the daemon does.
            runs(docker, node).await?;
            return Err(unknown(node, &arguments.join(" "), error));
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
        command: format!("ctr {}", arguments.join(" ")),
        code: said.code,
        words: text::tail(&said.error, LINES),
    })
}

fn command<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&CTR[..], arguments].concat()
}

fn unknown(node: &str, arguments: &str, error: ProgramError) -> DeliveryError {
    let (node, command) = (node.to_owned(), format!("ctr {arguments}"));
    match error {
        ProgramError::Stalled { still } => DeliveryError::Stalled { node, command, still },
        ProgramError::Docker(source) => {
            DeliveryError::docker(format!("run `{command}` in the node `{node}`"))(source)
        }
    }
}
