//! Why something could not be done with the object of a case.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::{case::permission::GivenUp, text::shortened};

/// How much of an object a message shows, in characters.
const SHOWN: usize = 1500;

/// Why something could not be done with an object.
#[derive(Debug, Error)]
pub enum ObjectsError {
    /// It would not be the case's own.
    #[error(
        "{kind} `{name}` is for namespace `{namespace}`, which is not the case's own; leave `metadata.namespace` out, or use `Objects::beside`"
    )]
    Foreign {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// The namespace that it names.
        namespace: String,
    },
    /// It would be seen by every suite.
    #[error("{kind} belongs to the whole cluster; declare it with `Suite::resources`")]
    ClusterScoped {
        /// Its kind.
        kind: String,
    },
    /// It is not an object.
    #[error(
        "an object has an `apiVersion`, a `kind` and a `metadata.name`, and this has not: {shown}"
    )]
    Shapeless {
        /// What there is.
        shown: String,
    },
    /// The case is over.
    #[error(transparent)]
    GivenUp(#[from] GivenUp),
    /// The namespace could not be made.
    #[error("make the namespace `{namespace}` of the case")]
    Namespace {
        /// Its name.
        namespace: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The API server refused.
    #[error("{what} {kind} `{name}` in namespace `{namespace}`")]
    Api {
        /// What was to be done.
        what: &'static str,
        /// The kind of object.
        kind: String,
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// What the server said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Time ran out.
    #[error("{kind} `{name}`: {what} did not happen within {} s ({looks} looks); last seen:\n{last}", limit.as_secs())]
    Late {
        /// The kind of object.
        kind: String,
        /// Its name.
        name: String,
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// How many versions of it were looked at.
        looks: usize,
        /// The latest of them.
        last: String,
    },
}

/// An object for a message, without what the server keeps for itself.
pub(super) fn shown(object: &Value) -> String {
    if object.is_null() {
        return "no such object".to_owned();
    }
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    let text = format!("{object:#}");
    shortened(&text, SHOWN)
}
