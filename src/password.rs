//! A password that nobody sees by accident.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

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

/// All passwords that a run has met, for whoever must hide them. Clones know the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Arc<Mutex<Vec<Password>>>);

impl Known {
    /// Learns passwords, as soon as they are there.
    pub(crate) fn learn<'a>(&self, passwords: impl IntoIterator<Item = &'a Password>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for password in passwords {
            if !known.contains(password) {
                known.push(password.clone());
            }
        }
    }

    /// What has been learnt by now.
    pub(crate) fn all(&self) -> Vec<Password> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
