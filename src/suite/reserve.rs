//! Room that a suite asks for beside what its manifests do.

use super::Suite;

/// Room for pods that the cases of a suite create.
///
/// A suite is admitted to a cluster when the nodes have room for the pods of its manifests. What its cases create
/// comes later, and finds the nodes full if other suites were admitted meanwhile. So a suite says how many such pods
/// there are at a time, and what each of them requests, in the quantities of their manifests.
///
/// ```
/// use kindwright::{Reserve, Suite};
///
/// let suite = Suite::new("jobs", "job-tests")
///     .reserve(Reserve::pods(4).cpu("50m").memory("64Mi"))
///     .reserve(Reserve::pods(1).memory("0.5Gi"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    pub(crate) pods: u32,
    pub(crate) cpu: Option<String>,
    pub(crate) memory: Option<String>,
}

impl Reserve {
    /// So many pods at a time, which request nothing unless more is said.
    ///
    /// ```
    /// # use kindwright::Reserve;
    /// let reserve = Reserve::pods(4);
    /// ```
    pub fn pods(pods: u32) -> Self {
        Self { pods, cpu: None, memory: None }
    }

    /// Says how much of a core each of them requests, as `50m` or `0.5`.
    ///
    /// ```
    /// # use kindwright::Reserve;
    /// let reserve = Reserve::pods(4).cpu("50m");
    /// ```
    #[must_use]
    pub fn cpu(mut self, each: impl Into<String>) -> Self {
        self.cpu = Some(each.into());
        self
    }

    /// Says how many bytes of memory each of them requests, as `64Mi`.
    ///
    /// ```
    /// # use kindwright::Reserve;
    /// let reserve = Reserve::pods(4).cpu("50m").memory("64Mi");
    /// ```
    #[must_use]
    pub fn memory(mut self, each: impl Into<String>) -> Self {
        self.memory = Some(each.into());
        self
    }
}

impl Suite {
    /// Reserves room for pods that its cases create, beside those of its manifests.
    ///
    /// It counts when the suite is admitted to a cluster. Several add up.
    ///
    /// ```
    /// use kindwright::{Reserve, Suite};
    ///
    /// let suite = Suite::new("jobs", "job-tests").reserve(Reserve::pods(4).cpu("50m").memory("64Mi"));
    /// ```
    #[must_use]
    pub fn reserve(mut self, reserve: Reserve) -> Self {
        self.reserved.push(reserve);
        self
    }
}
