//! What the environment says, and the only reader of it.
//!
//! A value in the environment wins over the same name in the project's
//! git-ignored `.kindwright.env`, which `make setup` may have written.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::{Path, PathBuf},
};

mod error;
mod file;

pub(crate) use error::SettingsError;

use crate::password::Password;

/// The beginnings of settings that end with a name, see [`override_name`].
pub(crate) const IMAGE: &str = "KINDWRIGHT_IMAGE_";
pub(crate) const MIGRATIONS: &str = "KINDWRIGHT_MIGRATIONS_";
pub(crate) const PASSWORD: &str = "KINDWRIGHT_PASSWORD_";

/// Everything that a run takes from its surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `KIND_NODE_IMAGE`: the node image; kind's own default without it.
    pub(crate) node_image: Option<String>,
    /// `KINDWRIGHT_IMAGE_<NAME>`: references by the name in capitals.
    pub(crate) images: BTreeMap<String, String>,
    /// Those of them that are in the environment, not in the file that serves all projects' suites.
    pub(crate) typed_images: BTreeSet<String>,
    /// `KINDWRIGHT_MIGRATIONS_<NAME>`: directories by the name of the workload in capitals.
    pub(crate) migrations: BTreeMap<String, PathBuf>,
    /// `KINDWRIGHT_PASSWORD_<NAME>`: passwords by the name in capitals, for foreign clients that
    /// know no other; the rest is drawn at random.
    pub(crate) passwords: BTreeMap<String, Password>,
    /// `KINDWRIGHT_HOST_PORTS`: which ports of this machine a cluster takes.
    pub(crate) host_ports: HostPorts,
    /// `DOCKER_HOST`: where the Docker daemon is.
    pub(crate) docker_host: Option<String>,
    /// `KINDWRIGHT_CACHE`: whether what was built is left for the next run; on unless `CI` is set.
    pub(crate) cache: bool,
    /// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in capitals or not: what pulls and builds go through.
    pub(crate) proxy: BTreeMap<String, String>,
    /// `XDG_STATE_HOME` or its default: where ledgers are kept.
    pub(crate) ledgers: PathBuf,
    /// `CARGO_TARGET_DIR`: where evidence goes.
    pub(crate) target: Option<PathBuf>,
    /// `RUST_TEST_THREADS`: how many cases may run at once.
    pub(crate) test_threads: Option<String>,
    /// `NEXTEST`: whether cargo-nextest is the caller.
    pub(crate) nextest: bool,
    /// `PATH` and `HOME`, for the janitor, whose environment is otherwise empty.
    pub(crate) inherited: Vec<(String, String)>,
}

/// Which ports of this machine a cluster takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HostPorts {
    /// Docker chooses free ones.
    #[default]
    Free,
    /// The ones that the suites document.
    Fixed,
}

impl Settings {
    /// Reads the environment, and the settings file in `root` below it.
    pub(crate) fn read(root: Option<&Path>) -> Result<Self, SettingsError> {
        let mut variables = match root {
            Some(root) => file::read(root)?,
            None => BTreeMap::new(),
        };
        let typed: BTreeMap<_, _> = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = |name: &String| Some(name.strip_prefix(IMAGE)?.to_owned());
        let typed_images = typed.keys().filter_map(named).collect();
        variables.extend(typed);
        Ok(Self { typed_images, ..Self::of(&variables)? })
    }

    fn of(variables: &BTreeMap<String, String>) -> Result<Self, SettingsError> {
        let get = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        let named = |beginning: &str| {
            let pairs = variables.iter().filter(|(_, value)| !value.is_empty());
            let pairs: Vec<(String, String)> = pairs
                .filter_map(|(name, value)| {
                    Some((name.strip_prefix(beginning)?.to_owned(), value.clone()))
                })
                .collect();
            pairs.into_iter()
        };
        let known = |name: &String| {
            let beginnings = [IMAGE, MIGRATIONS, PASSWORD];
            beginnings.iter().any(|beginning| name.starts_with(beginning))
                || KNOWN.contains(&name.as_str())
        };
        let mut ours = variables.keys().filter(|name| name.starts_with("KINDWRIGHT_"));
        if let Some(name) = ours.find(|name| !known(name)) {
            return Err(SettingsError::Unknown { name: name.clone() });
        }
        let host_ports = match get("KINDWRIGHT_HOST_PORTS").as_deref() {
            None | Some("free") => HostPorts::Free,
            Some("fixed") => HostPorts::Fixed,
            Some(value) => {
                return Err(SettingsError::Value {
                    name: "KINDWRIGHT_HOST_PORTS",
                    value: value.to_owned(),
                    expected: "`free` or `fixed`",
                });
            }
        };
        let cache = match get("KINDWRIGHT_CACHE").as_deref() {
            None => get("CI").is_none(),
            Some("on") => true,
            Some("off") => false,
            Some(value) => {
                return Err(SettingsError::Value {
                    name: "KINDWRIGHT_CACHE",
                    value: value.to_owned(),
                    expected: "`on` or `off`",
                });
            }
        };
        let ledgers = get("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| get("HOME").map(|home| Path::new(&home).join(".local/state")))
            .ok_or(SettingsError::NoHome)?
            .join("kindwright");
        Ok(Self {
            node_image: get("KIND_NODE_IMAGE"),
            images: named(IMAGE).collect(),
            typed_images: BTreeSet::new(),
            migrations: named(MIGRATIONS)
                .map(|(name, directory)| (name, PathBuf::from(directory)))
                .collect(),
            passwords: named(PASSWORD)
                .map(|(name, password)| (name, Password::new(password)))
                .collect(),
            host_ports,
            docker_host: get("DOCKER_HOST"),
            cache,
            proxy: PROXY
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), get(name)?)))
                .collect(),
            ledgers,
            target: get("CARGO_TARGET_DIR").map(PathBuf::from),
            test_threads: get("RUST_TEST_THREADS"),
            nextest: get("NEXTEST").is_some(),
            inherited: ["PATH", "HOME"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), get(name)?)))
                .collect(),
        })
    }

    /// The directory that replaces the migrations of this workload, if any.
    pub(crate) fn migrations(&self, workload: &str) -> Option<PathBuf> {
        self.migrations.get(&override_name(workload)).cloned()
    }

    /// The reference that replaces the image of this name, if any.
    pub(crate) fn image(&self, name: &str) -> Option<&str> {
        self.images.get(&override_name(name)).map(String::as_str)
    }
}

