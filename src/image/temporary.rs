//! Makes files without a name: nothing is left of them, however the run ends.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why there is no such file; the cause of an [`io::Error`], where others come from the file's content.
#[derive(Debug, Error)]
#[error(
    "make a file in the temporary directory {} (does it exist, and may this user write there? TMPDIR names another)",
    directory.display()
)]
struct NoFile {
    directory: PathBuf,
    source: io::Error,
}

/// An empty file in the temporary directory.
pub(super) fn file() -> io::Result<File> {
    file_in(&tempfile::env::temp_dir())
}

fn file_in(directory: &Path) -> io::Result<File> {
    let directory = directory.to_owned();
    tempfile::tempfile_in(&directory)
        .map_err(|source| io::Error::new(source.kind(), NoFile { directory, source }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{image::ImageError, text::chain};

    #[test]
    fn a_temporary_directory_that_is_not_there_is_named_with_the_next_step() {
        let source = file_in(Path::new("/nowhere/tmp")).unwrap_err();
        let error = ImageError::Pack { image: "gateway".into(), path: "/program".into(), source };
        let words = chain(&error);
        assert!(
            words.starts_with("image `gateway`: pack /program: make a file in the temporary directory /nowhere/tmp (does it exist"),
            "{words}"
        );
        assert!(words.contains("TMPDIR names another): No such file"), "{words}");
    }
}
