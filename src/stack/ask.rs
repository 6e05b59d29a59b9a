//! Sends an endpoint one real request, as a case would.

use std::{collections::BTreeMap, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use url::Url;

use crate::{
    cluster::Address,
    password::Password,
    suite::{Database, Probe},
    text::{chain, shortened},
};

/// What a part of a URL does not hold as it is (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How much of an answer a message shows, in characters.
const SHOWN: usize = 200;

/// What PostgreSQL answers while it starts up or recovers.
const STARTING: &str = "57P03";

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It was answered as it should be.
    Answered,
    /// There is nothing at this path.
    NotFound(String),
    /// It says itself that it does not serve yet.
    Starting(String),
    /// The answer is another than wanted.
    Wrong(String),
    /// There was no answer in time.
    Late(String),
    /// Nobody took it.
    Refused(String),
}

/// Asks services of a stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) http: &'a reqwest::Client,
    pub(super) passwords: &'a BTreeMap<String, Password>,
}

impl Asker<'_> {
    /// Sends one request, which may take so long.
    pub(super) async fn ask(&self, probe: &Probe, address: &Address, limit: Duration) -> Asked {
        match probe {
            Probe::Http(path) => {
                let url = format!("http://{address}{}", rooted(path));
                self.get(&url, limit).await
            }
            Probe::Postgres(database) => {
                select(&options(address, database, self.passwords), limit).await
            }
        }
    }

    async fn get(&self, url: &str, limit: Duration) -> Asked {
        match self.http.get(url).timeout(limit).send().await {
            Ok(answer) if answer.status().is_success() => Asked::Answered,
            Ok(answer) => {
                let status = answer.status();
                let body = answer.text().await.unwrap_or_default();
                let words = format!("{status} {}", shortened(body.trim(), SHOWN));
                match status {
                    StatusCode::NOT_FOUND => Asked::NotFound(words),
                    // What it needs may come later than it did.
                    StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT => Asked::Starting(words),
                    _ => Asked::Wrong(words),
                }
            }
            Err(error) if error.is_timeout() => Asked::Late(late(limit)),
            Err(error) => Asked::Refused(chain(&error)),
        }
    }
}

/// How to log in to a database of a stack.
pub(super) fn options(
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

/// The URL of a database of a stack, with the password in it; none if it can have none.
pub(super) fn url_of(
    address: &Address,
    database: &Database,
    passwords: &BTreeMap<String, Password>,
) -> Option<Url> {
    let encoded = |text| utf8_percent_encode(text, RESERVED).to_string();
    let password = passwords.get(&database.password).map_or("", Password::reveal);
    let mut url = Url::parse(&format!("postgres://{address}")).ok()?;
    url.set_username(&encoded(&database.user)).ok()?;
    url.set_password(Some(&encoded(password))).ok()?;
    url.set_path(&encoded(&database.name));
    Some(url)
}

/// What an endpoint at an address is asked, in words.
pub(super) fn asked(probe: &Probe, address: &Address) -> String {
    match probe {
        Probe::Http(path) => format!("GET {} on {address}", rooted(path)),
        Probe::Postgres(database) => format!("SELECT 1 in `{}` on {address}", database.name),
    }
}

/// A path from the root, however it was written.
fn rooted(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
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
        Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some(STARTING) => {
            Asked::Starting(error.message().to_owned())
        }
        Ok(Err(error)) => Asked::Wrong(chain(&error)),
        Err(_) => Asked::Late(late(limit)),
    }
}

fn late(limit: Duration) -> String {
    format!("no answer within {limit:.1?}")
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// A service that gives each request the same answer; returns where it is.
    async fn service(answer: &'static str) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Address { host: "127.0.0.1".to_owned(), port }
    }

    async fn ask(path: &str, answer: &'static str) -> Asked {
        let http = super::super::http::client().unwrap();
        let asker = Asker { http: &http, passwords: &BTreeMap::new() };
        let address = service(answer).await;
        asker.ask(&Probe::Http(path.to_owned()), &address, Duration::from_secs(30)).await
    }

    #[test]
    fn a_url_of_a_database_has_whatever_is_in_its_password() {
        let database = Database { user: "a@b".into(), name: "c d".into(), password: "e".into() };
        let address = Address { host: "127.0.0.1".to_owned(), port: 5432 };
        let passwords = BTreeMap::from([("e".to_owned(), Password::new("p%41/?#:@".to_owned()))]);
        let url = url_of(&address, &database, &passwords).unwrap();
        assert_eq!(url.as_str(), "postgres://a%40b:p%2541%2F%3F%23%3A%40@127.0.0.1:5432/c%20d");
    }

    #[tokio::test]
    async fn a_health_path_needs_no_slash() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        assert_eq!(ask("health", answer).await, Asked::Answered);
        let address = Address { host: "127.0.0.1".to_owned(), port: 80 };
        let probe = Probe::Http("health".to_owned());
        assert_eq!(asked(&probe, &address), "GET /health on 127.0.0.1:80");
    }

    #[tokio::test]
    async fn what_was_answered_instead_is_told() {
        let answer =
            "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhere\n";
        let asked = ask("/health", answer).await;
        assert_eq!(asked, Asked::NotFound("404 Not Found here".to_owned()));
        let answer =
            "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let asked = ask("/health", answer).await;
        assert_eq!(asked, Asked::Wrong("500 Internal Server Error ".to_owned()));
    }

    #[tokio::test]
    async fn a_service_that_waits_for_another_does_not_answer_wrongly() {
        for (status, line) in [
            (
                "502 Bad Gateway",
                "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            ),
            (
                "503 Service Unavailable",
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            ),
            (
                "504 Gateway Timeout",
                "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            ),
        ] {
            assert_eq!(ask("/health", line).await, Asked::Starting(format!("{status} ")));
        }
    }

    #[tokio::test]
    async fn a_database_that_starts_up_does_not_refuse_the_login() {
        let database = Database { user: "a".into(), name: "b".into(), password: "c".into() };
        let login = async |answer| {
            let http = super::super::http::client().unwrap();
            let asker = Asker { http: &http, passwords: &BTreeMap::new() };
            let address = service(answer).await;
            let probe = Probe::Postgres(database.clone());
            asker.ask(&probe, &address, Duration::from_secs(30)).await
        };
        let starting = "E\0\0\0$SFATAL\0VFATAL\0C57P03\0Mstarting\0\0";
        assert_eq!(login(starting).await, Asked::Starting("starting".to_owned()));
        let refused = login("E\0\0\0$SFATAL\0VFATAL\0C28P01\0Mpassword\0\0").await;
        assert!(matches!(refused, Asked::Wrong(_)), "{refused:?}");
    }

    #[tokio::test]
    async fn a_port_that_is_closed_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let http = super::super::http::client().unwrap();
        let asker = Asker { http: &http, passwords: &BTreeMap::new() };
        let address = Address { host: "127.0.0.1".to_owned(), port };
        let asked =
            asker.ask(&Probe::Http("/".to_owned()), &address, Duration::from_secs(30)).await;
        assert!(matches!(asked, Asked::Refused(_)), "{asked:?}");
    }
}