/// Names that begin like ours and do not end with a name.
///
/// `KINDWRIGHT_RUN` marks the children of a run, so that they can be found.
const KNOWN: [&str; 3] = ["KINDWRIGHT_CACHE", "KINDWRIGHT_HOST_PORTS", "KINDWRIGHT_RUN"];

/// The names of a proxy, as programs read them.
const PROXY: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

/// The `<NAME>` in variables that stands for the name of an image, a workload or a password.
pub(crate) fn override_name(name: &str) -> String {
    name.to_uppercase().replace(['-', '.', ':'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let home = [("HOME", "/home/ada")];
        let variables = home.iter().chain(pairs);
        Settings::of(
            &variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn an_image_is_overridden_by_its_name_in_capitals() {
        let settings = of(&[("KINDWRIGHT_IMAGE_HOLMESGPT_API", "hapi:1")]).unwrap();
        assert_eq!(settings.image("holmesgpt-api"), Some("hapi:1"));
        assert_eq!(settings.image("datastorage"), None);
    }

    #[test]
    fn migrations_are_replaced_by_the_name_of_their_workload() {
        let settings = of(&[("KINDWRIGHT_MIGRATIONS_POSTGRESQL", "/real")]).unwrap();
        assert_eq!(settings.migrations["POSTGRESQL"], Path::new("/real"));
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        let error = of(&[("KINDWRIGHT_HOST_PORT", "fixed")]).unwrap_err();
        assert!(error.to_string().starts_with("`KINDWRIGHT_HOST_PORT` is not a setting"));
        let settings = of(&[("KINDWRIGHT_PASSWORD_DATABASE", "tea")]).unwrap();
        assert_eq!(settings.passwords["DATABASE"].reveal(), "tea");
        assert!(!format!("{settings:?}").contains("tea"), "it is a secret");
        let error = of(&[("KINDWRIGHT_HOST_PORTS", "fix")]).unwrap_err();
        assert_eq!(error.to_string(), "`KINDWRIGHT_HOST_PORTS=fix`: expected `free` or `fixed`");
    }

    #[test]
    fn the_ledger_has_a_place_in_the_state_directory() {
        assert_eq!(of(&[]).unwrap().ledgers, Path::new("/home/ada/.local/state/kindwright"));
        let settings = of(&[("XDG_STATE_HOME", "/state")]).unwrap();
        assert_eq!(settings.ledgers, Path::new("/state/kindwright"));
    }

    #[test]
    fn what_was_built_is_left_for_the_next_run_unless_that_is_a_pipelines() {
        assert!(of(&[]).unwrap().cache);
        assert!(!of(&[("CI", "true")]).unwrap().cache);
        assert!(of(&[("CI", "true"), ("KINDWRIGHT_CACHE", "on")]).unwrap().cache);
        assert!(!of(&[("KINDWRIGHT_CACHE", "off")]).unwrap().cache);
        let error = of(&[("KINDWRIGHT_CACHE", "yes")]).unwrap_err();
        assert_eq!(error.to_string(), "`KINDWRIGHT_CACHE=yes`: expected `on` or `off`");
    }

    #[test]
    fn a_proxy_is_known_by_its_names_in_capitals_or_not() {
        let settings =
            of(&[("HTTPS_PROXY", "http://proxy"), ("no_proxy", "local"), ("http_proxy", "")]);
        let known = [("HTTPS_PROXY", "http://proxy"), ("no_proxy", "local")];
        let known = known.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(settings.unwrap().proxy, BTreeMap::from(known));
    }
}
