//! Undoes promises through the Docker API: by exact names and labels, never by patterns.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    time::Duration,
};

use bollard::{
    Docker,
    errors::Error,
    exec::StartExecOptions,
    models::{ContainerSummaryStateEnum, ExecConfig},
    query_parameters::{RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder},
};
use futures_util::StreamExt as _;

use super::kind::containers;
use crate::{
    docker::is_absent,
    ledger::Undo,
    text::chain,
    wait::{self, Limit, Poll},
};

/// How long a node may take to empty its shared folder; one that hangs is removed all the same.
const EMPTYING: Duration = Duration::from_secs(5);

/// What could not be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// The promise.
    pub(crate) undo: Undo,
    /// Why.
    pub(crate) words: String,
}

/// What is left, and how much was there to undo.
#[derive(Debug, Default)]
pub(crate) struct Undone {
    /// How many promises had something to undo.
    pub(crate) found: usize,
    /// What could not be undone.
    pub(crate) left: Vec<Left>,
}

/// Undoes all promises in the given order, and goes on past failures.
pub(crate) async fn undo_all(docker: &Docker, promises: &[Undo]) -> Undone {
    let mut undone = Undone::default();
    for undo in promises {
        match carry_out(undo, docker).await {
            Ok(true) => undone.found += 1,
            Ok(false) => {}
            Err(error) => undone.left.push(Left { undo: undo.clone(), words: chain(&error) }),
        }
    }
    undone
}

/// Undoes all promises until nothing is left; then again until `quiet` looks in a row found nothing.
///
/// A daemon that was sent a create just before may finish it late. `also` counts
/// what else was found in a look. When `limit` is up, what is left is returned.
pub(crate) async fn undo_until_quiet(
    docker: &Docker,
    promises: &[Undo],
    quiet: usize,
    limit: Duration,
    also: impl Fn() -> usize,
) -> Result<(), Vec<Left>> {
    let limit = Limit { total: limit, every: Duration::from_secs(1) };
    let untried = |undo: &Undo| Left { undo: undo.clone(), words: "not tried yet".to_owned() };
    let left = RefCell::new(promises.iter().map(untried).collect::<Vec<_>>());
    let empty = Cell::new(0);
    let undoing = wait::until("the end of undoing", limit, async || {
        let others = also();
        let undone = undo_all(docker, promises).await;
        let nothing = others + undone.found == 0;
        empty.set(if nothing { empty.get() + 1 } else { 0 });
        let done = undone.left.is_empty() && empty.get() >= quiet;
        left.replace(undone.left);
        Ok::<_, Infallible>(if done { Poll::Ready(()) } else { Poll::NotYet(String::new()) })
    });
    undoing.await.map_err(|_| left.into_inner())
}

/// Undoes a promise; `false` if there was nothing to undo.
async fn carry_out(undo: &Undo, docker: &Docker) -> Result<bool, Error> {
    match undo {
        Undo::Image { reference } => {
            let options = RemoveImageOptionsBuilder::default().force(true).build();
            there(docker.remove_image(reference, Some(options), None).await)
        }
        Undo::Cluster { name } => remove_nodes(docker, name).await,
        Undo::Network { name } => there(docker.remove_network(name).await),
    }
}

async fn remove_nodes(docker: &Docker, cluster: &str) -> Result<bool, Error> {
    let nodes = containers(docker, cluster, true).await?;
    for node in &nodes {
        let Some(id) = &node.id else { continue };
        if node.state == Some(ContainerSummaryStateEnum::RUNNING) {
            // Files that services wrote belong to users that this one may not be.
            let _ = tokio::time::timeout(EMPTYING, empty_shared_folder(docker, id)).await;
        }
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        there(docker.remove_container(id, Some(options)).await)?;
    }
    Ok(!nodes.is_empty())
}

async fn empty_shared_folder(docker: &Docker, node: &str) -> Result<(), Error> {
    let command = ["find", "/kindwright", "-mindepth", "1", "-delete"];
    let exec = docker
        .create_exec(
            node,
            ExecConfig {
                cmd: Some(command.map(str::to_owned).to_vec()),
                attach_stdout: Some(true),
                attach_stderr: Some(true),
                ..ExecConfig::default()
            },
        )
        .await?;
    let started = docker.start_exec(&exec.id, None::<StartExecOptions>).await?;
    if let bollard::exec::StartExecResults::Attached { mut output, .. } = started {
        while output.next().await.is_some() {}
    }
    Ok(())
}

/// Whether there was something; "no such thing" is an answer, not an error.
fn there<T>(result: Result<T, Error>) -> Result<bool, Error> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        // Somebody else removes it at this moment; the next look tells.
        Err(Error::DockerResponseServerError { status_code: 409, message })
            if message.contains("already in progress") =>
        {
            Ok(true)
        }
        Err(error) => Err(error),
    }
}
