//! Looks at the schema that migrations have left.

use sqlx::{Connection, postgres::PgConnectOptions};

use super::{
    MigrateError,
    session::{self, LIMITS},
};

/// Names those of `expected` that are not there: `table`, or `schema.table`.
pub(crate) async fn missing_tables(
    connection: &PgConnectOptions,
    expected: &[String],
) -> Result<Vec<String>, MigrateError> {
    let mut connection = session::connect(connection, LIMITS).await?;
    let query = sqlx::query_scalar(
        "SELECT wanted.name FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
         WHERE NOT EXISTS (
             SELECT FROM information_schema.tables
             WHERE table_schema = ANY (current_schemas(false)) AND table_name = wanted.name
                OR table_schema || '.' || table_name = wanted.name)
         ORDER BY wanted.place",
    );
    let missing = query.bind(expected).fetch_all(&mut connection).await;
    let missing = missing.map_err(|source| MigrateError::Tables { source })?;
    let _ = connection.close().await;
    Ok(missing)
}
