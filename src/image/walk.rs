//! Takes from a directory what is sent to the daemon for a Dockerfile.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{ImageError, archive::Archive, ignore::Ignore, stamp::Stamp};

/// A file, directory or link, by its path in the context.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    mode: u32,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Directory,
    Link(PathBuf),
    File(Stamp),
}

impl Entry {
    /// Puts it into an archive.
    pub(super) fn add_to(&self, archive: &mut Archive, from: &Path) -> io::Result<()> {
        match &self.kind {
            Kind::Directory => archive.directory(&self.path, self.mode),
            Kind::Link(target) => archive.link(&self.path, target),
            Kind::File(_) => archive.file(&self.path, self.mode, &File::open(from)?),
        }
    }

    /// How much its content is, in bytes.
    pub(super) fn size(&self) -> u64 {
        match &self.kind {
            Kind::File(state) => state.size,
            Kind::Directory | Kind::Link(_) => 0,
        }
    }
}

/// A walk, and what it has taken by now.
pub(super) struct Walk<'a> {
    pub(super) image: &'a str,
    pub(super) root: &'a Path,
    pub(super) ignore: Ignore,
    /// What is taken although it is ignored.
    pub(super) always: [PathBuf; 2],
    pub(super) entries: Vec<Entry>,
}

impl Walk<'_> {
    /// Takes what is below a directory, sorted by name.
    pub(super) fn below(&mut self, directory: &Path) -> Result<(), ImageError> {
        let path = self.root.join(directory);
        let names = fs::read_dir(&path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        let mut names: Vec<_> = names.map_err(unreadable(self.image, &path))?;
        names.sort();
        for name in names {
            let relative = directory.join(name);
            let path = self.root.join(&relative);
            let enter = self.take(&relative, &path).map_err(unreadable(self.image, &path))?;
            if enter {
                self.below(&relative)?;
            }
        }
        Ok(())
    }

    /// Takes one entry, and says whether it is a directory to walk.
    fn take(&mut self, relative: &Path, path: &Path) -> io::Result<bool> {
        let metadata = fs::symlink_metadata(path)?;
        let excluded = self.ignore.excludes(&relative.to_string_lossy());
        if metadata.is_dir() {
            if !excluded {
                self.push(relative, &metadata, Kind::Directory);
            }
            let holds = self.always.iter().any(|file| file.starts_with(relative));
            return Ok(!excluded || holds || self.ignore.takes_back());
        }
        if excluded && !self.always.iter().any(|file| file == relative) {
            return Ok(false);
        }
        // Sockets, pipes and devices have no content that could be sent.
        if metadata.is_symlink() {
            self.push(relative, &metadata, Kind::Link(fs::read_link(path)?));
        } else if metadata.is_file() {
            self.push(relative, &metadata, Kind::File(Stamp::of(&metadata)));
        }
        Ok(false)
    }

    fn push(&mut self, path: &Path, metadata: &Metadata, kind: Kind) {
        let mode = metadata.permissions().mode() & 0o7777;
        self.entries.push(Entry { path: path.to_owned(), mode, kind });
    }
}

/// Says what of a context could not be read.
pub(super) fn unreadable(image: &str, path: &Path) -> impl FnOnce(io::Error) -> ImageError {
    |source| ImageError::Context { image: image.to_owned(), path: path.to_owned(), source }
}
