//! What a run calls its clusters.

use std::fmt;

use serde::Serialize;

use crate::seed::RunId;

/// A name that kind and Docker accept: `kw-<8 hex digits>`, and a number where a run makes several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct ClusterName(String);

impl ClusterName {
    /// The name of the cluster that all suites of a run share.
    pub(crate) fn of(run: &RunId) -> Self {
        Self(format!("kw-{run}"))
    }

    /// The name of the `index`th cluster of a run that makes several.
    pub(crate) fn numbered(run: &RunId, index: usize) -> Self {
        Self(format!("kw-{run}-{index}"))
    }

    /// A name that was read back from a run's own notes.
    pub(crate) fn noted(name: String) -> Self {
        Self(name)
    }

    /// The name as kind takes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
