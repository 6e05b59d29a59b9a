//! The deployment that the platform's services share, written once.

use std::time::Duration;

use kindwright::{
    Database, Endpoint, Image, Migrations, Secret, Strategy, Suite, Table, Workload, password, text,
};

/// The program with all stand-ins, a subcommand a service.
pub(crate) const STAND_INS: &str = env!("CARGO_BIN_EXE_platform");
/// How long after an answer the last audit event of it may arrive: the stand-ins flush
/// every second, the original every five (contract 5.6).
pub(crate) const FLUSH: Duration = Duration::from_secs(6);

/// How long something may take that a service does by itself, which beside all the other suites has the processor that it
/// requests, and no more. It is the longest that the contract gives (S6.8).
pub(crate) const SOON: Duration = Duration::from_mins(2);
/// How long a case may take: it waits for several such things.
const CASE_LIMIT: Duration = Duration::from_mins(5);

/// The platform's own two orders: those that it calls standard and hybrid (contract 1.4).
pub(crate) const STRATEGIES: [Strategy; 2] = [Strategy::ClusterFirst, Strategy::ImagesFirst];

/// The name of the one password of a stack.
const PASSWORD: &str = "database";

/// HAPI with its model mocked inside it, as workload and image.
pub(crate) const HAPI: &str = "holmesgpt-api";

/// The NodePorts of a suite's shared services, and the ports of a machine that people know them by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// NodePort and host port of the data service.
    pub(crate) datastorage: (u16, u16),
    /// NodePort and host port of PostgreSQL.
    pub(crate) postgresql: (u16, u16),
}

/// Adds to a suite what all services share: PostgreSQL, Redis, the migrated schema, the data service.
///
/// Objects and keys are those of contract 2.5; passwords are drawn at random. What is started
/// `beside` the data service must bear that it is not there at first, as in contract 2.7.
pub(crate) fn shared(
    suite: Suite,
    ports: Ports,
    beside: impl IntoIterator<Item = Workload>,
) -> Suite {
    let (node_port, host_port) = ports.postgresql;
    let postgresql = Workload::new("postgresql", "fixtures/manifests/postgresql.yaml").endpoint(
        Endpoint::postgres("postgresql", database()).node_port(node_port).host_port(host_port),
    );
    let (node_port, host_port) = ports.datastorage;
    let datastorage = Workload::new("datastorage", "fixtures/manifests/datastorage.yaml").endpoint(
        Endpoint::http("http")
            .node_port(node_port)
            .host_port(host_port)
            .health("/health/ready")
            .variable("DATA_STORAGE_URL"),
    );
    suite
        .audit(
            Table::new("audit_events")
                .id("correlation_id")
                .time("event_timestamp")
                .key("event_id")
                .kind("event_type")
                .emitter("actor_id"),
        )
        .settle(FLUSH)
        .case_limit(CASE_LIMIT)
        .image(Image::reference("postgresql", "docker.io/library/postgres:16-alpine"))
        .image(Image::reference("redis", "docker.io/library/redis:7-alpine"))
        .image(Image::program("datastorage", STAND_INS, ["datastorage"]))
        .secret(
            Secret::new("postgresql-secret")
                .entry("POSTGRES_USER", [text("slm_user")])
                .entry("POSTGRES_PASSWORD", [password(PASSWORD)])
                .entry("POSTGRES_DB", [text("action_history")]),
        )
        .secret(
            Secret::new("datastorage-secret")
                .entry(
                    "db-secrets.yaml",
                    [text("username: slm_user\npassword: "), password(PASSWORD), text("\n")],
                )
                .entry("redis-secrets.yaml", [text("password: \"\"\n")]),
        )
        .tier([postgresql, Workload::new("redis", "fixtures/manifests/redis.yaml")])
        .migrations(Migrations::new("migrations", "postgresql").create([
            "audit_events",
            "notification_audit",
            "remediation_workflow_catalog",
            "resource_action_traces",
        ]))
        .tier([datastorage].into_iter().chain(beside))
}

/// HAPI, reached under this NodePort; its image is [`hapi_image`].
pub(crate) fn hapi(endpoint: Endpoint) -> Workload {
    Workload::new(HAPI, "fixtures/manifests/holmesgpt-api.yaml")
        .endpoint(endpoint.health("/health"))
}

pub(crate) fn hapi_image() -> Image {
    Image::program(HAPI, STAND_INS, [HAPI])
}

fn database() -> Database {
    Database::new("slm_user", "action_history", PASSWORD)
}
