//! Where the stack of a suite lives: its namespaces, and its cluster.

use std::path::PathBuf;

use super::Suite;

impl Suite {
    /// Adds a namespace beside the suite's own, called `<suite>-<suffix>`.
    ///
    /// It is there before the first tier, labelled `kindwright/suite` as the suite's own is, and goes with the
    /// suite. An object of a manifest is put there if its `metadata.namespace` is the suffix or the whole name, and
    /// so is looked for what a reference names so, as that of a binding to a `ServiceAccount`; all others are in
    /// the suite's own. Other text is left alone: a pod finds the namespace with `$(POD_NAMESPACE)-<suffix>`. The
    /// [Secrets](Self::secret) of the suite are in its own namespace only.
    ///
    /// ```
    /// use kindwright::{Suite, Workload};
    ///
    /// // `metadata.namespace: workflows` in the manifest is `operator-workflows` in the cluster.
    /// let suite = Suite::new("operator", "operator-tests")
    ///     .namespace("workflows")
    ///     .resources("manifests/workflows-rbac.yaml")
    ///     .tier([Workload::new("operator", "manifests/operator.yaml")]);
    /// ```
    #[must_use]
    pub fn namespace(mut self, suffix: impl Into<String>) -> Self {
        self.namespaces.push(suffix.into());
        self
    }

    /// Gives it a cluster that no other suite is in, as for a controller that acts in all namespaces.
    ///
    /// A cluster costs half a minute and a part of the machine, and at most two exist at once.
    ///
    /// ```
    /// # use kindwright::Suite;
    /// let suite = Suite::new("operator", "operator-tests").own_cluster();
    /// ```
    #[must_use]
    pub fn own_cluster(mut self) -> Self {
        self.own_cluster = true;
        self
    }

    /// Names kind's configuration of its cluster (from the project's root), in place of `kind/cluster.yaml`.
    ///
    /// Suites that name the same file share a cluster, and others are in another one. The runner adds port
    /// mappings and its shared folder to each node; the rest stays as it is. With workers, pods run on those only,
    /// and what a node has counts for each of them. What `kind/cluster.yaml` patches is not in it unless it is
    /// written there: without its `syncFrequency`, for example, a node takes a minute or two to write a changed
    /// ConfigMap.
    ///
    /// ```
    /// let suite = kindwright::Suite::new("spread", "spread-tests").kind_config("kind/three-nodes.yaml");
    /// ```
    #[must_use]
    pub fn kind_config(mut self, path: impl Into<PathBuf>) -> Self {
        self.kind_config = Some(path.into());
        self
    }
}
