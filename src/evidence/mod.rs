//! Collects what explains a failure, before what failed is deleted.
//!
//! Every collector is independent: one that fails leaves a line that says so,
//! and the others go on. Nothing is written that the redactor has not seen.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use k8s_openapi::api::{
    apps::v1::{DaemonSet, Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{Event, Pod, Service},
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ListParams, LogParams},
    core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::postgres::PgConnectOptions;

mod redact;

pub(crate) use redact::Redactor;

use crate::{audit, report, text::chain};

/// How long collecting the evidence of one suite may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How much of a log is kept, in bytes.
const LOG: i64 = 1 << 20;

/// Where evidence goes, and what must not be in it.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    directory: PathBuf,
    redactor: Redactor,
}

impl Evidence {
    /// Evidence in `directory`, which is made when there is some.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, redactor: Redactor::default() }
    }

    /// The same place, without these words.
    pub(crate) fn without<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self { directory: self.directory.clone(), redactor: self.redactor.without(secrets) }
    }

    /// A text for the terminal, without these words and without passwords in URLs.
    pub(crate) fn for_people(&self, text: &str) -> String {
        self.redactor.clean_known(text)
    }

    /// Where it is, if there is any.
    pub(crate) fn found(&self) -> Option<&Path> {
        self.directory.is_dir().then_some(self.directory.as_path())
    }

    /// Collects what a suite's namespace says: pods' logs, events, objects.
    pub(crate) async fn of_namespace(&self, client: &Client, namespace: &str) {
        let collecting = async {
            tokio::join!(
                self.logs(client, namespace),
                self.objects::<Event>(client, namespace, "events"),
                self.objects::<Pod>(client, namespace, "pods"),
                self.objects::<Service>(client, namespace, "services"),
                self.objects::<Deployment>(client, namespace, "deployments"),
                self.objects::<StatefulSet>(client, namespace, "statefulsets"),
                self.objects::<DaemonSet>(client, namespace, "daemonsets"),
                self.objects::<Job>(client, namespace, "jobs"),
            )
        };
        if tokio::time::timeout(LIMIT, Box::pin(collecting)).await.is_err() {
            self.write(namespace, "incomplete.txt", "collecting took too long");
        }
    }

    /// Writes why a case failed, and what it sent and received.
    pub(crate) fn of_case(&self, suite: &str, case: &str, failure: &str, exchanges: &str) {
        let folder = format!("{suite}/cases/{case}");
        self.write(&folder, "failure.txt", failure);
        if !exchanges.is_empty() {
            self.write(&folder, "http.txt", exchanges);
        }
    }

    /// Where the evidence of a case is, if there is any.
    pub(crate) fn case_folder(&self, suite: &str, case: &str) -> PathBuf {
        self.directory.join(format!("{suite}/cases/{case}"))
    }

    /// Writes the audit rows under the id of a failed case.
    pub(crate) async fn of_audit(
        &self,
        suite: &str,
        case: &str,
        database: &PgConnectOptions,
        id: &str,
    ) {
        let folder = format!("{suite}/cases/{case}");
        let reading = tokio::time::timeout(LIMIT, audit::rows(database, id));
        match reading.await {
            Ok(Ok(rows)) if rows.is_empty() => {}
            Ok(Ok(rows)) => self.write_json(&folder, "audit.json", &rows),
            Ok(Err(error)) => self.write(&folder, "audit.txt", &chain(&error)),
            Err(_) => self.write(&folder, "audit.txt", "reading took too long"),
        }
    }

    /// Writes why a suite's stack did not come up.
    pub(crate) fn of_setup(&self, suite: &str, words: &str) {
        self.write(suite, "setup.txt", words);
    }

    async fn logs(&self, client: &Client, namespace: &str) {
        let pods = Api::<Pod>::namespaced(client.clone(), namespace);
        let list = match pods.list(&ListParams::default()).await {
            Ok(list) => list,
            Err(error) => return self.write(namespace, "pods.txt", &chain(&error)),
        };
        let folder = format!("{namespace}/logs");
        for pod in list {
            let status = pod.status.iter();
            let containers = status.flat_map(|status| {
                let initial = status.init_container_statuses.iter().flatten();
                initial.chain(status.container_statuses.iter().flatten())
            });
            for container in containers {
                let runs: &[(bool, &str)] = if container.restart_count > 0 {
                    &[(false, "log"), (true, "previous.log")]
                } else {
                    &[(false, "log")]
                };
                for (previous, suffix) in runs {
                    let parameters = LogParams {
                        container: Some(container.name.clone()),
                        previous: *previous,
                        limit_bytes: Some(LOG),
                        timestamps: true,
                        ..LogParams::default()
                    };
                    let log = match pods.logs(&pod.name_any(), &parameters).await {
                        Ok(log) => log,
                        Err(error) => chain(&error),
                    };
                    let name = format!("{}.{}.{suffix}", pod.name_any(), container.name);
                    self.write(&folder, &name, &log);
                }
            }
        }
    }

    async fn objects<K>(&self, client: &Client, namespace: &str, name: &str)
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
        K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
    {
        let api = Api::<K>::namespaced(client.clone(), namespace);
        match api.list(&ListParams::default()).await {
            Ok(list) if list.items.is_empty() => {}
            Ok(list) => {
                let mut items = list.items;
                for item in &mut items {
                    item.managed_fields_mut().clear();
                }
                self.write_json(namespace, &format!("{name}.json"), &items);
            }
            Err(error) => self.write(namespace, &format!("{name}.txt"), &chain(&error)),
        }
    }

    fn write_json(&self, folder: &str, name: &str, value: &impl Serialize) {
        match serde_json::to_value(value) {
            Ok(mut document) => {
                self.redactor.clean_document(&mut document);
                self.write(folder, name, &format!("{document:#}"));
            }
            Err(error) => self.write(folder, name, &chain(&error)),
        }
    }

    fn write(&self, folder: &str, name: &str, text: &str) {
        let folder = self.directory.join(folder);
        let path = folder.join(name);
        let written: io::Result<()> =
            fs::create_dir_all(&folder).and_then(|()| fs::write(&path, self.redactor.clean(text)));
        if let Err(error) = written {
            report::say(&format!("evidence {} is not written: {error}", path.display()));
        }
    }
}
