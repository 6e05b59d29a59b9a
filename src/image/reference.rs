//! The names of images: those of a run, and those of a content.

use std::fmt;

use serde::Serialize;

/// What every reference of a run begins with: no registry can answer for it.
const REGISTRY: &str = "localhost/";

/// How many digits of an image's id name its content.
const DIGITS: usize = 32;

/// The name of an image of one run: `localhost/{infrastructure}:{consumer}-{tag}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Reference(String);

impl Reference {
    /// The name of `infrastructure` for `consumer` in the run that drew `tag`.
    ///
    /// The plan has checked the names, and the tag has no `-`.
    pub(crate) fn new(infrastructure: &str, consumer: &str, tag: &str) -> Self {
        Self(format!("{REGISTRY}{infrastructure}:{consumer}-{tag}"))
    }

    /// The whole reference, as manifests and Docker take it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that manifests use before it is pinned.
    pub(crate) fn infrastructure(&self) -> &str {
        let (repository, _) = self.parts();
        repository.strip_prefix(REGISTRY).unwrap_or(repository)
    }

    /// Repository and tag.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once(':').unwrap_or((&self.0, ""))
    }

    /// Whether `other` names the same image for the same consumer, of whatever run.
    pub(crate) fn is_kin_of(&self, other: &str) -> bool {
        let family = |reference| str::rsplit_once(reference, '-').map(|(family, _)| family);
        family(&self.0) == family(other)
    }

    /// A name that is known to name the same content in the nodes.
    pub(crate) fn known(reference: &str) -> Self {
        Self(reference.to_owned())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name that a node gives to the content of the image `id`, whatever the run.
pub(crate) fn content_name(id: &str) -> String {
    let digits = id.rsplit_once(':').map_or(id, |(_, digits)| digits);
    let end = digits.len().min(DIGITS);
    format!("{REGISTRY}kindwright:{}", &digits[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_infrastructure_consumer_and_run() {
        let reference = Reference::new("datastorage", "holmesgpt-api", "0a1b2c3d");
        assert_eq!(reference.to_string(), "localhost/datastorage:holmesgpt-api-0a1b2c3d");
        assert_eq!(reference.parts(), ("localhost/datastorage", "holmesgpt-api-0a1b2c3d"));
        assert_eq!(reference.infrastructure(), "datastorage");
    }

    #[test]
    fn kin_differ_in_the_run_alone() {
        let reference = Reference::new("datastorage", "api", "0a1b2c3d");
        assert!(reference.is_kin_of("localhost/datastorage:api-99999999"));
        assert!(!reference.is_kin_of("localhost/datastorage:holmesgpt-api-99999999"));
        assert!(!reference.is_kin_of("localhost/gateway:api-99999999"));
    }

    #[test]
    fn a_content_is_named_by_the_first_half_of_its_digest() {
        let id = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        assert_eq!(content_name(id), "localhost/kindwright:00112233445566778899aabbccddeeff");
    }
}
