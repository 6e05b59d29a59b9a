//! Everything that a plan is made from.

use std::collections::BTreeMap;

use super::reused::Reused;
use crate::{
    cli::Cli, durations::Took, inventory::Inventory, seed::Seed, selection::Selection,
    settings::Settings, suite::Suite,
};

/// Everything that a plan is made from.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) settings: &'a Settings,
    /// All suites, selected or not.
    pub(crate) suites: &'a [Suite],
    pub(crate) selection: &'a Selection,
    pub(crate) inventory: &'a Inventory,
    pub(crate) seed: &'a Seed,
    /// How long suites took in earlier runs, by name.
    pub(crate) durations: &'a BTreeMap<String, Took>,
    /// With `--reuse`.
    pub(crate) reused: Option<&'a Reused>,
}
