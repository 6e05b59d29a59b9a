//! The evidence of a case that failed: why, what it sent, which rows were written, how its stack stood.

use std::{collections::BTreeMap, error::Error, path::Path, time::Duration};

use kube::Client;
use serde_json::Value;

use super::{folder::Folder, namespace};
use crate::{suite::Table, text::chain};

/// How long reading and cleaning the rows of a case may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Where the evidence of one case goes.
#[derive(Clone, Debug)]
pub(crate) struct CaseEvidence {
    folder: Folder,
}

impl CaseEvidence {
    pub(super) fn new(folder: Folder) -> Self {
        Self { folder }
    }

    /// Where it is, if there is any.
    pub(crate) fn found(&self) -> Option<&Path> {
        self.folder.found()
    }

    /// Writes why the case failed.
    pub(crate) fn failure(&self, failure: &str) {
        self.folder.text("failure.txt", failure);
    }

    /// Writes what the case sent and received.
    pub(crate) async fn exchanges(&self, exchanges: String) {
        if !exchanges.is_empty() {
            self.folder.aside(move |folder| folder.text("http.txt", &exchanges)).await;
        }
    }

    /// Writes what the case attached, a file each.
    pub(crate) async fn attachments(&self, attachments: BTreeMap<String, Vec<u8>>) {
        let folder = self.folder.folder("attachments");
        for (name, contents) in attachments {
            folder.aside(move |folder| folder.bytes(&name, contents)).await;
        }
    }

    /// Writes the rows of a table under the id of the case; those of audit events beside what else the case leaves.
    pub(crate) async fn rows<E: Error + 'static>(
        &self,
        table: &Table,
        rows: impl Future<Output = Result<Vec<Value>, E>>,
    ) {
        let (folder, name) = if table.audit {
            (self.folder.clone(), "audit")
        } else {
            (self.folder.folder("rows"), table.called())
        };
        let words = format!("{name}.txt");
        let written = async {
            match rows.await {
                Ok(rows) if rows.is_empty() => {}
                Ok(rows) => {
                    let name = name.to_owned();
                    folder.aside(move |folder| folder.json(&name, &rows)).await;
                }
                Err(error) => folder.text(&words, &chain(&error)),
            }
        };
        match tokio::time::timeout(LIMIT, written).await {
            Ok(()) => {}
            Err(_) => folder.text(&words, &format!("reading was given up after {LIMIT:?}")),
        }
    }

    /// Writes how a namespace stands, and what its pods wrote in the `last` so long: since the case
    /// began. To be called before another case changes it.
    pub(crate) async fn namespace(&self, client: &Client, namespace: &str, last: Duration) {
        let folder = self.folder.folder(namespace);
        namespace::collect_of_case(&folder, client, namespace, last).await;
    }
}
