//! Migrates a database of a stack, and looks whether what a suite expects is there.

use sqlx::postgres::PgConnectOptions;

use super::StackError;
use crate::{migrate, plan::MigrationsPlan};

/// Runs the migrations of a database; returns what a user should know.
pub(super) async fn run(
    database: Option<&PgConnectOptions>,
    migrations: &MigrationsPlan,
) -> Result<Vec<String>, StackError> {
    let workload = &migrations.workload;
    let Some(database) = database else {
        return Err(StackError::NoTables {
            workload: workload.clone(),
            tables: "at all: its database is in a later tier".to_owned(),
        });
    };
    let fail =
        |source| StackError::Migrate { workload: workload.clone(), source: Box::new(source) };
    let applied = migrate::apply(database, &migrations.files).await.map_err(fail)?;
    let missing = migrate::missing_tables(database, &migrations.tables).await.map_err(fail)?;
    if missing.is_empty() {
        return Ok(applied.notices);
    }
    Err(StackError::NoTables { workload: workload.clone(), tables: missing.join(", ") })
}
