//! Collects what explains a failure, before what failed is deleted.
//!
//! ```text
//! run, suite, cluster, case ─► namespace (what Kubernetes says) ─► folder (redacted, counted if lost)
//! ```

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use kube::Client;

mod case;
mod file_name;
mod folder;
mod loss;
mod namespace;
mod redact;

pub(crate) use case::CaseEvidence;
pub(crate) use redact::Redactor;

use crate::text::ending;
use folder::Folder;
use loss::Losses;

/// How much of a log of a node is kept, in bytes.
const NODE_LOG: usize = 4 << 20;
/// How long cleaning the logs of a cluster's nodes may take.
const NODE_LOGS: Duration = Duration::from_mins(1);

/// Where evidence goes, and what must not be in it.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    directory: PathBuf,
    redactor: Redactor,
    losses: Losses,
}

impl Evidence {
    /// Evidence in `directory`, which is made when there is some.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, redactor: Redactor::default(), losses: Losses::default() }
    }

    /// The same place, without these words.
    pub(crate) fn without<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self { redactor: self.redactor.without(secrets), ..self.clone() }
    }

    /// A text for the terminal, without these words and without what has the shape of a secret.
    pub(crate) fn for_people(&self, text: &str) -> String {
        self.redactor.clean_known(text)
    }

    /// Where it is, if there is any.
    pub(crate) fn found(&self) -> Option<&Path> {
        self.directory.is_dir().then_some(self.directory.as_path())
    }

    /// Which of it could not be written, in words, if that happened.
    pub(crate) fn lost(&self) -> Option<String> {
        self.losses.told(&self.directory)
    }

    /// The evidence of a failed case.
    pub(crate) fn of_case(&self, suite: &str, case: &str) -> CaseEvidence {
        CaseEvidence::new(self.root().folder(suite).folder("cases").folder(case))
    }

    /// The evidence of a failed step.
    pub(crate) fn of_step(&self, suite: &str, step: &str) -> CaseEvidence {
        CaseEvidence::new(self.root().folder(suite).folder("steps").folder(step))
    }

    /// Collects what a suite's namespace says: pods' logs, events, objects.
    pub(crate) async fn of_namespace(&self, client: &Client, namespace: &str) {
        namespace::collect(&self.root().folder(namespace), client, namespace).await;
    }

    /// Writes why a suite's stack did not come up.
    pub(crate) fn of_setup(&self, suite: &str, words: &str) {
        self.root().folder(suite).text("setup.txt", words);
    }

    /// Writes what the nodes of a cluster logged, a file each; of long ones the end.
    pub(crate) async fn of_cluster(
        &self,
        cluster: &str,
        logs: impl IntoIterator<Item = (String, String)>,
    ) {
        let folder = self.root().folder("clusters").folder(cluster);
        let writing = async {
            for (name, log) in logs {
                folder.aside(move |folder| folder.file(&name, ending(&log, NODE_LOG))).await;
            }
        };
        folder.within(NODE_LOGS, writing).await;
    }

    fn root(&self) -> Folder {
        Folder::new(self.directory.clone(), self.redactor.clone(), self.losses.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;
    use crate::suite::Table;

    fn read(path: impl AsRef<Path>) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn nothing_is_made_where_nothing_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let evidence = Evidence::new(directory.path().join("run"));
        let case = evidence.of_case("hapi", "it_answers");
        assert_eq!((evidence.found(), case.found(), evidence.lost()), (None, None, None));
        case.failure("the kettle is empty");
        assert_eq!(case.found(), Some(&*directory.path().join("run/hapi/cases/it_answers")));
    }

    #[tokio::test]
    async fn a_case_leaves_its_failure_its_exchanges_and_its_rows_without_passwords() {
        let directory = tempfile::tempdir().unwrap();
        let evidence = Evidence::new(directory.path().join("run")).without(["geheim"]);
        let case = evidence.of_case("hapi", "it_answers");
        case.failure("login with geheim failed");
        case.exchanges("> Cookie: a=b".to_owned()).await;
        let rows = vec![json!({"event_data": {"api_key": "x", "tokens": 5}})];
        for table in [Table { audit: true, ..Table::new("events") }, Table::new("shop.orders")] {
            let rows = rows.clone();
            case.rows(&table, async { Ok::<_, std::io::Error>(rows) }).await;
        }
        let folder = case.found().unwrap();
        assert_eq!(read(folder.join("failure.txt")), "login with [redacted] failed");
        assert_eq!(read(folder.join("http.txt")), "> Cookie: [redacted]");
        for name in ["audit.json", "rows/shop.orders.json"] {
            let rows: Value = serde_json::from_str(&read(folder.join(name))).unwrap();
            assert_eq!(rows, json!([{"event_data": {"api_key": "[redacted]", "tokens": 5}}]));
        }
    }

    #[tokio::test]
    async fn rows_that_cannot_be_read_leave_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let case = Evidence::new(directory.path().join("run")).of_case("hapi", "it_answers");
        case.rows(&Table::new("orders"), async { Err(std::io::Error::other("no route")) }).await;
        assert_eq!(read(case.found().unwrap().join("rows/orders.txt")), "no route");
    }

    #[tokio::test]
    async fn the_logs_of_nodes_are_kept_to_their_end() {
        let directory = tempfile::tempdir().unwrap();
        let evidence = Evidence::new(directory.path().join("run"));
        let long = format!("{}the end", "a line\n".repeat(NODE_LOG / 7 + 1));
        let logs = [("kubelet.log", &*long), ("../inspect.json", r#"{"token": "x"}"#)];
        evidence.of_cluster("kw-0123abcd", logs.map(|(name, log)| (name.into(), log.into()))).await;
        let folder = directory.path().join("run/clusters/kw-0123abcd");
        let kept = read(folder.join("kubelet.log"));
        assert!(kept.len() <= NODE_LOG && kept.ends_with("the end"), "{}", kept.len());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn what_is_lost_is_told_by_the_evidence_of_the_run_whoever_wrote_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run");
        fs::write(&path, "in the way").unwrap();
        let evidence = Evidence::new(path);
        evidence.without(["geheim"]).of_setup("hapi", "why");
        let lost = evidence.lost().unwrap();
        assert!(lost.starts_with("evidence is not complete: "), "{lost}");
        assert_eq!(evidence.found(), None);
    }
}
