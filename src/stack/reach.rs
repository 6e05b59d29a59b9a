//! Sends each endpoint one real request through its address, as this machine knows it.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use thiserror::Error;
use url::Url;

use super::{Place, StackError, asked, lead};
use crate::{
    cluster::Address,
    password::Password,
    plan::WorkloadPlan,
    suite::{Database, Endpoint, Probe},
    text::{chain, shortened},
    wait::{self, Limit, Poll},
};

/// How long after a pod is ready its NodePort may take to lead there.
const LIMIT: Limit = Limit { total: Duration::from_secs(30), every: Duration::from_millis(50) };
/// How long the first request may take, and each further one half as long again: the node refuses
/// only a few connections at once by a word, the others by silence, and who waits for an answer to
/// such a one asks again after a second.
const FIRST: Duration = Duration::from_millis(200);
/// Who waited longer than this was not dropped, but made to wait.
const DROPPED: Duration = Duration::from_secs(1);
const ONE_REQUEST: Duration = Duration::from_secs(5);
/// How much of an answer a message shows, in characters.
const SHOWN: usize = 200;

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

/// What became of one request.
#[derive(Debug)]
enum Asked {
    Answered,
    /// The answer is another than wanted.
    Wrong(String),
    /// There was no answer in time.
    Late(String),
    /// Nobody took it.
    Refused(String),
}

/// Asks every endpoint of a workload of `namespace` until it has answered.
pub(super) async fn answers(
    place: &Place,
    namespace: &str,
    workload: &WorkloadPlan,
    passwords: &BTreeMap<String, Password>,
) -> Result<Reached, StackError> {
    let mut reached = Reached::default();
    for endpoint in &workload.endpoints {
        let address =
            place.cluster.address(endpoint.node_port).ok_or_else(|| StackError::Unmapped {
                workload: workload.name.clone(),
                node_port: endpoint.node_port,
                cluster: place.cluster.name().to_string(),
            })?;
        let heard = Cell::new(false);
        tokio::select! {
            answered = answer(workload, endpoint, address, passwords, &heard) => answered?,
            words = lead::nowhere(place, namespace, endpoint, &heard) => {
                return Err(StackError::Astray { workload: workload.name.clone(), words });
            }
        }
        match &endpoint.probe {
            Probe::Http(_) => {
                if let Ok(url) = Url::parse(&format!("http://{address}/")) {
                    reached.urls.entry(endpoint.service.clone()).or_insert(url);
                }
            }
            Probe::Postgres(database) => {
                let options = options(address, database, passwords);
                reached.databases.insert(endpoint.service.clone(), options);
            }
        }
    }
    Ok(reached)
}

/// Asks one endpoint until it has answered, and notes when a request was heard.
async fn answer(
    workload: &WorkloadPlan,
    endpoint: &Endpoint,
    address: &Address,
    passwords: &BTreeMap<String, Password>,
    heard: &Cell<bool>,
) -> Result<(), StackError> {
    let what =
        format!("an answer of `{}` to {} on {address}", workload.name, asked(&endpoint.probe));
    let mut next = FIRST;
    let asking = wait::until(what, LIMIT, async || {
        let limit = next;
        next = ONE_REQUEST.min(limit * 3 / 2);
        Ok::<_, Never>(match ask(&endpoint.probe, address, passwords, limit).await {
            Asked::Answered => Poll::Ready(()),
            Asked::Wrong(words) => {
                heard.set(true);
                Poll::NotYet(words)
            }
            Asked::Late(words) => {
                heard.set(heard.get() || limit > DROPPED);
                Poll::NotYet(words)
            }
            Asked::Refused(words) => Poll::NotYet(words),
        })
    });
    asking.await.map_err(|source| StackError::Silent {
        workload: workload.name.clone(),
        source: Box::new(source),
    })
}

/// The address at which an endpoint of a workload still answers, if one does.
pub(super) async fn answering(
    place: &Place,
    workload: &WorkloadPlan,
    passwords: &BTreeMap<String, Password>,
) -> Option<Address> {
    for endpoint in &workload.endpoints {
        let address = place.cluster.address(endpoint.node_port)?;
        let asked = ask(&endpoint.probe, address, passwords, FIRST).await;
        if matches!(asked, Asked::Answered | Asked::Wrong(_)) {
            return Some(address.clone());
        }
    }
    None
}

async fn ask(
    probe: &Probe,
    address: &Address,
    passwords: &BTreeMap<String, Password>,
    limit: Duration,
) -> Asked {
    match probe {
        Probe::Http(path) => get(&format!("http://{address}{path}"), limit).await,
        Probe::Postgres(database) => select(&options(address, database, passwords), limit).await,
    }
}

async fn get(url: &str, limit: Duration) -> Asked {
    match reqwest::Client::new().get(url).timeout(limit).send().await {
        Ok(answer) if answer.status().is_success() => Asked::Answered,
        Ok(answer) => {
            let status = answer.status();
            let body = answer.text().await.unwrap_or_default();
            Asked::Wrong(format!("{status} {}", shortened(&body, SHOWN)))
        }
        Err(error) if error.is_timeout() => Asked::Late(chain(&error)),
        Err(error) => Asked::Refused(chain(&error)),
    }
}

fn options(
    address: &Address,
    database: &Database,
    passwords: &BTreeMap<String, Password>,
) -> PgConnectOptions {
    let password = passwords.get(&database.password).map_or("", Password::reveal);
    PgConnectOptions::new_without_pgpass()
        .host(&address.host)
        .port(address.port)
        .username(&database.user)
        .password(password)
        .database(&database.name)
        .ssl_mode(PgSslMode::Disable)
}

async fn select(options: &PgConnectOptions, limit: Duration) -> Asked {
    let asking = async {
        let mut connection = PgConnection::connect_with(options).await?;
        sqlx::query("SELECT 1").execute(&mut connection).await?;
        connection.close().await
    };
    match tokio::time::timeout(limit, asking).await {
        Ok(Ok(())) => Asked::Answered,
        Ok(Err(error @ sqlx::Error::Io(_))) => Asked::Refused(chain(&error)),
        Ok(Err(error)) => Asked::Wrong(chain(&error)),
        Err(_) => Asked::Late(format!("no answer within {limit:?}")),
    }
}
