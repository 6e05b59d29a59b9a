//! Sends a statement of a case's own, and reads what it returns as JSON.

use serde_json::Value;
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Connection, Either, Executor, PgConnection, Row,
    SqlSafeStr, Statement, TypeInfo, ValueRef,
    postgres::{PgConnectOptions, PgRow, PgTypeInfo, PgTypeKind},
};

use crate::postgres::literal;

/// What the statement is called in its session.
const NAME: &str = "kindwright_statement";

/// The rows that a statement returns, each an object with a key for each column; none if it returns none.
///
/// What `$1` and so on stand for is taken as of the type that the statement gives them.
pub(crate) async fn query(
    database: &PgConnectOptions,
    sql: &str,
    parameters: &[Value],
) -> Result<Vec<Value>, sqlx::Error> {
    let options = database.clone().application_name("kindwright query").disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await?;
    let sql = sql.trim_end().trim_end_matches(';');
    let statement = (&mut connection).prepare(safe(sql)).await?;
    let arguments = match statement.parameters() {
        Some(Either::Left(types)) => arguments(types, parameters),
        Some(Either::Right(_)) | None => arguments(&[], parameters),
    };
    let as_json = format!(
        "WITH kindwright_row AS ({sql}\n) SELECT to_jsonb(kindwright_row) FROM kindwright_row"
    );
    // The server makes the best JSON, but of what `WITH` takes only: `EXPLAIN` for one it does not.
    let is_json =
        !statement.columns().is_empty() && (&mut connection).prepare(safe(&as_json)).await.is_ok();
    let sql = if is_json { &as_json } else { sql };
    let rows = if parameters.is_empty() {
        sqlx::raw_sql(safe(sql)).fetch_all(&mut connection).await?
    } else {
        // Only as text can a value have whatever type is wanted.
        let prepare = format!("PREPARE {NAME} AS {sql}");
        sqlx::raw_sql(safe(&prepare)).execute(&mut connection).await?;
        let execute = format!("EXECUTE {NAME} ({})", arguments.join(", "));
        sqlx::raw_sql(safe(&execute)).fetch_all(&mut connection).await?
    };
    let rows = rows.iter().map(|row| if is_json { row.try_get(0) } else { plain(row) });
    let rows = rows.collect::<Result<_, _>>()?;
    // The statement is done; how the session ends changes nothing.
    let _ = connection.close().await;
    Ok(rows)
}

/// A statement that the case wrote, or that is made of one and of quoted values.
fn safe(sql: &str) -> sqlx::SqlStr {
    AssertSqlSafe(sql.to_owned()).into_sql_str()
}

fn arguments(types: &[PgTypeInfo], values: &[Value]) -> Vec<String> {
    let argument = |(index, value)| literal(text(value, types.get(index)).as_deref());
    values.iter().enumerate().map(argument).collect()
}

/// A value as PostgreSQL reads one of this type; nothing for NULL.
fn text(value: &Value, wanted: Option<&PgTypeInfo>) -> Option<String> {
    match (value, wanted.map(PgTypeInfo::kind)) {
        (Value::Null, _) => None,
        (value, Some(PgTypeKind::Domain(inner))) => text(value, Some(inner)),
        (Value::Array(values), Some(PgTypeKind::Array(element))) => {
            let elements = values.iter().map(|value| match text(value, Some(element)) {
                Some(text) if value.is_array() && !is_json(element) => text,
                Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                None => "NULL".to_owned(),
            });
            Some(format!("{{{}}}", elements.collect::<Vec<_>>().join(",")))
        }
        (Value::String(text), _) if !wanted.is_some_and(is_json) => Some(text.clone()),
        (value, _) => Some(value.to_string()),
    }
}

fn is_json(wanted: &PgTypeInfo) -> bool {
    ["JSON", "JSONB"].contains(&wanted.name())
}

/// A row of text as an object; numbers and JSON are what they say, other values stay text.
fn plain(row: &PgRow) -> Result<Value, sqlx::Error> {
    let mut object = serde_json::Map::new();
    for (index, column) in row.columns().iter().enumerate() {
        let value = row.try_get_raw(index)?;
        let value = if value.is_null() {
            Value::Null
        } else {
            let text = value.as_str().map_err(sqlx::Error::Decode)?;
            match column.type_info().name() {
                "BOOL" => Value::Bool(text == "t"),
                "INT2" | "INT4" | "INT8" | "FLOAT4" | "FLOAT8" | "NUMERIC" | "JSON" | "JSONB" => {
                    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
                }
                _ => Value::from(text),
            }
        };
        object.insert(column.name().to_owned(), value);
    }
    Ok(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::{Postgres, Type};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_value_is_written_as_one_of_the_type_that_is_wanted() {
        fn written<T: Type<Postgres>>(value: &Value) -> Option<String> {
            text(value, Some(&T::type_info()))
        }
        assert_eq!(written::<Uuid>(&json!("a")).as_deref(), Some("a"));
        assert_eq!(written::<i32>(&json!(7)).as_deref(), Some("7"));
        assert_eq!(written::<String>(&json!(true)).as_deref(), Some("true"));
        assert_eq!(written::<Value>(&json!(null)), None);
        assert_eq!(written::<Value>(&json!("a")).as_deref(), Some(r#""a""#));
        assert_eq!(written::<Vec<i32>>(&json!([1, null])).as_deref(), Some(r#"{"1",NULL}"#));
        assert_eq!(written::<Vec<String>>(&json!(["a\"b"])).as_deref(), Some(r#"{"a\"b"}"#));
    }
}
