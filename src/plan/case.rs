//! What a run knows of a case before it begins.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use super::{Inputs, overrides, serialize};
use crate::{
    events::Location,
    selection,
    suite::{Case, Suite},
};

/// A case with everything decided; its body is in the [selection](selection::Selection::case).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct CasePlan {
    /// Its name in lists, results and filters.
    pub(crate) full_name: String,
    /// Its name in its suite.
    pub(crate) name: String,
    /// By what `--label` selects it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) labels: BTreeSet<String>,
    /// How long it may take.
    #[serde(serialize_with = "serialize::seconds")]
    pub(crate) limit: Duration,
    /// Whether no other case of the suite may run at the same time.
    pub(crate) alone: bool,
    /// Whether it is declared so.
    pub(crate) ignored: bool,
    /// Why it is reported as ignored although it was selected, if it is.
    pub(crate) set_aside: Option<String>,
    /// Whether it will be judged: neither set aside, nor ignored by the command line.
    pub(crate) runs: bool,
    /// Where it is declared.
    pub(crate) place: Location,
}

/// Plans a case of a suite.
pub(super) fn plan(inputs: &Inputs<'_>, suite: &Suite, case: &Case) -> CasePlan {
    let runs_all = selection::runs_all(inputs.cli);
    let beyond = case.beyond.as_deref().filter(|_| !runs_all);
    let set_aside = beyond.and_then(|section| {
        let reason = overrides::why_real(inputs.settings, suite)?;
        Some(format!("beyond {section}, and {reason}"))
    });
    CasePlan {
        full_name: selection::full_name(suite, case),
        name: case.name.clone(),
        labels: case.labels.clone(),
        limit: suite.limit_of(case),
        alone: case.alone,
        ignored: case.ignored,
        runs: set_aside.is_none() && (runs_all || !case.ignored),
        set_aside,
        place: case.place.into(),
    }
}
