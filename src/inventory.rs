//! Reads the files that a selection names, and nothing else.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    migrate::{self, Migration},
    problem::Problem,
    selection::Selection,
    settings::Settings,
    suite::{Image, Source},
};

/// kind's configuration where the project has none of its own.
const CLUSTER: &str = include_str!("../kind/cluster.yaml");

/// Where a project's files are. Made by [`project!`](crate::project).
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
    pub fn at(root: impl AsRef<Path>) -> Self {
        let root = root.as_ref();
        Self { root: fs::canonicalize(root).unwrap_or_else(|_| root.to_owned()) }
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// What the files of a selection say, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventory {
    manifests: BTreeMap<PathBuf, Vec<Value>>,
    migrations: BTreeMap<PathBuf, Vec<Migration>>,
    /// kind's configuration.
    pub(crate) cluster: Value,
    /// Everything that could not be read.
    pub(crate) problems: Vec<Problem>,
}

impl Inventory {
    /// Reads what `selection` names below the project's root, but for what `settings` replace.
    pub(crate) fn read(project: &Project, selection: &Selection, settings: &Settings) -> Self {
        let mut inventory = Self::default();
        for suite in &selection.suites {
            let manifests = suite.workloads().map(|workload| &workload.manifest);
            for path in manifests.chain(&suite.resources) {
                inventory.read_manifest(project, path);
            }
            for migrations in suite.migrated() {
                inventory.read_migrations(project, &migrations.directory);
            }
            let images = suite.images.iter();
            let made = images.filter(|image| settings.image(image.name()).is_none());
            inventory.problems.extend(made.filter_map(absent));
        }
        inventory.read_cluster(project);
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
            cluster: serde_json::json!({"nodes": [{"role": "control-plane"}]}),
            ..Self::default()
        }
    }

    /// The objects of a manifest; none if it could not be read.
    pub(crate) fn manifest(&self, path: &Path) -> &[Value] {
        self.manifests.get(path).map_or(&[], Vec::as_slice)
    }

    /// The migrations of a directory; none if they could not be read.
    pub(crate) fn migrations(&self, directory: &Path) -> &[Migration] {
        self.migrations.get(directory).map_or(&[], Vec::as_slice)
    }

    fn read_manifest(&mut self, project: &Project, path: &Path) {
        if self.manifests.contains_key(path) {
            return;
        }
        let objects = match fs::read_to_string(project.root.join(path)) {
            Ok(text) => objects(path, &text).unwrap_or_else(|problem| {
                self.problems.push(problem);
                Vec::new()
            }),
            Err(error) => {
                self.problems.push(unreadable(path, &error));
                Vec::new()
            }
        };
        self.manifests.insert(path.to_owned(), objects);
    }

    fn read_migrations(&mut self, project: &Project, directory: &Path) {
        if self.migrations.contains_key(directory) {
            return;
        }
        let migrations =
            migrate::discover(&project.root.join(directory)).unwrap_or_else(|errors| {
                let problems = errors
                    .into_iter()
                    .map(|error| Problem::Migration { words: crate::text::chain(&error) });
                self.problems.extend(problems);
                Vec::new()
            });
        self.migrations.insert(directory.to_owned(), migrations);
    }

    fn read_cluster(&mut self, project: &Project) {
        let path = Path::new("kind/cluster.yaml");
        let text = match fs::read_to_string(project.root.join(path)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => CLUSTER.to_owned(),
            Err(error) => return self.problems.push(unreadable(path, &error)),
        };
        match serde_saphyr::from_str::<Value>(&text) {
            Ok(config) => self.cluster = config,
            Err(error) => self.problems.push(no_yaml(path, &error)),
        }
    }
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

/// The objects of a manifest's text, with Lists taken apart.
fn objects(path: &Path, text: &str) -> Result<Vec<Value>, Problem> {
    let documents =
        serde_saphyr::from_multiple::<Value>(text).map_err(|error| no_yaml(path, &error))?;
    let mut objects = Vec::new();
    for document in documents {
        match document {
            // A `---` with nothing behind it.
            empty if empty.is_null() => {}
            mut list if list["kind"] == "List" => {
                let Value::Array(items) = list["items"].take() else {
                    return Err(incomplete(
                        path,
                        objects.len(),
                        "no `items`, although it is a List",
                    ));
                };
                objects.extend(items);
            }
            object => objects.push(object),
        }
    }
    for (index, object) in objects.iter().enumerate() {
        for field in ["/apiVersion", "/kind", "/metadata/name"] {
            if !object.pointer(field).is_some_and(Value::is_string) {
                let missing = format!("no `{}`", field[1..].replace('/', "."));
                return Err(incomplete(path, index, &missing));
            }
        }
    }
    if objects.is_empty() {
        return Err(Problem::NoObjects { path: path.to_owned() });
    }
    Ok(objects)
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::Unreadable { path: path.to_owned(), words: error.to_string() }
}

fn no_yaml(path: &Path, error: &serde_saphyr::Error) -> Problem {
    let words = error.to_string().trim_start_matches("error: ").to_owned();
    Problem::NoYaml { path: path.to_owned(), words }
}

fn incomplete(path: &Path, index: usize, what: &str) -> Problem {
    Problem::NoObject { path: path.to_owned(), index: index + 1, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_may_hold_several_documents_and_lists() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: List\nitems:\n\
                    - {apiVersion: v1, kind: Service, metadata: {name: b}}\n---\n";
        let kinds: Vec<_> = objects(Path::new("x.yaml"), text).unwrap();
        assert_eq!(kinds.len(), 2);
        assert_eq!(kinds[1]["kind"], "Service");
    }

    #[test]
    fn an_object_without_a_name_is_refused_with_its_place() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n";
        let problem = objects(Path::new("x.yaml"), text).unwrap_err();
        assert_eq!(problem.to_string(), "x.yaml: object 1 has no `metadata.name`");
    }

    #[test]
    fn a_manifest_without_objects_is_refused() {
        for text in ["", "---\n", "# nothing\n", "apiVersion: v1\nkind: List\nitems: []\n"] {
            let problem = objects(Path::new("x.yaml"), text).unwrap_err();
            assert_eq!(problem.to_string(), "x.yaml has no objects");
        }
    }

    #[test]
    fn text_that_is_no_yaml_is_refused_with_its_place() {
        let problem = objects(Path::new("x.yaml"), "kind: [\n").unwrap_err();
        assert!(problem.to_string().starts_with("x.yaml is not YAML"), "{problem}");
    }
}
