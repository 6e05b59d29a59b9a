//! Reads Kubernetes objects as JSON: what they are, which pods they make, and what these ask for.

use serde_json::Value;

mod demand;
mod image_values;
mod needs;
mod pods;
mod quantity;
mod requests;
mod scope;

pub(crate) use demand::Demand;
pub(crate) use image_values::image_values;
pub(crate) use needs::needs;
use pods::pod_path;
pub(crate) use pods::{
    containers_mut, image_of, images, pod_spec, pod_spec_mut, selector, template, template_path,
};
pub(crate) use quantity::quantity;
pub(crate) use requests::{NoQuantity, Requests, no_quantities};
pub(crate) use scope::{GroupKind, is_own};

/// The label that names the suite of an object; controllers of stand-ins go by it.
pub(crate) const SUITE: &str = "kindwright/suite";

/// The label that names the case of an object that a case made.
pub(crate) const CASE: &str = "kindwright/case";

/// The text at a path of a document, or nothing.
pub(crate) fn text_at<'a>(document: &'a Value, path: &str) -> &'a str {
    document.pointer(path).and_then(Value::as_str).unwrap_or_default()
}
