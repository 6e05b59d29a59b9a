//! What explains a cluster: the words of kind, of its containers, and of the services in its nodes.

use std::{fs, io, path::Path, time::Duration};

use bollard::Docker;
use futures_util::{future::join_all, stream};
use tokio::time::timeout;

use super::{containers, files::Files, program};
use crate::{plan::ClusterName, text::chain};

/// How much of each is kept: its end.
const BYTES: usize = 1 << 20;
/// How many lines are asked for.
const LINES: usize = 5000;
/// How long collecting one may take.
const LIMIT: Duration = Duration::from_secs(15);

/// Whoever may say why a node does not work.
const JOURNAL: [&str; 6] =
    ["journalctl", "--no-pager", "--quiet", "--lines=5000", "--unit=kubelet", "--unit=containerd"];
/// The same where no journal is kept.
const LOG_FILES: [&str; 14] = [
    "find",
    "/var/log",
    "/kind",
    "-maxdepth",
    "1",
    "-type",
    "f",
    "-name",
    "*.log",
    "-exec",
    "tail",
    "--bytes=262144",
    "{}",
    "+",
];
/// The control plane, which nobody can ask while its API does not answer.
const CONTROL_PLANE: [&str; 11] = [
    "find",
    "/var/log/pods",
    "-path",
    "*/kube-system_*",
    "-name",
    "*.log",
    "-exec",
    "tail",
    "--bytes=65536",
    "{}",
    "+",
];

/// The logs of a cluster by the names of their files, for as much of it as is there.
pub(super) async fn collect(
    docker: &Docker,
    name: &ClusterName,
    files: &Files,
) -> Vec<(String, String)> {
    let mut logs = first_try(&files.first_try());
    if let Ok(words) = fs::read_to_string(files.words()) {
        logs.push(("kind.log".to_owned(), words));
    }
    match containers::all(docker, name.as_str(), true).await {
        Ok(found) => {
            let names = containers::names(found);
            logs.extend(
                join_all(names.iter().map(|name| of_container(docker, name))).await.concat(),
            );
        }
        Err(error) => logs.push(("containers.txt".to_owned(), chain(&error))),
    }
    logs
}

/// Keeps the logs of a first try, before it is deleted.
pub(super) fn keep(logs: &[(String, String)], files: &Files) -> io::Result<()> {
    let folder = files.first_try();
    fs::create_dir_all(&folder)?;
    logs.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}

fn first_try(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let read = entries.filter_map(|entry| {
        let name = format!("first-try.{}", entry.file_name().to_string_lossy());
        Some((name, fs::read_to_string(entry.path()).ok()?))
    });
    read.collect()
}

async fn of_container(docker: &Docker, name: &str) -> Vec<(String, String)> {
    let own = async {
        let log = timeout(LIMIT, containers::log(docker, name, LINES)).await;
        log.map_or_else(|_| late(), |log| log.unwrap_or_else(|error| chain(&error)))
    };
    let services = async {
        let journal = said(docker, name, &JOURNAL).await;
        if journal.is_empty() { said(docker, name, &LOG_FILES).await } else { journal }
    };
    let (own, services, control_plane) =
        tokio::join!(own, services, said(docker, name, &CONTROL_PLANE));
    let logs = [("container", own), ("services", services), ("control-plane", control_plane)];
    let logs = logs.into_iter().filter(|(_, text)| !text.is_empty());
    logs.map(|(what, text)| (format!("{name}.{what}.log"), end_of(text))).collect()
}

/// What a program in a node prints, or why nobody knows.
async fn said(docker: &Docker, node: &str, command: &[&str]) -> String {
    match timeout(LIMIT, program::run(docker, node, command, stream::empty())).await {
        // Also of one that did not find everything; nothing if it is not there, as the node has
        // other means.
        Ok(Ok(said)) => said.output,
        Ok(Err(error)) => chain(&error),
        Err(_) => late(),
    }
}

fn late() -> String {
    format!("it was not read within {} s", LIMIT.as_secs())
}

/// The end of a long text.
fn end_of(mut text: String) -> String {
    let start = text.ceil_char_boundary(text.len().saturating_sub(BYTES));
    text.split_off(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_log_the_end_is_kept() {
        let log = "é".repeat(BYTES) + "the end";
        let kept = end_of(log);
        assert!(kept.len() <= BYTES && kept.ends_with("the end"));
        assert_eq!(end_of("short".to_owned()), "short");
    }

    #[test]
    fn the_logs_of_a_first_try_are_among_those_of_the_second() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::of(&ClusterName::noted("kw-1".into()), directory.path());
        assert_eq!(first_try(&files.first_try()), []);
        keep(&[("kind.log".to_owned(), "no taint".to_owned())], &files).unwrap();
        let wanted = ("first-try.kind.log".to_owned(), "no taint".to_owned());
        assert_eq!(first_try(&files.first_try()), [wanted]);
    }
}
