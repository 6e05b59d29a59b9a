//! Reads the files that a selection names, and nothing else.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

mod authorities;
mod cluster_file;
mod manifests;

pub(crate) use cluster_file::OwnMapping;

use crate::{
    manifest,
    migrate::{self, Migration},
    problem::Problem,
    selection::Selection,
    settings::Settings,
    suite::{Ca, Image, Source, Suite},
    text::chain,
};

/// Where a project's files are. Made by [`project!`](crate::project).
///
/// ```
/// let project = kindwright::Project::at("/srv/shop");
/// assert_eq!(project.root(), std::path::Path::new("/srv/shop"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    root: PathBuf,
}

/// The project of the crate that calls it, or a directory relative to that crate.
///
/// ```
/// let project = kindwright::project!();
/// let above = kindwright::project!("../..");
/// ```
#[macro_export]
macro_rules! project {
    () => {
        $crate::Project::at(env!("CARGO_MANIFEST_DIR"))
    };
    ($relative:literal) => {
        $crate::Project::at(concat!(env!("CARGO_MANIFEST_DIR"), "/", $relative))
    };
}

impl Project {
    /// The project whose files are below `root`.
    ///
    /// ```
    /// // For files that lie neither with the crate nor at a fixed path from it.
    /// let project = kindwright::Project::at(std::env::temp_dir());
    /// ```
    pub fn at(root: impl AsRef<Path>) -> Self {
        let root = root.as_ref();
        Self { root: fs::canonicalize(root).unwrap_or_else(|_| root.to_owned()) }
    }

    /// Its root.
    ///
    /// ```
    /// let project = kindwright::project!();
    /// assert!(project.root().join("Cargo.toml").exists());
    /// ```
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// What the files of a selection say, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    manifests: BTreeMap<PathBuf, Vec<Value>>,
    migrations: BTreeMap<PathBuf, Vec<Migration>>,
    /// Certificates of authorities, in PEM.
    authorities: BTreeMap<PathBuf, String>,
    /// kind's configurations, by their files.
    clusters: BTreeMap<PathBuf, Value>,
    /// Everything that could not be read.
    pub(crate) problems: Vec<Problem>,
}

impl Inventory {
    /// Reads what `selection` names below the project's root, but for what `settings` replace.
    pub(crate) fn read(project: &Project, selection: &Selection, settings: &Settings) -> Self {
        let mut inventory = Self::default();
        for suite in &selection.suites {
            for path in manifests(suite) {
                inventory.read_manifest(project, path);
            }
            for (_, endpoint) in suite.endpoints() {
                if let Some(Ca::File(path)) = &endpoint.ca {
                    inventory.read_authorities(project, path);
                }
            }
            for migrations in suite.migrated() {
                inventory.read_migrations(project, &migrations.directory);
            }
            let images = suite.images.iter().filter(|image| inventory.needs(suite, image));
            let made = images.filter(|image| settings.image(image.name()).is_none());
            let absent: Vec<_> = made.filter_map(absent).collect();
            inventory.problems.extend(absent);
            inventory.read_cluster(project, suite);
        }
        inventory
    }

    /// An inventory of one manifest.
    #[cfg(test)]
    pub(crate) fn of(path: &str, objects: Vec<Value>) -> Self {
        Self::of_all([(path.to_owned(), objects)])
    }

    /// An inventory of some manifests.
    #[cfg(test)]
    pub(crate) fn of_all(manifests: impl IntoIterator<Item = (String, Vec<Value>)>) -> Self {
        let manifests = manifests.into_iter();
        Self {
            manifests: manifests.map(|(path, objects)| (PathBuf::from(path), objects)).collect(),
            ..Self::default()
        }
        .configured(cluster_file::PATH, &[])
    }

    /// The same with a configuration of a cluster, of a control plane and nodes of these roles.
    #[cfg(test)]
    pub(crate) fn configured(mut self, path: &str, others: &[&str]) -> Self {
        let roles = std::iter::once(&"control-plane").chain(others);
        let nodes: Vec<_> = roles.map(|role| serde_json::json!({"role": role})).collect();
        self.clusters.insert(PathBuf::from(path), serde_json::json!({"nodes": nodes}));
        self
    }

    /// The same with one more manifest.
    #[cfg(test)]
    pub(crate) fn and(mut self, path: &str, objects: Vec<Value>) -> Self {
        self.manifests.insert(PathBuf::from(path), objects);
        self
    }

    /// What the project's own configuration of clusters says.
    #[cfg(test)]
    pub(crate) fn project_cluster(&mut self) -> &mut Value {
        self.clusters.entry(PathBuf::from(cluster_file::PATH)).or_default()
    }

    /// The objects of a manifest; none if it could not be read.
    pub(crate) fn manifest(&self, path: &Path) -> &[Value] {
        self.manifests.get(path).map_or(&[], Vec::as_slice)
    }

