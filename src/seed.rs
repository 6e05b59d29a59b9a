//! All random values of a run, drawn once.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::Serialize;
use uuid::Uuid;

use crate::{
    password::Password,
    selection::Selection,
    settings::{Settings, override_name},
    suite::{Secret, Suite},
};

/// The name of a run: 8 hexadecimal digits of a random UUID.
///
/// It marks everything that the run makes: cluster, network, image tags, notes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct RunId(String);

/// The random values of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    /// The run, whose digits are the tag of its images too.
    pub(crate) run: RunId,
    /// By suite and name.
    passwords: BTreeMap<(String, String), Password>,
}

impl Seed {
    /// Draws what the selection needs, except passwords that are fixed by a setting.
    pub(crate) fn draw(selection: &Selection, settings: &Settings) -> Self {
        let digits = Uuid::new_v4().simple().to_string();
        let mut seed = Self::of(&digits[..8], selection);
        for ((_, name), password) in &mut seed.passwords {
            if let Some(fixed) = settings.passwords.get(&override_name(name)) {
                password.clone_from(fixed);
            }
        }
        seed
    }

    /// The seed of a run of this name.
    #[cfg(test)]
    pub(crate) fn fixed(run: &str, selection: &Selection) -> Self {
        Self { passwords: BTreeMap::new(), ..Self::of(run, selection) }
    }

    fn of(run: &str, selection: &Selection) -> Self {
        let names = selection.suites.iter().flat_map(|suite| {
            let names = suite.secrets.iter().flat_map(Secret::passwords);
            names.map(|name| (suite.name.clone(), name.to_owned()))
        });
        Self {
            run: RunId(run.to_owned()),
            passwords: names
                .map(|key| (key, Password::new(Uuid::new_v4().simple().to_string())))
                .collect(),
        }
    }

    /// The passwords of a suite, by name.
    pub(crate) fn passwords(&self, suite: &Suite) -> BTreeMap<String, Password> {
        self.passwords
            .iter()
            .filter(|((owner, _), _)| *owner == suite.name)
            .map(|((_, name), password)| (name.clone(), password.clone()))
            .collect()
    }
}

impl RunId {
    /// The 8 digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("kw-").unwrap_or(text);
        let hexadecimal = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if digits.len() == 8 && hexadecimal {
            Ok(Self(digits.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not a run; a run is 8 hexadecimal digits, `kindwright ps` lists them"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_digits_or_its_cluster() {
        assert_eq!("kw-0a1b2c3d".parse(), Ok(RunId("0a1b2c3d".into())));
        assert!("0A1B2C3D".parse::<RunId>().is_err());
        assert!("../../etc".parse::<RunId>().is_err());
    }
}
