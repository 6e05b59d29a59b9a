//! Logs in to PostgreSQL.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::{
    Connection as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use url::Url;

use super::{Asked, late};
use crate::{password::Password, suite::Database, text::chain};

/// What a part of a URL does not hold as it is (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What PostgreSQL answers while it starts up or recovers.
const STARTING: &str = "57P03";
/// What it answers if user or password are wrong, and what it has begins with.
const DENIED: &str = "28";
/// What it answers if it has no database of this name.
const UNKNOWN: &str = "3D000";

/// How to log in to a database of a stack.
pub(in crate::stack) fn options(
    address: SocketAddr,
    database: &Database,
    passwords: &BTreeMap<String, Password>,
) -> PgConnectOptions {
    let password = passwords.get(&database.password).map_or("", Password::reveal);
    PgConnectOptions::new_without_pgpass()
        .host(&address.ip().to_string())
        .port(address.port())
        .username(&database.user)
        .password(password)
        .database(&database.name)
        .ssl_mode(PgSslMode::Disable)
}

/// The URL of a database of a stack, with the password in it; none if it can have none.
pub(in crate::stack) fn database_url(
    address: SocketAddr,
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

/// Asks for `SELECT 1`.
pub(super) async fn select(options: &PgConnectOptions, limit: Duration) -> Asked {
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
        Ok(Err(sqlx::Error::Database(error)))
            if error.code().is_some_and(|code| code.starts_with(DENIED)) =>
        {
            let words = error.message();
            Asked::Denied(format!(
                "{words}; does its manifest take user and password from the same Secret?"
            ))
        }
        Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some(UNKNOWN) => {
            let words = error.message();
            Asked::Denied(format!("{words}; does its manifest make a database of that name?"))
        }
        Ok(Err(error)) => Asked::Wrong(chain(&error)),
        Err(_) => Asked::Late(late(limit)),
    }
}