    /// The objects of all manifests of a suite.
    pub(crate) fn objects<'a>(
        &'a self,
        suite: &'a Suite,
    ) -> impl Iterator<Item = &'a Value> + Clone {
        manifests(suite).flat_map(|path| self.manifest(path))
    }

    /// Whether a suite needs one of its images: a manifest names it, or cases use it.
    pub(crate) fn needs(&self, suite: &Suite, image: &Image) -> bool {
        let mut named = self.objects(suite).flat_map(manifest::images);
        image.is_for_cases() || named.any(|name| name == image.name())
    }

    /// The migrations of a directory; none if they could not be read.
    pub(crate) fn migrations(&self, directory: &Path) -> &[Migration] {
        self.migrations.get(directory).map_or(&[], Vec::as_slice)
    }

    /// The certificates of a file, in PEM; none if they could not be read.
    pub(crate) fn authorities(&self, path: &Path) -> &str {
        self.authorities.get(path).map_or("", String::as_str)
    }

    /// kind's configuration of the cluster of a suite, or nothing if it could not be read.
    pub(crate) fn cluster(&self, suite: &Suite) -> &Value {
        self.clusters.get(cluster_file(suite)).unwrap_or(&Value::Null)
    }

    /// The ports of nodes that the cluster of a suite maps to this machine by itself.
    pub(crate) fn own_mappings(&self, suite: &Suite) -> impl Iterator<Item = OwnMapping> {
        cluster_file::mappings(self.cluster(suite))
    }

    fn read_manifest(&mut self, project: &Project, path: &Path) {
        if self.manifests.contains_key(path) {
            return;
        }
        let objects = match fs::read_to_string(project.root.join(path)) {
            Ok(text) => manifests::objects(path, &text).unwrap_or_else(|problem| {
                self.problems.push(problem);
                Vec::new()
            }),
            Err(error) => {
                self.problems.push(unreadable(project, path, &error));
                Vec::new()
            }
        };
        self.manifests.insert(path.to_owned(), objects);
    }

    fn read_authorities(&mut self, project: &Project, path: &Path) {
        if self.authorities.contains_key(path) {
            return;
        }
        let text = authorities::read(project, path).unwrap_or_else(|problem| {
            self.problems.push(problem);
            String::new()
        });
        self.authorities.insert(path.to_owned(), text);
    }

    fn read_migrations(&mut self, project: &Project, directory: &Path) {
        if self.migrations.contains_key(directory) {
            return;
        }
        let migrations =
            migrate::discover(&project.root.join(directory)).unwrap_or_else(|errors| {
                let problems =
                    errors.into_iter().map(|error| Problem::Migration { words: chain(&error) });
                self.problems.extend(problems);
                Vec::new()
            });
        self.migrations.insert(directory.to_owned(), migrations);
    }

    fn read_cluster(&mut self, project: &Project, suite: &Suite) {
        let path = cluster_file(suite);
        if self.clusters.contains_key(path) {
            return;
        }
        let text = match fs::read_to_string(project.root.join(path)) {
            Ok(text) => Ok(text),
            // A project may have none, but for what it names.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && suite.kind_config.is_none() =>
            {
                Ok(cluster_file::DEFAULT.to_owned())
            }
            Err(error) => Err(unreadable(project, path, &error)),
        };
        let config = text.and_then(|text| cluster_file::parse(path, &text));
        let config = config.unwrap_or_else(|problem| {
            self.problems.push(problem);
            Value::Null
        });
        self.clusters.insert(path.to_owned(), config);
    }
}

/// Where kind's configuration of the cluster of a suite is, from the project's root.
pub(crate) fn cluster_file(suite: &Suite) -> &Path {
    suite.kind_config.as_deref().unwrap_or(Path::new(cluster_file::PATH))
}

fn manifests(suite: &Suite) -> impl Iterator<Item = &PathBuf> + Clone {
    let deployed = suite.workloads().map(|workload| &workload.manifest);
    deployed.chain(&suite.resources)
}

/// What an image is made from, if it is not there.
fn absent(image: &Image) -> Option<Problem> {
    let name = image.name().to_owned();
    match image.source() {
        Source::Program { path, .. } if !path.is_file() => {
            Some(Problem::Program { image: name, path: path.clone() })
        }
        Source::Dockerfile { context, file } if !context.join(file).is_file() => {
            Some(Problem::Dockerfile { image: name, path: context.join(file) })
        }
        Source::Program { .. } | Source::Dockerfile { .. } | Source::Reference(_) => None,
    }
}

/// A file that a suite names and that cannot be read, as it was looked for.
fn unreadable(project: &Project, path: &Path, error: &io::Error) -> Problem {
    let step = if error.kind() == io::ErrorKind::NotFound {
        "paths are from the project's root"
    } else {
        "let it be a file that this user may read"
    };
    Problem::Unreadable { path: project.root.join(path), words: error.to_string(), step }
}
