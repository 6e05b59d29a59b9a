//! Statements of a case's own.

use serde_json::json;

use super::Database;
use crate::{postgres::Words, rows::query};

const ID: &str = "a3b5f5a0-0000-4000-8000-000000000001";

async fn store() -> Database {
    let database = Database::create().await;
    database
        .run(
            "CREATE TYPE state AS ENUM ('new', 'paid');
             CREATE TABLE orders (id uuid, no int, price numeric, at timestamptz, state state, data jsonb, tags text[])",
        )
        .await;
    database
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn parameters_are_of_the_types_that_are_wanted_and_rows_are_json() {
    let database = store().await;
    let order = [
        json!(ID),
        json!(7),
        json!(2.5),
        json!("2026-01-02T03:04:05Z"),
        json!("paid"),
        json!({"it's": ["\\"]}),
        json!(["a \"b\", c", null]),
    ];
    let insert =
        "INSERT INTO orders VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *, no > 6 AS large;";
    let rows = query(&database.options, insert, &order).await.unwrap();
    assert_eq!(
        rows,
        [json!({
            "id": ID, "no": 7, "price": 2.5, "at": "2026-01-02T03:04:05+00:00", "state": "paid",
            "data": {"it's": ["\\"]}, "tags": ["a \"b\", c", null], "large": true,
        })]
    );
    let asked = "SELECT no FROM orders WHERE id = ANY($1) AND data @> $2 AND tags[2] IS NOT DISTINCT FROM $3 -- all";
    let parameters = [json!([ID]), json!({"it's": ["\\"]}), json!(null)];
    assert_eq!(query(&database.options, asked, &parameters).await.unwrap(), [json!({"no": 7})]);
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn whatever_the_server_takes_is_a_statement() {
    let database = store().await;
    for (sql, rows) in [
        ("CREATE INDEX by_data ON orders USING gin (data)", json!([])),
        ("INSERT INTO orders (no) VALUES (1), (2)", json!([])),
        ("SELECT no FROM orders ORDER BY no DESC", json!([{"no": 2}, {"no": 1}])),
        ("UPDATE orders SET no = 3 WHERE no = 1", json!([])),
        (
            "WITH gone AS (DELETE FROM orders RETURNING no) SELECT count(*), 'x' AS name FROM gone",
            json!([{"count": 2, "name": "x"}]),
        ),
        ("SHOW standard_conforming_strings", json!([{"standard_conforming_strings": "on"}])),
    ] {
        assert_eq!(json!(query(&database.options, sql, &[]).await.unwrap()), rows, "{sql}");
    }
    let explained = "EXPLAIN (FORMAT JSON) SELECT * FROM orders WHERE no = $1";
    let plan = query(&database.options, explained, &[json!(1)]).await;
    // PostgreSQL prepares no `EXPLAIN`.
    assert!(plan.is_err());
    let explained = "EXPLAIN (FORMAT JSON) SELECT * FROM orders";
    let plan = query(&database.options, explained, &[]).await.unwrap();
    assert_eq!(plan[0]["QUERY PLAN"][0]["Plan"]["Node Type"], "Seq Scan");
    database.drop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_refusal_is_told_in_the_words_of_the_server() {
    let database = store().await;
    for (sql, parameters, words) in [
        ("SELECT nr FROM orders", vec![], "column \"nr\" does not exist"),
        ("SELECT 1; SELECT 2", vec![], "cannot insert multiple commands into a prepared statement"),
        ("SELECT $1::int", vec![json!("x")], "invalid input syntax for type integer: \"x\""),
        ("SELECT no FROM orders WHERE no = $1", vec![], "there is no parameter $1"),
        ("SELECT $1", vec![json!(1), json!(2)], "wrong number of parameters"),
        (
            "SELECT no FROM orders WHERE state = $1",
            vec![json!("old")],
            "invalid input value for enum state",
        ),
    ] {
        let error = query(&database.options, sql, &parameters).await.unwrap_err();
        let told = Words::of(&error).to_string();
        assert!(told.contains(words), "{sql}: {told}");
    }
    database.drop().await;
}
