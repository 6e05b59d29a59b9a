//! Watches and asks tables of a real server.
//!
//! These tests are ignored because they need a server: point PGHOST, PGPORT and
//! PGUSER at one that may be written to, and run with `--ignored`. Each makes a
//! database of its own and drops it.

use std::path::Path;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

mod queries;

use super::*;
use crate::{migrate, wait};

const ID: &str = "incident-7";
const SETTLE: Duration = Duration::from_secs(2);

/// A database that is dropped at the end of a test that passes.
struct Database {
    options: PgConnectOptions,
    name: String,
}

impl Database {
    async fn create() -> Self {
        let name = format!("kindwright_{}", uuid::Uuid::new_v4().simple());
        server(&format!("CREATE DATABASE {name}")).await;
        let options = PgConnectOptions::new().database(&name);
        Self { options, name }
    }

    async fn migrated() -> Self {
        let database = Self::create().await;
        let files =
            migrate::discover(&Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).unwrap();
        migrate::apply(&database.options, &files).await.unwrap();
        database
    }

    async fn insert(&self, event_type: &str, data: &Value) {
        let mut connection = PgConnection::connect_with(&self.options).await.unwrap();
        let query = sqlx::query(
            "INSERT INTO audit_events (event_date, event_type, event_category, event_action, event_outcome,
                 actor_type, actor_id, resource_type, resource_id, correlation_id, event_data)
             VALUES ((now() AT TIME ZONE 'UTC')::date, $1, 'analysis', 'a', 'success',
                 'service', 'analysis-service', 'analysis', 'r', $2, $3)",
        );
        query.bind(event_type).bind(ID).bind(data).execute(&mut connection).await.unwrap();
    }

    /// Runs statements.
    async fn run(&self, sql: &str) {
        let mut connection = PgConnection::connect_with(&self.options).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    fn rows(&self, table: Table) -> Rows {
        Rows::new(Some(self.options.clone()), table, ID, SETTLE)
    }

    fn audit(&self) -> Rows {
        self.rows(audit_events()).emitter("analysis-service")
    }

    async fn drop(self) {
        server(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

fn audit_events() -> Table {
    let table = Table::new("audit_events").id("correlation_id").time("event_timestamp");
    let table = table.key("event_id").kind("event_type").emitter("actor_id");
    Table { audit: true, ..table }
}

async fn server(sql: &str) {
    let mut connection =
        PgConnection::connect_with(&PgConnectOptions::new().database("postgres")).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn rows_that_come_late_are_waited_for() {
    let database = Database::migrated().await;
    let late = async {
        for event_type in ["llm_request", "llm_response"] {
            wait::pause(Duration::from_millis(200)).await;
            database.insert(event_type, &json!({"model": "m"})).await;
        }
    };
    let audit = database
        .audit()
        .exactly(2)
        .in_order(["llm_request", "llm_response"])
        .all_matching(json!({"event_data": {"model": "m"}, "retention_days": 2555}));
    let ((), rows) = tokio::join!(late, audit.holds());
    let rows = rows.unwrap();
    assert_eq!(rows.iter().map(Row::kind).collect::<Vec<_>>(), ["llm_request", "llm_response"]);
    assert_eq!(rows[0].get("event_data.model"), Some(&json!("m")));
    assert_eq!(super::rows(&database.options, &audit_events(), ID).await.unwrap().len(), 2);
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn one_row_too_many_while_rows_may_arrive_is_found() {
    let database = Database::migrated().await;
    database.insert("llm_request", &json!({})).await;
    let late = async {
        wait::pause(SETTLE / 8).await;
        database.insert("llm_request", &json!({})).await;
    };
    let ((), found) = tokio::join!(late, database.audit().exactly(1).holds());
    let text = found.unwrap_err().to_string();
    assert!(
        text.starts_with(
            "`audit_events` where correlation_id is `incident-7`: 2 rows instead of 1 after "
        ),
        "{text}"
    );
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn no_row_at_all_can_be_expected() {
    let database = Database::migrated().await;
    let started = std::time::Instant::now();
    assert_eq!(database.audit().exactly(0).holds().await.unwrap(), []);
    assert!(started.elapsed() >= SETTLE);
    let text = database.audit().within(SETTLE).holds().await.unwrap_err().to_string();
    assert!(text.contains(": no row instead of at least 1 after "), "{text}");
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_missing_table_ends_the_wait_at_once() {
    let database = Database::create().await;
    let started = std::time::Instant::now();
    let error = database.audit().holds().await.unwrap_err();
    assert!(matches!(error, RowsError::NoTable { .. }));
    assert!(started.elapsed() < Duration::from_secs(5));
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_session_that_is_ended_is_opened_again() {
    let database = Database::migrated().await;
    let late = async {
        wait::pause(Duration::from_millis(300)).await;
        server(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            database.name
        ))
        .await;
        database.insert("llm_request", &json!({})).await;
    };
    let ((), rows) = tokio::join!(late, database.audit().holds());
    assert_eq!(rows.unwrap().len(), 1);
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_database_that_does_not_answer_is_told_apart_from_missing_rows() {
    let nowhere = PgConnectOptions::new().host("127.0.0.1").port(1);
    let rows = Rows::new(Some(nowhere), audit_events(), ID, SETTLE);
    let text = rows.within(SETTLE).holds().await.unwrap_err().to_string();
    assert!(text.contains("correlation_id is `incident-7` could not be read for "), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn rows_that_are_changed_or_deleted_are_waited_for_where_they_are_no_audit_events() {
    let database = Database::create().await;
    database
        .run(&format!(
            "CREATE TABLE orders (no int, trace text, state text);
             INSERT INTO orders VALUES (1, '{ID}', 'new'), (2, '{ID}', 'new')"
        ))
        .await;
    let orders = || Table::new("orders").id("trace").kind("state");
    let late = async {
        wait::pause(Duration::from_millis(200)).await;
        database.run("DELETE FROM orders WHERE no = 2; UPDATE orders SET state = 'paid'").await;
    };
    let paid = database.rows(orders()).exactly(1).all_matching(json!({"state": "paid"}));
    let none_new = database.rows(orders()).kinds(["new"]).exactly(0);
    let ((), paid, none_new) = tokio::join!(late, paid.holds(), none_new.holds());
    assert_eq!((paid.unwrap().len(), none_new.unwrap().len()), (1, 0));
    // A row of a trail stays what it is, so nobody waits for it.
    let trail = Table { audit: true, ..orders() };
    let text = database.rows(trail).all_matching(json!({"state": "new"})).holds().await;
    let text = text.unwrap_err().to_string();
    assert!(text.contains("a row of paid is not as each should be after"), "{text}");
    assert!(text.contains("(1 look)"), "{text}");
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn any_table_has_rows_by_the_columns_that_it_is_declared_with() {
    let database = Database::create().await;
    database
        .run(
            "CREATE SCHEMA billing; CREATE TYPE billing.state AS ENUM ('new', 'paid');
             CREATE TABLE billing.\"Bill\" (no int PRIMARY KEY, trace uuid, state billing.state, lines jsonb);
             INSERT INTO billing.\"Bill\" VALUES
                 (2, 'a3b5f5a0-0000-4000-8000-000000000001', 'paid', '[{\"sku\": \"tea\"}]'),
                 (1, 'a3b5f5a0-0000-4000-8000-000000000001', 'new', '[]'), (3, NULL, 'new', '[]')",
        )
        .await;
    let bills = || Table::new("billing.Bill").id("trace").time("no").kind("state");
    let trace = "a3b5f5a0-0000-4000-8000-000000000001";
    let rows = database.rows(bills()).under("trace", trace).exactly(2).in_order(["new", "paid"]);
    let rows = rows.any_matching(json!({"lines": [{"sku": "tea"}]})).holds().await.unwrap();
    assert_eq!(rows.iter().map(Row::kind).collect::<Vec<_>>(), ["new", "paid"]);
    let rows = database.rows(bills()).under("no", 3).under("trace", Value::Null).exactly(1);
    assert!(rows.holds().await.is_ok());
    let without = || database.rows(Table::new("billing.Bill").kind("state"));
    let rows = without().where_matching(json!({"lines": []})).kinds(["new"]).exactly(2);
    assert!(rows.holds().await.is_ok());
    // What is no id of the table is told to a case, and is nothing for its evidence.
    let text = database.rows(bills()).holds().await.unwrap_err().to_string();
    assert!(text.contains("invalid input syntax for type uuid: \"incident-7\""), "{text}");
    assert!(super::rows(&database.options, &bills(), ID).await.unwrap().is_empty());
    let text = without().holds().await.unwrap_err().to_string();
    assert!(text.contains("which rows it means"), "{text}");
    let text = database.rows(bills().emitter("by")).under("no", 1).holds().await.unwrap_err();
    assert!(text.to_string().contains("there is no column \"by\""), "{text}");
    let text = database.rows(bills().time("at")).under("no", 1).holds().await.unwrap_err();
    assert!(text.to_string().contains("column kindwright_row.at does not exist"), "{text}");
    database.drop().await;
}
