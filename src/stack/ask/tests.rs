//! Small services on this machine, and what becomes of asking them.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use super::*;
use crate::{
    plan::Trusted,
    suite::{Database, EndpointName},
    transport::{Authorities, Client},
};

const LIMIT: Duration = Duration::from_secs(30);
const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const MISSING: &str =
    "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhere\n";
const HOST: &str = "shop.stall.svc";

fn endpoint(access: Access) -> EndpointPlan {
    EndpointPlan {
        name: EndpointName { workload: "shop".into(), endpoint: "main".into() },
        service: "shop".into(),
        namespace: "stall".into(),
        port: "main".into(),
        node_port: 30000,
        wished: None,
        host_port: None,
        access,
        variables: Vec::new(),
    }
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A service that gives each request the same answer; returns where it is.
fn service(answer: &'static str) -> SocketAddr {
    let (listener, address) = listener();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

async fn ask(health: Option<&str>, answer: &'static str) -> Asked {
    let health = health.map(str::to_owned);
    let endpoint = endpoint(Access::Http { health });
    http::get(&Client::clear().unwrap(), &endpoint, service(answer), LIMIT).await
}

/// An authority of this name.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// The same over TLS, with a certificate for [`HOST`].
fn secure_service(authority: &CertifiedIssuer<'_, KeyPair>, answer: &'static str) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([HOST.to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let (listener, address) = listener();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

async fn ask_securely(host: &str, trusted: &str, address: SocketAddr) -> Asked {
    let access = Access::Https {
        health: None,
        server_name: host.to_owned(),
        trusted: Trusted::File { path: "ca.pem".into(), text: trusted.to_owned() },
    };
    let trusted = Authorities::own(trusted.as_bytes()).unwrap();
    let client = Client::clear().unwrap().secured(host, address, &trusted).unwrap();
    http::get(&client, &endpoint(access), address, LIMIT).await
}

#[test]
fn a_url_of_a_database_has_whatever_is_in_its_password() {
    let database = Database::new("a@b", "c d", "e");
    let address = SocketAddr::from(([127, 0, 0, 1], 5432));
    let passwords = BTreeMap::from([("e".to_owned(), Password::new("p%41/?#:@".to_owned()))]);
    let url = database_url(address, &database, &passwords).unwrap();
    assert_eq!(url.as_str(), "postgres://a%40b:p%2541%2F%3F%23%3A%40@127.0.0.1:5432/c%20d");
}

#[tokio::test]
async fn a_health_path_needs_no_slash() {
    assert_eq!(ask(Some("health"), GOOD).await, Asked::Answered);
    let endpoint = endpoint(Access::Http { health: Some("health".to_owned()) });
    let address = SocketAddr::from(([127, 0, 0, 1], 80));
    assert_eq!(asked(&endpoint, address), "GET /health on 127.0.0.1:80");
}

#[tokio::test]
async fn what_was_answered_instead_is_told() {
    let asked = ask(Some("/health"), MISSING).await;
    assert_eq!(asked, Asked::NotFound("404 Not Found here".to_owned()));
    let answer =
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let wrong = Asked::Wrong("500 Internal Server Error".to_owned());
    assert_eq!(ask(Some("/health"), answer).await, wrong);
    assert_eq!(ask(None, answer).await, wrong);
}

#[tokio::test]
async fn without_a_health_path_any_answer_will_do_that_is_no_failure_of_the_service() {
    assert_eq!(ask(None, MISSING).await, Asked::Answered);
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
        for health in [Some("/health"), None] {
            assert_eq!(ask(health, line).await, Asked::Starting(status.to_owned()));
        }
    }
}

#[tokio::test]
async fn who_is_signed_by_an_authority_that_is_trusted_is_asked_under_its_name() {
    let authority = authority("own");
    let address = secure_service(&authority, GOOD);
    assert_eq!(ask_securely(HOST, &authority.pem(), address).await, Asked::Answered);
}

#[tokio::test]
async fn who_is_not_whom_it_should_be_is_told_with_what_is_trusted() {
    let own = authority("own");
    let address = secure_service(&own, GOOD);
    let asked = ask_securely(HOST, &authority("other").pem(), address).await;
    let words = "invalid peer certificate: UnknownIssuer; trusted is what ca.pem has";
    assert_eq!(asked, Asked::Untrusted(words.to_owned()));
    let asked = ask_securely("till.stall.svc", &own.pem(), address).await;
    let Asked::Untrusted(words) = asked else { panic!("{asked:?}") };
    assert!(words.contains(HOST) && words.contains("till.stall.svc"), "{words}");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_the_answer() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: https://till.stall.svc/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    assert_eq!(ask(None, answer).await, Asked::Answered);
    assert_eq!(ask(Some("/health"), answer).await, Asked::Wrong("302 Found".to_owned()));
    let own = authority("own");
    let address = secure_service(&own, answer);
    assert_eq!(ask_securely(HOST, &own.pem(), address).await, Asked::Answered);
}

#[tokio::test]
async fn a_redirect_within_a_service_is_followed_but_not_for_ever() {
    let answer =
        "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let endless = Asked::Wrong("302 Found".to_owned());
    assert_eq!(ask(Some("/health"), answer).await, endless);
}

#[tokio::test]
async fn who_speaks_in_the_clear_is_told_from_who_does_not_answer() {
    let asked = ask_securely(HOST, &authority("other").pem(), service(MISSING)).await;
    let Asked::Untrusted(words) = asked else { panic!("{asked:?}") };
    assert!(words.ends_with("it does not speak TLS; is it `Endpoint::http`?"), "{words}");
}

#[tokio::test]
async fn a_connection_is_taken_if_it_stays_or_says_something() {
    let (silent, address) = listener();
    assert_eq!(tcp::connect(address, LIMIT).await, Asked::Answered);
    drop(silent);
    let (speaking, address) = listener();
    thread::spawn(move || speaking.accept().unwrap().0.write_all(b"220 shop\r\n").unwrap());
    assert_eq!(tcp::connect(address, LIMIT).await, Asked::Answered);
}

#[tokio::test]
async fn a_connection_that_is_taken_and_ended_at_once_leads_to_nobody() {
    let (closing, address) = listener();
    thread::spawn(move || drop(closing.accept().unwrap()));
    let words = "the connection is closed at once".to_owned();
    assert_eq!(tcp::connect(address, LIMIT).await, Asked::Refused(words));
}

#[tokio::test]
async fn a_database_that_starts_up_does_not_refuse_the_login() {
    let database = Database::new("a", "b", "c");
    let login = async |answer| {
        let options = options(service(answer), &database, &BTreeMap::new());
        postgres::select(&options, LIMIT).await
    };
    let starting = "E\0\0\0$SFATAL\0VFATAL\0C57P03\0Mstarting\0\0";
    assert_eq!(login(starting).await, Asked::Starting("starting".to_owned()));
    let refused = login("E\0\0\0$SFATAL\0VFATAL\0C28P01\0Mpassword\0\0").await;
    assert!(matches!(refused, Asked::Denied(_)), "{refused:?}");
}

#[tokio::test]
async fn a_port_that_is_closed_refuses() {
    let (listener, address) = listener();
    drop(listener);
    let endpoint = endpoint(Access::Http { health: None });
    let asked = http::get(&Client::clear().unwrap(), &endpoint, address, LIMIT).await;
    assert!(matches!(asked, Asked::Refused(_)), "{asked:?}");
    assert!(matches!(tcp::connect(address, LIMIT).await, Asked::Refused(_)));
}
