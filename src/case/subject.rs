//! What of a namespace is meant: a workload of the suite, or an object by its kind and name.

use std::fmt;

use thiserror::Error;

use super::{permission::GivenUp, waiting::Unmet};
use crate::{
    manifest::{template_path, text_at},
    plan::SuitePlan,
    stack::ServerError,
};

/// Why logs or events could not be read, or did not say what was waited for.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ReadError, ensure};
/// # use std::time::Duration;
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let log = ctx.logs("shop")?;
/// let limit = Duration::from_secs(2);
/// let found = log.until("a stack trace", limit, |line| line.text().contains("panicked")).await;
/// ensure!(matches!(found, Err(ReadError::Unmet(_))), "it panicked: {found:?}");
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The stack has no such workload.
    #[error(
        "the stack has no workload `{name}`; it has {known}; what is no workload is named with its kind, as `Pod/{name}`"
    )]
    Workload {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No object is called so.
    #[error(
        "`{name}` names no object: a kind begins with a capital letter and a name follows, as in `Pod/worker-0`"
    )]
    Object {
        /// What was asked for.
        name: String,
    },
    /// An object has no pods, and there may be no such object.
    #[error("{subject} has no pod{known}")]
    NoPod {
        /// Of what.
        subject: String,
        /// The pods that there are, in words.
        known: String,
    },
    /// The API server did not tell.
    #[error("read the {what} of {subject}")]
    Api {
        /// What was to be read.
        what: &'static str,
        /// Of what.
        subject: String,
        /// What the server said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It did not say what was waited for.
    #[error(transparent)]
    Unmet(#[from] Unmet),
    /// The case is over.
    #[error(transparent)]
    GivenUp(#[from] GivenUp),
}

/// Objects by kind and name, and what they are called together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    name: String,
    /// Whether it is known to be there, as a workload is.
    known: bool,
    objects: Vec<(String, String)>,
}

impl Subject {
    /// The workload of this name, or the object of this `Kind/name`.
    pub(super) fn of(plan: &SuitePlan, name: &str) -> Result<Self, ReadError> {
        if let Some((kind, object)) = name.split_once('/') {
            if object.is_empty() || !kind.starts_with(|first: char| first.is_ascii_uppercase()) {
                return Err(ReadError::Object { name: name.to_owned() });
            }
            return Ok(Self::object(kind, object));
        }
        let workload = plan.workloads().find(|workload| workload.name == name);
        let workload = workload.ok_or_else(|| {
            let known = plan.workloads().map(|workload| workload.name.as_str());
            let known = known.collect::<Vec<_>>().join(", ");
            ReadError::Workload { name: name.to_owned(), known }
        })?;
        let objects = workload.objects.iter().map(called).collect();
        Ok(Self { name: name.to_owned(), known: true, objects })
    }

    /// The object of this kind and name.
    pub(super) fn object(kind: &str, name: &str) -> Self {
        let objects = vec![(kind.to_owned(), name.to_owned())];
        Self { name: format!("{kind}/{name}"), known: false, objects }
    }

    /// The objects by kind and name.
    pub(super) fn objects(&self) -> &[(String, String)] {
        &self.objects
    }

    /// Whether it is known to be there, though it may have no pods.
    pub(super) fn is_known(&self) -> bool {
        self.known
    }

    /// Whether something of this kind and name is of the subject, or was made by it: pods are
    /// called after what made them, also those that are gone.
    ///
    /// `others` may have made it too; whoever has the longest name of those that fit did.
    pub(super) fn made<'a>(
        &self,
        [kind, name]: [&str; 2],
        others: impl Iterator<Item = &'a serde_json::Value>,
    ) -> bool {
        let fits = |maker: &str| name.strip_prefix(maker).is_some_and(|rest| rest.starts_with('-'));
        if self.objects.iter().any(|(its, own)| its == kind && own == name) {
            return true;
        }
        let own = self.objects.iter().filter(|(_, own)| fits(own)).map(|(_, own)| own.len());
        let others = others.filter(|other| {
            let (its, own) = (text_at(other, "/kind"), text_at(other, "/metadata/name"));
            own == name && its == kind || fits(own) && template_path(other).is_some()
        });
        let other = others.map(|other| text_at(other, "/metadata/name").len()).max();
        own.max().is_some_and(|own| other.is_none_or(|other| other <= own))
    }

    /// What went wrong when the server was asked.
    pub(super) fn unread(&self, what: &'static str, error: kube::Error) -> ReadError {
        let source = Box::new(ServerError::from(error));
        ReadError::Api { what, subject: self.to_string(), source }
    }
}

fn called(object: &serde_json::Value) -> (String, String) {
    (text_at(object, "/kind").to_owned(), text_at(object, "/metadata/name").to_owned())
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn deployment(name: &str) -> Value {
        json!({"kind": "Deployment", "metadata": {"name": name}})
    }

    fn subject(objects: &[Value]) -> Subject {
        Subject {
            name: "it".to_owned(),
            known: true,
            objects: objects.iter().map(called).collect(),
        }
    }

    #[test]
    fn what_is_called_after_the_objects_of_a_subject_was_made_by_it() {
        let all = [deployment("shop"), deployment("shop-store")];
        let made = |own: usize, kind, name| {
            let subject = subject(std::slice::from_ref(&all[own]));
            subject.made([kind, name], all.iter())
        };
        assert!(made(0, "Deployment", "shop"));
        assert!(made(0, "Pod", "shop-5d4f-x7k2p"));
        assert!(!made(0, "Pod", "shop-store-5d4f-x7k2p"));
        assert!(made(1, "Pod", "shop-store-5d4f-x7k2p"));
        assert!(!made(0, "Pod", "shopping-5d4f-x7k2p"));
        assert!(!made(0, "Deployment", "shop-store"));
    }

    #[test]
    fn an_object_of_the_same_name_and_another_kind_is_another() {
        let subject = subject(&[json!({"kind": "ConfigMap", "metadata": {"name": "shop"}})]);
        assert!(subject.made(["ConfigMap", "shop"], [deployment("shop")].iter()));
        assert!(!subject.made(["Deployment", "shop"], [deployment("shop")].iter()));
    }
}
