//! What stands where a secret was.

/// The mark itself, which every step of the cleaning leaves as it is.
pub(super) const HIDDEN: &str = "[redacted]";

/// Cleans what lies between marks.
pub(super) fn between(text: &str, clean: impl Fn(&str) -> String) -> String {
    text.split(HIDDEN).map(clean).collect::<Vec<_>>().join(HIDDEN)
}
