//! A case with everything decided that a run must know of it, but what it does.

use std::time::Duration;

use serde::Serialize;

use crate::{
    cli::Cli,
    events::Place,
    selection,
    suite::{Case, Suite},
};

/// A case with everything decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct CasePlan {
    /// Its name in lists, results and filters.
    pub(crate) full_name: String,
    /// Its name within the suite.
    pub(crate) name: String,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// Whether no other case of its suite may run at the same time.
    pub(crate) alone: bool,
    /// Whether it is left out unless ignored cases are asked for.
    pub(crate) ignored: bool,
    /// Whether it is run, and not only named.
    pub(crate) runs: bool,
    /// Why it is reported as ignored although it was selected.
    pub(crate) set_aside: Option<String>,
    /// Where it is declared.
    pub(crate) place: Place,
}

impl CasePlan {
    /// The plan of a case of a suite whose services are `real` or not.
    pub(super) fn of(cli: &Cli, suite: &Suite, case: &Case, real: bool) -> Self {
        let set_aside = case
            .beyond
            .filter(|_| real)
            .map(|section| format!("beyond {section}, and an image of the suite is overridden"));
        Self {
            full_name: selection::full_name(suite, case),
            name: case.name.to_owned(),
            limit: case.limit,
            alone: case.alone,
            ignored: case.ignored,
            runs: set_aside.is_none() && selection::runs(cli, case),
            set_aside,
            place: Place { file: case.place.file(), line: case.place.line() },
        }
    }
}
