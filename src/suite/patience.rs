//! What a workload must be before it counts as ready, and how long it is waited for.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::Workload;

/// How long a workload may take unless it says otherwise.
const READY_WITHIN: Duration = Duration::from_mins(3);

/// In how many starts a container stays up, or will not: who needs a second one, or a third, because something
/// came later than he did, stays up then.
const STARTS: u32 = 3;

/// How a workload is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// How long it may take unless something says earlier that it is lost.
    pub(crate) ready_within: Duration,
    /// How many starts a container of it may need.
    pub(crate) starts: u32,
    /// What must hold beside its pods.
    pub(crate) until: Vec<Condition>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { ready_within: READY_WITHIN, starts: STARTS, until: Vec::new() }
    }
}

/// What must be so of an object before a workload counts as ready, given to [`Workload::until`].
///
/// The object may be in the manifest, or made by a controller.
///
/// ```
/// use kindwright::{Condition, Workload};
/// use serde_json::json;
///
/// let workload = Workload::new("queue", "manifests/queue.yaml")
///     .until(Condition::of(["example.io/v1", "Queue", "orders"]).is_true("Ready"))
///     .until(Condition::of(["example.io/v1", "Topic", "paid"]).matches(json!({"status": {"phase": "Bound"}})))
///     .until(Condition::of(["v1", "ConfigMap", "topics"]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The suffix of a namespace of the suite, if it is not the suite's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    /// A condition that must be true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_true: Option<String>,
    /// What must be in it.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) matches: Value,
}

impl Condition {
    /// That there is this object, given as its `apiVersion`, kind and name, in the suite's own namespace.
    ///
    /// One that belongs to no namespace is named as in the manifest.
    ///
    /// ```
    /// # use kindwright::Condition;
    /// let there = Condition::of(["v1", "ConfigMap", "topics"]);
    /// ```
    pub fn of(object: [impl Into<String>; 3]) -> Self {
        let [version, kind, name] = object.map(Into::into);
        Self { version, kind, name, namespace: None, is_true: None, matches: Value::Null }
    }

    /// Looks in the [namespace](crate::Suite::namespace) of this suffix.
    ///
    /// ```
    /// # use kindwright::Condition;
    /// let job = Condition::of(["batch/v1", "Job", "seed"]).namespace("workflows").is_true("Complete");
    /// ```
    #[must_use]
    pub fn namespace(mut self, suffix: impl Into<String>) -> Self {
        self.namespace = Some(suffix.into());
        self
    }

    /// That its status has the condition of this type with the status `True`, for its latest generation where the
    /// condition tells of which one it speaks.
    ///
    /// ```
    /// # use kindwright::Condition;
    /// let ready = Condition::of(["example.io/v1", "Queue", "orders"]).is_true("Ready");
    /// ```
    #[must_use]
    pub fn is_true(mut self, condition: impl Into<String>) -> Self {
        self.is_true = Some(condition.into());
        self
    }

    /// That every given key has the given value in it; objects may have more at every depth.
    ///
    /// ```
    /// # use kindwright::Condition;
    /// # use serde_json::json;
    /// let bound = Condition::of(["v1", "PersistentVolumeClaim", "data-shop-0"])
    ///     .matches(json!({"status": {"phase": "Bound"}}));
    /// ```
    #[must_use]
    pub fn matches(mut self, partial: Value) -> Self {
        self.matches = partial;
        self
    }

    /// The object that it is about, in words.
    pub(crate) fn object(&self) -> String {
        format!("{} `{}`", self.kind, self.name)
    }

    /// What must be so, in words.
    pub(crate) fn words(&self) -> String {
        let mut words = self.object();
        if let Some(condition) = &self.is_true {
            words = format!("{words} is {condition}");
        }
        if !self.matches.is_null() {
            words = format!("{words} matches {}", self.matches);
        }
        if self.is_true.is_none() && self.matches.is_null() {
            words.push_str(" is there");
        }
        words
    }
}

impl Workload {
    /// Says what else must hold before it counts as ready: of a custom resource, or of anything else.
    ///
    /// ```
    /// # use kindwright::{Condition, Workload};
    /// let queue = Condition::of(["example.io/v1", "Queue", "orders"]).is_true("Ready");
    /// let shop = Workload::new("shop", "manifests/shop.yaml").until(queue);
    /// ```
    #[must_use]
    pub fn until(mut self, condition: Condition) -> Self {
        self.patience.until.push(condition);
        self
    }

    /// Sets how long it may take to be ready; the default is three minutes.
    ///
    /// What is proven to be lost ends the wait at once. This is for a Job of ten minutes, or so that what should
    /// come at once is not waited for.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use kindwright::Workload;
    /// let seed = Workload::new("seed", "manifests/seed-job.yaml").ready_within(Duration::from_mins(10));
    /// ```
    #[must_use]
    pub fn ready_within(mut self, limit: Duration) -> Self {
        self.patience.ready_within = limit;
        self
    }

    /// Sets how many starts a container of it may need to stay up, because it ends for want of something that
    /// comes later; the default is three.
    ///
    /// ```
    /// # use kindwright::Workload;
    /// let shop = Workload::new("shop", "manifests/shop.yaml").starts(5);
    /// ```
    #[must_use]
    pub fn starts(mut self, starts: u32) -> Self {
        self.patience.starts = starts;
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_is_told_in_words() {
        let queue = || Condition::of(["example.io/v1", "Queue", "orders"]);
        assert_eq!(queue().words(), "Queue `orders` is there");
        assert_eq!(queue().is_true("Ready").words(), "Queue `orders` is Ready");
        let matches = queue().matches(json!({"status": {"phase": "Bound"}}));
        assert_eq!(matches.words(), r#"Queue `orders` matches {"status":{"phase":"Bound"}}"#);
    }
}
