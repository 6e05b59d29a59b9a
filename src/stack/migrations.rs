//! Migrates a database of a stack, and looks whether what a suite expects is there.

use sqlx::postgres::PgConnectOptions;

use super::{StackError, site::Site};
use crate::{
    events::Phase,
    migrate,
    plan::{MigrationsPlan, SuitePlan},
};

/// Runs the migrations of a database of a suite, and tells what a user should know.
pub(super) async fn run(
    site: &Site,
    suite: &SuitePlan,
    database: Option<&PgConnectOptions>,
    migrations: &MigrationsPlan,
) -> Result<(), StackError> {
    let _migrate = site.events.phase(Phase::Migrate, &suite.name);
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
    if !missing.is_empty() {
        let tables = missing.join(", ");
        return Err(StackError::NoTables { workload: workload.clone(), tables });
    }
    for notice in applied.notices {
        site.events.notice(&suite.name, &notice);
    }
    Ok(())
}
