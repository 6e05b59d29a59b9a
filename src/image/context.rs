//! Collects the context of a Dockerfile.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{ImageError, archive::Archive, ignore::Ignore};

/// Packs `context`, without what is ignored, for the Dockerfile `file` in it.
pub(super) async fn pack(
    image: &str,
    context: PathBuf,
    file: PathBuf,
) -> Result<Archive, ImageError> {
    let (name, root) = (image.to_owned(), context.clone());
    // A big context would hold up other tasks.
    let packing = tokio::task::spawn_blocking(move || pack_now(&name, &context, &file));
    packing.await.map_err(io::Error::other).map_err(unreadable(image, &root))?
}

fn pack_now(image: &str, context: &Path, file: &Path) -> Result<Archive, ImageError> {
    if !context.join(file).is_file() {
        return Err(ImageError::NoDockerfile {
            image: image.to_owned(),
            context: context.to_owned(),
            file: file.to_owned(),
        });
    }
    let (ignore, ignore_file) = ignore(image, context, file)?;
    let mut walk = Walk {
        image,
        context,
        ignore,
        // The builder reads these two, whatever they say of themselves.
        always: [file.to_owned(), ignore_file],
        archive: Archive::new().map_err(unreadable(image, context))?,
    };
    walk.below(Path::new(""))?;
    Ok(walk.archive)
}

struct Walk<'a> {
    image: &'a str,
    context: &'a Path,
    ignore: Ignore,
    always: [PathBuf; 2],
    archive: Archive,
}

impl Walk<'_> {
    /// Adds what is below a directory, sorted by name.
    fn below(&mut self, directory: &Path) -> Result<(), ImageError> {
        let path = self.context.join(directory);
        let names = fs::read_dir(&path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        let mut names: Vec<_> = names.map_err(unreadable(self.image, &path))?;
        names.sort();
        for name in names {
            let relative = directory.join(name);
            let path = self.context.join(&relative);
            let enter = self.add(&relative, &path).map_err(unreadable(self.image, &path))?;
            if enter {
                self.below(&relative)?;
            }
        }
        Ok(())
    }

    /// Adds one entry, and says whether it is a directory to walk.
    fn add(&mut self, relative: &Path, path: &Path) -> io::Result<bool> {
        let metadata = fs::symlink_metadata(path)?;
        let mode = metadata.permissions().mode() & 0o7777;
        let excluded = self.ignore.excludes(&relative.to_string_lossy());
        if metadata.is_dir() {
            if !excluded {
                self.archive.directory(relative, mode)?;
            }
            let holds = self.always.iter().any(|file| file.starts_with(relative));
            return Ok(!excluded || holds || self.ignore.takes_back());
        }
        if excluded && !self.always.iter().any(|file| file == relative) {
            return Ok(false);
        }
        // Sockets, pipes and devices have no content that could be sent.
        if metadata.is_symlink() {
            self.archive.link(relative, &fs::read_link(path)?)?;
        } else if metadata.is_file() {
            self.archive.file(relative, mode, &File::open(path)?)?;
        }
        Ok(false)
    }
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

fn unreadable(image: &str, path: &Path) -> impl FnOnce(io::Error) -> ImageError {
    |source| ImageError::Context { image: image.to_owned(), path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    async fn packed(context: &Path, file: &str) -> Vec<String> {
        let archive = pack("gateway", context.into(), file.into()).await.unwrap();
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
    async fn a_missing_dockerfile_is_named_with_its_context() {
        let context = context(&[]);
        let error =
            pack("gateway", context.path().into(), "Dockerfile".into()).await.err().unwrap();
        assert!(error.to_string().contains("there is no Dockerfile in the context"), "{error}");
    }
}
