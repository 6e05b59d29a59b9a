//! Undoes promises through the Docker API: by exact names and labels, never by patterns.

use std::{convert::Infallible, time::Duration};

use bollard::{
    Docker,
    errors::Error,
    models::ContainerSummaryStateEnum,
    query_parameters::{RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder},
};
use futures_util::stream;
use tokio::time::timeout;

use super::{containers, program};
use crate::{
    docker::is_absent,
    ledger::Undo,
    text::chain,
    wait::{self, Limit, Poll},
};

/// How long a node may take to empty its shared folder; one that hangs is removed all the same.
const EMPTYING: Duration = Duration::from_secs(5);

/// How long one promise may take at a time; a daemon that goes on with it is found done later.
const REMOVING: Duration = Duration::from_secs(30);

/// What could not be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// The promise.
    pub(crate) undo: Undo,
    /// Why.
    pub(crate) words: String,
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
    // Why each is left; the last look may be cut off in its middle.
    let mut words = vec![Some("not tried yet".to_owned()); promises.len()];
    let mut empty = 0;
    let undoing = wait::until("the end of undoing", limit, async || {
        let mut found = also();
        for (index, undo) in promises.iter().enumerate() {
            let tried = try_once(undo, docker).await;
            found += usize::from(tried == Ok(true));
            words[index] = tried.err();
        }
        empty = if found == 0 { empty + 1 } else { 0 };
        let done = empty >= quiet && words.iter().all(Option::is_none);
        Ok::<_, Infallible>(if done { Poll::Ready(()) } else { Poll::NotYet(String::new()) })
    });
    let Err(_) = undoing.await else { return Ok(()) };
    let left = promises.iter().zip(words);
    Err(left.filter_map(|(undo, words)| Some(Left { undo: undo.clone(), words: words? })).collect())
}

/// Undoes a promise, or says why not; `false` if there was nothing to undo.
async fn try_once(undo: &Undo, docker: &Docker) -> Result<bool, String> {
    match timeout(REMOVING, carry_out(undo, docker)).await {
        Ok(done) => done.map_err(|error| chain(&error)),
        Err(_) => Err(format!("the Docker daemon was not done after {} s", REMOVING.as_secs())),
    }
}

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
    let nodes = containers::all(docker, cluster, true).await?;
    for node in &nodes {
        let Some(id) = &node.id else { continue };
        if node.state == Some(ContainerSummaryStateEnum::RUNNING) {
            // Files that services wrote belong to users that this one may not be.
            let command = ["find", "/kindwright", "-mindepth", "1", "-delete"];
            let emptying = program::run(docker, id, &command, stream::empty());
            let _ = timeout(EMPTYING, emptying).await;
        }
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        there(docker.remove_container(id, Some(options)).await)?;
    }
    Ok(!nodes.is_empty())
}

/// Whether there was something; "no such thing" is an answer, not an error. "Removal is already in
/// progress" is one: the next look tells how that ended.
fn there<T>(result: Result<T, Error>) -> Result<bool, Error> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_daemon_that_hangs_does_not_hold_up_the_end_of_undoing() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("docker.sock");
        // It takes connections, and nobody reads them.
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let socket = socket.to_str().unwrap();
        let docker = Docker::connect_with_unix(socket, 120, bollard::API_DEFAULT_VERSION).unwrap();
        let promises = [Undo::Network { name: "kw-1".into() }];
        let limit = Duration::from_millis(50);
        let left = undo_until_quiet(&docker, &promises, 0, limit, || 0).await.unwrap_err();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].undo, promises[0]);
    }
}
