//! Collects the context of a Dockerfile.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use tokio::task::spawn_blocking;

use super::{
    ImageError,
    archive::Archive,
    ignore::Ignore,
    limit,
    walk::{Entry, Walk, unreadable},
};
use crate::digest::sha256_of;

/// What is sent to the daemon for a Dockerfile.
#[derive(Clone, Debug)]
pub(super) struct Context {
    image: String,
    root: PathBuf,
    /// The text of the Dockerfile.
    pub(super) dockerfile: String,
    /// In the order in which they are sent.
    entries: Vec<Entry>,
}

impl Context {
    /// Looks at the directory `root`, without what is ignored, for the Dockerfile `file` in it.
    pub(super) async fn collect(image: &str, root: &Path, file: &Path) -> Result<Self, ImageError> {
        let (name, context, file) = (image.to_owned(), root.to_owned(), file.to_owned());
        // A big context would hold up other tasks.
        let collecting = spawn_blocking(move || collect(name, context, &file));
        collecting.await.map_err(io::Error::other).map_err(unreadable(image, root))?
    }

    /// Whether something is sent from this path, as a Dockerfile writes it.
    pub(super) fn has(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        let parts = Path::new(path).components().filter(|part| *part != Component::CurDir);
        let path: PathBuf = parts.collect();
        path == Path::new("") || self.entries.iter().any(|entry| entry.path == path)
    }

    /// How much is sent, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.entries.iter().map(Entry::size).sum()
    }

    /// Digits that change when a file does, or one of the images that it is built on.
    pub(super) fn fingerprint(&self, bases: &[String]) -> String {
        sha256_of(format!("{:?}", (bases, &self.dockerfile, &self.entries)))
    }

    /// Packs all of it.
    pub(super) async fn pack(self) -> Result<Archive, ImageError> {
        let (image, path) = (self.image.clone(), self.root.clone());
        let packing = spawn_blocking(move || {
            let mut archive = Archive::new().map_err(|source| ImageError::Pack {
                image: self.image.clone(),
                path: self.root.clone(),
                source,
            })?;
            for entry in &self.entries {
                let path = self.root.join(&entry.path);
                entry.add_to(&mut archive, &path).map_err(unreadable(&self.image, &path))?;
            }
            Ok(archive)
        });
        limit::packed(&image, &path, async {
            packing.await.map_err(io::Error::other).map_err(unreadable(&image, &path))?
        })
        .await
    }
}

fn collect(image: String, root: PathBuf, file: &Path) -> Result<Context, ImageError> {
    let dockerfile = root.join(file);
    if !dockerfile.is_file() {
        return Err(ImageError::NoDockerfile { image, context: root, file: file.to_owned() });
    }
    // A builder reads what is no text too.
    let text = fs::read(&dockerfile).map_err(unreadable(&image, &dockerfile))?;
    let (ignore, ignore_file) = ignore(&image, &root, file)?;
    let mut walk = Walk {
        image: &image,
        root: &root,
        ignore,
        // The builder reads these two, whatever they say of themselves.
        always: [file.to_owned(), ignore_file],
        entries: Vec::new(),
    };
    walk.below(Path::new(""))?;
    let (entries, dockerfile) = (walk.entries, String::from_utf8_lossy(&text).into_owned());
    Ok(Context { image, root, dockerfile, entries })
}

