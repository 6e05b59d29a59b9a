//! Why something could not be done with the object of a case.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::{case::permission::GivenUp, text::shortened, wait::History};

/// How much of an object a message shows, in characters.
const SHOWN: usize = 1500;

/// Why something could not be done with an object.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, Failure, ObjectsError, ensure};
/// # use serde_json::json;
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let wish = json!({"apiVersion": "shop.example.com/v1", "kind": "Order", "metadata": {"name": "Tea"}});
/// let Err(ObjectsError::Api { source, .. }) = ctx.objects().create(wish).await else {
///     return Err(Failure::new("a name in capitals was taken"));
/// };
/// ensure!(source.to_string().contains("metadata.name"), "the server says: {source}");
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
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
    /// It is not called after the case, and belongs to no namespace.
    #[error(
        "{kind} `{name}` belongs to the whole cluster, so it must be called after the case: `{own}`, as `Objects::own_name` makes it; what a whole suite needs is declared with `Suite::resources`"
    )]
    ClusterScoped {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// A name for it.
        own: String,
    },
    /// Namespaces are not made as objects.
    #[error(
        "a Namespace is made with its first object, or by `Objects::make_namespace`: use `Objects::beside`, or `Objects::fixed` for one that must be called `{name}`"
    )]
    NamespaceObject {
        /// Its name.
        name: String,
    },
    /// The suite's own objects are for reading.
    #[error(
        "the objects of namespace `{namespace}` are the suite's own, and for reading; make those of a case with `Ctx::objects`, or in a namespace that the suite declares"
    )]
    ReadOnly {
        /// The namespace.
        namespace: String,
    },
    /// The suite does not declare such a namespace.
    #[error(
        "the suite declares no namespace `{name}`; it declares {known}; add `.namespace({name:?})` to it"
    )]
    Undeclared {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// There is such a namespace, and it is no case's.
    #[error("the namespace `{name}` is there, and was made by no case; choose another name")]
    Taken {
        /// Its name.
        name: String,
    },
    /// Fixed names are taken in another order.
    #[error(
        "ask for the namespace `{name}` before `{held}`: cases that hold several take them in the order of the alphabet, so that no two wait for each other"
    )]
    Order {
        /// The name that is asked for.
        name: String,
        /// The name that is held.
        held: String,
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
    #[error(
        "{kind} `{name}`: {what} did not happen within {} s ({} looks); changes:{history}\nlast seen:\n{last}",
        limit.as_secs(),
        history.looks()
    )]
    Late {
        /// The kind of object.
        kind: String,
        /// Its name.
        name: String,
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// How it changed in the meantime.
        history: Box<History>,
        /// What it was at last.
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
