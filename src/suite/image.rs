//! The images of a suite, as it declares them.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// An image that a suite's manifests may name.
///
/// It is built and brought to the cluster if a manifest of the suite names it, or if it is
/// [for cases](Self::for_cases).
///
/// ```
/// use kindwright::Image;
///
/// let shop = Image::dockerfile("shop", "images/shop");
/// let till = Image::program("till", "target/debug/till", ["serve"]);
/// let database = Image::reference("postgresql", "docker.io/library/postgres:16-alpine");
/// let job = Image::dockerfile("restock", "images/restock").for_cases();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    name: String,
    source: Source,
    for_cases: bool,
    beyond: bool,
}

/// Where an image comes from.
///
/// ```
/// use kindwright::{Image, suite::Source};
///
/// let image = Image::reference("postgresql", "docker.io/library/postgres:16-alpine");
/// assert!(matches!(image.source(), Source::Reference(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Source {
    /// A program of this machine, packed with nothing but what it needs to start.
    Program {
        /// The program.
        path: PathBuf,
        /// Its first arguments; those of a manifest follow them.
        arguments: Vec<String>,
    },
    /// A Dockerfile and its context.
    Dockerfile {
        /// The directory that is sent to the daemon, but for what `.dockerignore` names.
        context: PathBuf,
        /// The Dockerfile, relative to the context.
        file: PathBuf,
    },
    /// An image that exists in the daemon or in a registry.
    Reference(String),
}

impl Image {
    /// The program at `path` (from the project's root), packed from scratch; `name` is what
    /// manifests call it.
    ///
    /// ```
    /// # use kindwright::Image;
    /// let image = Image::program("shop", "target/debug/shop", ["serve", "--verbose"]);
    /// ```
    pub fn program<A: Into<String>>(
        name: impl Into<String>,
        path: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self::of(name.into(), Source::Program { path: path.into(), arguments })
    }

    /// What the `Dockerfile` in `context` (from the project's root) builds: its last stage, with no arguments but those of
    /// proxies. Build what needs more yourself, and name it by [`reference`](Self::reference).
    ///
    /// ```
    /// # use kindwright::Image;
    /// let image = Image::dockerfile("shop", "images/shop"); // `image: localhost/shop` in manifests
    /// ```
    pub fn dockerfile(name: impl Into<String>, context: impl Into<PathBuf>) -> Self {
        let (context, file) = (context.into(), PathBuf::from("Dockerfile"));
        Self::of(name.into(), Source::Dockerfile { context, file })
    }

    /// An image that exists, pulled if the daemon does not have it, without credentials: `docker pull` one of a private
    /// registry first.
    ///
    /// ```
    /// # use kindwright::Image;
    /// let image = Image::reference("redis", "docker.io/library/redis:7-alpine");
    /// ```
    pub fn reference(name: impl Into<String>, reference: impl Into<String>) -> Self {
        Self::of(name.into(), Source::Reference(reference.into()))
    }

    fn of(name: String, source: Source) -> Self {
        Self { name, source, for_cases: false, beyond: false }
    }

    /// Says that cases use it, though no manifest names it: it is built and there before they begin.
    ///
    /// ```
    /// # use kindwright::Image;
    /// let image = Image::dockerfile("restock", "images/restock").for_cases(); // `ctx.image("restock")?`
    /// ```
    #[must_use]
    pub fn for_cases(mut self) -> Self {
        self.for_cases = true;
        self
    }

    /// Says that only cases need it that are [beyond](crate::Case::beyond) what real services do.
    ///
    /// Where the suite is [real](crate::Suite::real) it is not built, unless one of them runs all the same
    /// (`--include-ignored`).
    ///
    /// ```
    /// # use kindwright::Image;
    /// let image = Image::dockerfile("bank", "images/stand-in-bank").beyond();
    /// ```
    #[must_use]
    pub fn beyond(mut self) -> Self {
        self.beyond = true;
        self
    }

    /// The same name for an image that exists: the override of a person or of a pipeline.
    ///
    /// ```
    /// # use kindwright::Image;
    /// let image = Image::dockerfile("shop", "images/shop").from_reference("registry.example/shop:7");
    /// assert_eq!(image, Image::reference("shop", "registry.example/shop:7"));
    /// ```
    #[must_use]
    pub fn from_reference(self, reference: impl Into<String>) -> Self {
        Self { source: Source::Reference(reference.into()), ..self }
    }

    /// The same image, with its path below `root` unless it is absolute.
    pub(crate) fn rooted(mut self, root: &Path) -> Self {
        match &mut self.source {
            Source::Program { path, .. } => *path = root.join(&*path),
            Source::Dockerfile { context, .. } => *context = root.join(&*context),
            Source::Reference(_) => {}
        }
        self
    }

    /// Whether cases use it.
    pub(crate) fn is_for_cases(&self) -> bool {
        self.for_cases
    }

    /// Whether only cases need it that are beyond real services.
    pub(crate) fn is_beyond(&self) -> bool {
        self.beyond
    }

    /// Its name in manifests.
    ///
    /// ```
    /// # use kindwright::Image;
    /// assert_eq!(Image::dockerfile("shop", "images/shop").name(), "shop");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it comes from.
    ///
    /// ```
    /// # use kindwright::{Image, suite::Source};
    /// let image = Image::dockerfile("shop", "images/shop");
    /// assert!(matches!(image.source(), Source::Dockerfile { file, .. } if file.ends_with("Dockerfile")));
    /// ```
    pub fn source(&self) -> &Source {
        &self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_keeps_the_name_and_nothing_else() {
        let image = Image::program("datastorage", "target/platform", ["datastorage"]);
        assert_eq!(
            image.from_reference("registry.example/datastorage:1"),
            Image::reference("datastorage", "registry.example/datastorage:1")
        );
    }
}
