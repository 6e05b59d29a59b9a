//! How parts of a plan look as JSON that have no look of their own.

use std::time::Duration;

use serde::Serializer;

use crate::suite::Secret;

/// Secrets as their names.
pub(super) fn secret_names<S: Serializer>(
    secrets: &[Secret],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(|secret| &secret.name))
}

/// A duration as seconds.
pub(super) fn seconds<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
