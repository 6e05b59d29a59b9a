//! Applies migrations to a real server.
//!
//! These tests are ignored because they need a server: point PGHOST, PGPORT and
//! PGUSER at one that may be written to, and run with `--ignored`. Each makes a
//! database of its own and drops it.

use std::{convert::Infallible, fs, path::Path, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};

use super::{
    apply::{Applied, apply_within},
    session::{Limits, RUN_LOCK},
    *,
};
use crate::wait::{self, Limit, Poll};

const SHORT: Limits = Limits {
    run: Limit { total: Duration::from_millis(300), every: Duration::from_millis(20) },
    lock: Duration::from_millis(200),
    statement: Duration::from_secs(20),
};

/// A database that is dropped at the end of a test that passes.
struct Database {
    options: PgConnectOptions,
    name: String,
    files: tempfile::TempDir,
}

impl Database {
    async fn create() -> Self {
        let name = format!("kindwright_{}", uuid::Uuid::new_v4().simple());
        server(&format!("CREATE DATABASE {name}")).await;
        Self {
            options: PgConnectOptions::new().database(&name),
            name,
            files: tempfile::tempdir().unwrap(),
        }
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options).await.unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.files.path().join(name), text).unwrap();
    }

    async fn apply(&self) -> Result<Applied, MigrateError> {
        apply_within(SHORT, &self.options, &discover(self.files.path()).unwrap()).await
    }

    /// The error of a run, with the directory cut out.
    async fn refused(&self) -> String {
        let directory = format!("{}/", self.files.path().display());
        self.apply().await.unwrap_err().to_string().replace(&directory, "")
    }

    async fn number(&self, sql: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        query.fetch_one(&mut self.connect().await).await.unwrap()
    }

    async fn drop(self) {
        server(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn server(sql: &str) {
    let mut connection =
        PgConnection::connect_with(&PgConnectOptions::new().database("postgres")).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_platforms_migrations_apply_once() {
    let database = Database::create().await;
    let files = discover(&Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).unwrap();
    let first = apply(&database.options, &files).await.unwrap();
    assert_eq!((first.applied.len(), first.already, first.notices.len()), (17, 0, 2));
    let second = apply(&database.options, &files).await.unwrap();
    assert_eq!(second, Applied { already: 17, ..Applied::default() });

    let expected = [
        "audit_events",
        "nowhere",
        "public.audit_events_default",
        "kindwright.migrations",
        "nope.audit_events",
    ];
    let missing = missing_tables(&database.options, &expected.map(String::from)).await.unwrap();
    assert_eq!(missing, ["nowhere", "nope.audit_events"]);
    // Questions about what is inside an event (contract 6.9, scenario 09) need this index.
    let index = "SELECT count(*) FROM pg_indexes WHERE tablename = 'audit_events' \
         AND indexname = 'idx_audit_events_event_data_gin' AND indexdef LIKE '%USING gin (event_data)'";
    assert_eq!(database.number(index).await, 1);
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn an_error_names_file_line_statement_and_postgresqls_words() {
    let database = Database::create().await;
    database.write("1_fine.sql", "CREATE TABLE fine (name text);");
    database.write(
        "2_broken.sql",
        "-- +goose Up\nCREATE TABLE gone ();\n\nINSERT INTO fine\n  (name,\n   nam)\nVALUES ('ä', 'b');\n",
    );
    assert_eq!(
        database.refused().await,
        "2_broken.sql:6: column \"nam\" of relation \"fine\" does not exist\n  \
         statement: INSERT INTO fine (name, nam) VALUES ('ä', 'b')\n  \
         nothing of this file is applied; correct it and run again"
    );
    assert_eq!(database.number("SELECT count(*) FROM kindwright.migrations").await, 1);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'gone'").await, 0);

    database.write("2_broken.sql", "SELECT 1;\nDO $$\nBEGIN\n  PERFORM nam FROM fine;\nEND $$;");
    assert_eq!(
        database.refused().await,
        "2_broken.sql:2: column \"nam\" does not exist\n  \
         hint: Perhaps you meant to reference the column \"fine.name\".\n  \
         context: PL/pgSQL function inline_code_block line 3 at PERFORM\n  \
         statement: DO $$ BEGIN PERFORM nam FROM fine; END $$\n  \
         nothing of this file is applied; correct it and run again"
    );
    database.write("2_broken.sql", "SELECT 'never ends;\n");
    assert!(database.refused().await.starts_with("2_broken.sql:1: unterminated quoted string"));
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_changed_file_is_refused_and_a_missing_one_is_noticed() {
    let database = Database::create().await;
    database.write("1_a.sql", "CREATE TABLE a ();");
    database.write("2_b.sql", "SET search_path = nowhere; SET ROLE pg_monitor;");
    database.apply().await.unwrap();
    database.write("1_a.sql", "CREATE TABLE a (); -- better");
    assert_eq!(
        database.refused().await,
        "1_a.sql was changed after it had been applied to this database; restore it and put the change into a new \
         migration, or start from an empty database"
    );
    fs::remove_file(database.files.path().join("1_a.sql")).unwrap();
    database.write("3_c.sql", "CREATE TABLE c ();");
    let applied = database.apply().await.unwrap();
    assert_eq!(
        applied.notices,
        ["`1_a.sql` is applied to this database but no longer among the files"]
    );
    assert_eq!((applied.applied, applied.already), (vec!["3_c.sql".to_owned()], 1));
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_file_without_a_transaction_goes_on_where_it_ended() {
    let database = Database::create().await;
    let head = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE t (a int);\nCREATE INDEX CONCURRENTLY i ON t (a);\n\
                VACUUM t;\nBEGIN;\nINSERT INTO t VALUES (1);\n";
    database.write("1_t.sql", &format!("{head}INSERT INTO t VALUES ('x');\nCOMMIT;\n"));
    let refused = database.refused().await;
    assert!(
        refused.starts_with("1_t.sql:8: invalid input syntax for type integer: \"x\""),
        "{refused}"
    );
    assert!(refused.ends_with(
        "3 of 4 steps of this file are applied; correct the rest and run again, and it goes on here"
    ));
    assert_eq!(database.number("SELECT count(*) FROM t").await, 0);

    database.write("1_t.sql", &format!("{head}INSERT INTO t VALUES (2);\nCOMMIT;\n"));
    let applied = database.apply().await.unwrap();
    assert_eq!(applied.notices, ["1_t.sql: goes on after step 3 of 4"]);
    assert_eq!(database.number("SELECT count(*) FROM t").await, 2);
    database.write("2_e.sql", "-- +goose NO TRANSACTION\n-- +goose Up\n");
    assert_eq!(database.apply().await.unwrap().already, 1);
    assert_eq!(database.apply().await.unwrap().already, 2);
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_killed_run_goes_on_at_its_next_statement() {
    let database = Database::create().await;
    database.write(
        "1_t.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE t ();\nCREATE TABLE u ();\nSELECT pg_sleep(3);\nCREATE TABLE v ();\n",
    );
    let patient = Limits { run: Limit::seconds(30), ..SHORT };
    let files = discover(database.files.path()).unwrap();
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND state = 'active' AND query LIKE 'SELECT pg_sleep(3)%'";
    let third = wait::until("the third statement", Limit::seconds(30), async || {
        let sleepers = database.number(asleep).await;
        let found = Poll::NotYet(sleepers.to_string());
        Ok::<_, Infallible>(if sleepers == 1 { Poll::Ready(()) } else { found })
    });
    tokio::select! {
        ended = apply_within(patient, &database.options, &files) => panic!("it ended: {ended:?}"),
        third = third => third.unwrap(),
    }
    // PostgreSQL finishes the statement before it sees that nobody is there.
    let applied = apply_within(patient, &database.options, &files).await.unwrap();
    assert_eq!(applied.notices, ["1_t.sql: goes on after step 2 of 4"]);
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn two_runs_do_not_interleave() {
    let database = Database::create().await;
    database.write("1_t.sql", "CREATE TABLE t (); SELECT pg_sleep(0.2);");
    database.write("2_i.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nALTER TABLE t ADD a int;\nCREATE INDEX CONCURRENTLY i ON t (a);\n");
    let files = discover(database.files.path()).unwrap();
    let limits = Limits { run: Limit::seconds(10), ..SHORT };
    let (one, other) = tokio::join!(
        apply_within(limits, &database.options, &files),
        apply_within(limits, &database.options, &files),
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.applied.len() + other.applied.len(), 2);
    assert_eq!(one.already + other.already, 2);
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_lock_that_somebody_holds_ends_the_run_and_is_named() {
    let database = Database::create().await;
    database.write("1_t.sql", "CREATE TABLE t ();");
    database.apply().await.unwrap();
    let mut other = database.connect().await;
    sqlx::raw_sql("SET application_name = 'the holder'; BEGIN; LOCK TABLE t;")
        .execute(&mut other)
        .await
        .unwrap();
    database.write("2_t.sql", "\nALTER TABLE t ADD a int;");
    let refused = database.refused().await;
    assert!(
        refused.starts_with(
            "2_t.sql:2: waited 200ms for a lock that another session holds\n  statement: ALTER TABLE t ADD a int\n  \
             open transactions: process "
        ),
        "{refused}"
    );
    assert!(
        refused.contains("(the holder, idle in transaction, for ")
            && refused.contains(" s): SET application_name"),
        "{refused}"
    );

    let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(RUN_LOCK);
    lock.execute(&mut other).await.unwrap();
    let refused = database.refused().await;
    assert!(refused.starts_with("another run has been migrating this database for "), "{refused}");
    database.drop().await;
}
