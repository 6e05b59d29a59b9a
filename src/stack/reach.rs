//! Sends each endpoint one real request through its port of this machine.

use std::{collections::BTreeMap, time::Duration};

use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use thiserror::Error;
use url::Url;

use super::{Place, StackError, asked};
use crate::{
    plan::WorkloadPlan,
    seed::Password,
    suite::{Database, Probe, chain},
    wait::{self, Limit, Poll},
};

/// How long after a pod is ready its NodePort may take to lead there.
const LIMIT: Limit = Limit { total: Duration::from_secs(30), every: Duration::from_millis(50) };
/// How long the first request may take, and each further one half as long again: the node refuses
/// only a few connections at once by a word, the others by silence, and who waits for an answer to
/// such a one asks again after a second.
const FIRST: Duration = Duration::from_millis(200);
const ONE_REQUEST: Duration = Duration::from_secs(5);

/// How the endpoints of a workload are reached.
#[derive(Debug, Default)]
pub(super) struct Reached {
    pub(super) urls: BTreeMap<String, Url>,
    pub(super) databases: BTreeMap<String, PgConnectOptions>,
}

/// A look at an endpoint never fails for good.
#[derive(Debug, Error)]
#[error("never")]
pub(crate) struct Never(std::convert::Infallible);

/// Asks every endpoint of a workload until it has answered.
pub(super) async fn answers(
    place: &Place,
    workload: &WorkloadPlan,
    passwords: &BTreeMap<String, Password>,
) -> Result<Reached, StackError> {
    let mut reached = Reached::default();
    for endpoint in &workload.endpoints {
        let port =
            place.cluster.host_port(endpoint.node_port).ok_or_else(|| StackError::Unmapped {
                workload: workload.name.clone(),
                node_port: endpoint.node_port,
                cluster: place.cluster.name().to_string(),
            })?;
        let what = format!(
            "an answer of `{}` to {} on 127.0.0.1:{port}",
            workload.name,
            asked(&endpoint.probe)
        );
        let silent = |source| StackError::Silent {
            workload: workload.name.clone(),
            source: Box::new(source),
        };
        let mut next = FIRST;
        let mut longer = || {
            let this = next;
            next = ONE_REQUEST.min(this * 3 / 2);
            this
        };
        match &endpoint.probe {
            Probe::Http(path) => {
                let client = reqwest::Client::new();
                let health = format!("http://127.0.0.1:{port}{path}");
                let asking = wait::until(what, LIMIT, async || {
                    Ok::<_, Never>(get(&client, &health, longer()).await)
                });
                asking.await.map_err(silent)?;
                if let Ok(url) = Url::parse(&format!("http://127.0.0.1:{port}/")) {
                    reached.urls.entry(endpoint.service.clone()).or_insert(url);
                }
            }
            Probe::Postgres(database) => {
                let options = options(port, database, passwords);
                let asking = wait::until(what, LIMIT, async || {
                    Ok::<_, Never>(select(&options, longer()).await)
                });
                asking.await.map_err(silent)?;
                reached.databases.insert(endpoint.service.clone(), options);
            }
        }
    }
    Ok(reached)
}

/// The port of this machine on which an endpoint of a workload still answers, if one does.
pub(super) async fn answering(
    place: &Place,
    workload: &WorkloadPlan,
    passwords: &BTreeMap<String, Password>,
) -> Option<u16> {
    for endpoint in &workload.endpoints {
        let port = place.cluster.host_port(endpoint.node_port)?;
        let answers = match &endpoint.probe {
            Probe::Http(path) => {
                let url = format!("http://127.0.0.1:{port}{path}");
                reqwest::Client::new().get(url).timeout(FIRST).send().await.is_ok()
            }
            Probe::Postgres(database) => {
                let options = options(port, database, passwords);
                matches!(select(&options, FIRST).await, Poll::Ready(()))
            }
        };
        if answers {
            return Some(port);
        }
    }
    None
}

async fn get(client: &reqwest::Client, url: &str, limit: Duration) -> Poll<()> {
    match client.get(url).timeout(limit).send().await {
        Ok(answer) if answer.status().is_success() => Poll::Ready(()),
        Ok(answer) => {
            let status = answer.status();
            let body = answer.text().await.unwrap_or_default();
            Poll::NotYet(format!("{status} {}", body.chars().take(200).collect::<String>()))
        }
        Err(error) => Poll::NotYet(chain(&error)),
    }
}

fn options(
    port: u16,
    database: &Database,
    passwords: &BTreeMap<String, Password>,
) -> PgConnectOptions {
    let password = passwords.get(&database.password).map_or("", Password::reveal);
    // 127.0.0.1, not localhost: that may be ::1, where nobody listens.
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(&database.user)
        .password(password)
        .database(&database.name)
        .ssl_mode(PgSslMode::Disable)
}

async fn select(options: &PgConnectOptions, limit: Duration) -> Poll<()> {
    let asking = async {
        let mut connection = PgConnection::connect_with(options).await?;
        sqlx::query("SELECT 1").execute(&mut connection).await?;
        connection.close().await
    };
    match tokio::time::timeout(limit, asking).await {
        Ok(Ok(())) => Poll::Ready(()),
        Ok(Err(error)) => Poll::NotYet(chain(&error)),
        Err(_) => Poll::NotYet(format!("no answer within {limit:?}")),
    }
}
