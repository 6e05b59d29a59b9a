//! A run from its first effect to its verdict.

use super::Refusal;
use crate::{
    cli::Cli,
    inventory::Project,
    plan::{Plan, Reused},
    report::Verdict,
    selection::Selection,
    settings::Settings,
};

/// What a live run takes from before it began.
pub(super) struct Live<'a> {
    pub(super) cli: &'a Cli,
    pub(super) project: &'a Project,
    pub(super) selection: &'a Selection,
    pub(super) settings: &'a Settings,
    pub(super) threads: usize,
}

impl Live<'_> {
    /// Carries the plan out, and undoes what it made.
    pub(super) async fn run(
        &self,
        _plan: Plan,
        _reused: Option<&Reused>,
    ) -> Result<Verdict, Refusal> {
        Ok(Verdict::NothingJudged)
    }
}
