//! How parts of a plan look as JSON that have no look of their own.

use std::time::Duration;

use serde::{Serialize as _, Serializer};
use serde_json::{Value, json};

use crate::{manifest::text_at, suite::Secret};

/// Secrets as their names.
pub(super) fn secret_names<S: Serializer>(
    secrets: &[Secret],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(|secret| &secret.name))
}

/// Objects as what they are and what they are called.
pub(super) fn object_names<S: Serializer>(
    objects: &[Value],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(objects.iter().map(|object| {
        json!({"kind": text_at(object, "/kind"), "name": text_at(object, "/metadata/name")})
    }))
}

/// A duration as seconds.
pub(super) fn seconds<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// A duration as seconds, if there is one.
#[expect(clippy::ref_option, reason = "serde hands it so")]
pub(super) fn seconds_if<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}
