//! Makes names of files of names that cases, pods and nodes have.

use crate::digest::sha256_of;

/// How long such a name is at most; file systems take 255 bytes, and endings are added.
const LONGEST: usize = 200;
/// How many digits tell names apart that would become one.
const DIGITS: usize = 8;

/// A name of a file or folder that stays where it is put.
///
/// What is no letter, digit, dot, dash or underscore of ASCII becomes a dash: other characters lead
/// elsewhere, or cannot be uploaded from CI. A name that was changed ends with digits of its own.
pub(super) fn file_name(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let written: String =
        name.chars().map(|c| if allowed(c) { c } else { '-' }).take(LONGEST).collect();
    // Names that begin with a dot are hidden, or lead up.
    if written == name && !name.starts_with('.') && !name.is_empty() {
        return written;
    }
    let digits = sha256_of(name);
    let visible = written.trim_start_matches('.');
    let separator = if visible.is_empty() { "" } else { "-" };
    format!("{visible}{separator}{}", &digits[..DIGITS])
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_usual_name_stays_as_it_is() {
        for name in ["it_answers", "api-7f9c.example", "kubelet.log", "kw-0123abcd-control-plane"] {
            assert_eq!(file_name(name), name);
        }
    }

    #[test]
    fn names_that_are_written_alike_stay_apart() {
        let names = ["a/b", "a:b", "a-b", "a\nb", "", ".", "..", "...", "../a-b"];
        let written: std::collections::BTreeSet<_> = names.map(file_name).into();
        assert_eq!(written.len(), names.len());
        assert!(file_name("a/b").starts_with("a-b-"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_name_leads_anywhere_else(name in "(\\.|/|\n|\\\\|\u{0}|a|\\PC){0,300}") {
            let written = file_name(&name);
            let parts: Vec<_> = Path::new(&written).components().collect();
            prop_assert!(matches!(parts[..], [Component::Normal(_)]), "{written}");
            prop_assert!(written.len() <= LONGEST + DIGITS + 1 && !written.starts_with('.'));
        }
    }
}