/// `<Dockerfile>.dockerignore` beside the Dockerfile, else `.dockerignore` of the context.
fn ignore(image: &str, context: &Path, file: &Path) -> Result<(Ignore, PathBuf), ImageError> {
    let mut own = file.as_os_str().to_owned();
    own.push(".dockerignore");
    for name in [PathBuf::from(own), PathBuf::from(".dockerignore")] {
        let path = context.join(&name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(image, &path)(error)),
        };
        let ignore = Ignore::parse(&text).map_err(|pattern| ImageError::Ignore {
            image: image.to_owned(),
            path,
            pattern,
        })?;
        return Ok((ignore, name));
    }
    Ok((Ignore::default(), PathBuf::from(".dockerignore")))
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::unix::fs::PermissionsExt as _};

    use futures_util::TryStreamExt as _;

    use super::*;

    async fn collected(context: &Path, file: &str) -> Result<Context, ImageError> {
        Context::collect("gateway", context, Path::new(file)).await
    }

    async fn packed(context: &Path, file: &str) -> Vec<String> {
        let archive = collected(context, file).await.unwrap().pack().await.unwrap();
        let chunks: Vec<_> = archive.into_stream().unwrap().try_collect().await.unwrap();
        let bytes = chunks.concat();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let paths = archive.entries().unwrap();
        paths.map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
    }

    fn context(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    #[tokio::test]
    async fn the_dockerfile_is_sent_even_if_everything_is_ignored() {
        let context = context(&[
            (".dockerignore", "*\n!src\n"),
            ("build/Dockerfile", "FROM scratch"),
            ("build/notes", ""),
            ("src/main.rs", ""),
            ("target/debug/program", ""),
        ]);
        assert_eq!(
            packed(context.path(), "build/Dockerfile").await,
            [".dockerignore", "build/Dockerfile", "src", "src/main.rs"]
        );
    }

    #[tokio::test]
    async fn a_dockerfile_may_have_a_list_of_its_own() {
        let context = context(&[
            (".dockerignore", "a"),
            ("Dockerfile", "FROM scratch"),
            ("Dockerfile.dockerignore", "b"),
            ("a", ""),
            ("b", ""),
        ]);
        let packed = packed(context.path(), "Dockerfile").await;
        assert_eq!(packed, [".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "a"]);
    }

    #[tokio::test]
    async fn what_is_sent_is_found_as_a_dockerfile_names_it() {
        let context =
            context(&[("Dockerfile", ""), (".dockerignore", "b"), ("a/c", ""), ("b", "")]);
        let context = collected(context.path(), "Dockerfile").await.unwrap();
        assert!(["a/c", "/a/c", "./a/", ".", "/"].iter().all(|path| context.has(path)));
        assert!(["b", "a/d", "../a", "a/*"].iter().all(|path| !context.has(path)));
    }

    #[tokio::test]
    async fn a_missing_dockerfile_is_named_with_its_context() {
        let context = context(&[]);
        let error = collected(context.path(), "Dockerfile").await.unwrap_err();
        assert!(error.to_string().contains("there is no Dockerfile in the context"), "{error}");
    }

    #[tokio::test]
    async fn a_fingerprint_changes_with_files_modes_and_bases_but_not_with_what_is_ignored() {
        let context = context(&[
            (".dockerignore", "notes"),
            ("Dockerfile", "FROM scratch"),
            ("notes", "a"),
            ("src/main.rs", "a"),
        ]);
        let fingerprint = async |bases: &[String]| {
            collected(context.path(), "Dockerfile").await.unwrap().fingerprint(bases)
        };
        let first = fingerprint(&[]).await;
        assert_ne!(first, fingerprint(&["sha256:00".to_owned()]).await);
        fs::write(context.path().join("notes"), "other").unwrap();
        assert_eq!(first, fingerprint(&[]).await);
        let program = context.path().join("src/main.rs");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let second = fingerprint(&[]).await;
        assert_ne!(first, second);
        // As an editor that keeps time and length, but writes a new file.
        let modified = fs::metadata(&program).unwrap().modified().unwrap();
        let new = context.path().join("src/new.rs");
        fs::write(&new, "b").unwrap();
        File::open(&new).unwrap().set_modified(modified).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o700)).unwrap();
        fs::rename(&new, &program).unwrap();
        assert_ne!(second, fingerprint(&[]).await);
        assert_eq!(collected(context.path(), "Dockerfile").await.unwrap().size(), 12 + 5 + 1);
    }
}
