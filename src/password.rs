//! A password that nobody sees by accident.

use std::fmt;

use serde::{Serialize, Serializer};

/// What stands for a password wherever one would be shown.
const HIDDEN: &str = "(hidden)";

/// A password. It has no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    /// The password that is this text.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The password itself, for the one who must log in or redact.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::new("hunter2".into());
        assert_eq!(format!("{password:?}"), "(hidden)");
        assert_eq!(serde_json::to_string(&password).unwrap(), "\"(hidden)\"");
    }
}
