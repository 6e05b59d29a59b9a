//! Remembers what evidence could not be written, so that it is said once and not for each file.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// What could not be written; whoever writes to the same place shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses(Arc<Mutex<Option<Loss>>>);

/// The first file that could not be written, and how many there were.
#[derive(Debug)]
struct Loss {
    path: PathBuf,
    error: io::Error,
    files: usize,
}

impl Losses {
    /// Counts a file that could not be written.
    pub(super) fn count(&self, path: &Path, error: io::Error) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.as_mut() {
            Some(loss) => loss.files += 1,
            None => *held = Some(Loss { path: path.to_owned(), error, files: 1 }),
        }
    }

    /// What is missing in `directory`, in words.
    pub(super) fn told(&self, directory: &Path) -> Option<String> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let loss = held.as_ref()?;
        let denied = matches!(
            loss.error.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        );
        let hint = denied.then(|| format!(" (is {} writable?)", directory.display()));
        Some(format!("evidence is not complete: {loss}{}", hint.unwrap_or_default()))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.files {
            1 => write!(f, "{path} could not be written: {}", self.error),
            files => {
                write!(f, "{files} files could not be written, the first is {path}: {}", self.error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_once_with_the_first_and_their_number() {
        let losses = Losses::default();
        let directory = Path::new("/evidence");
        assert_eq!(losses.told(directory), None);
        losses.count(Path::new("/evidence/a.txt"), io::ErrorKind::PermissionDenied.into());
        assert_eq!(
            losses.told(directory).unwrap(),
            "evidence is not complete: /evidence/a.txt could not be written: permission denied \
             (is /evidence writable?)"
        );
        losses.clone().count(Path::new("/evidence/b.txt"), io::ErrorKind::StorageFull.into());
        assert_eq!(
            losses.told(directory).unwrap(),
            "evidence is not complete: 2 files could not be written, the first is /evidence/a.txt: \
             permission denied (is /evidence writable?)"
        );
    }

    #[test]
    fn no_cause_is_named_that_is_not_known() {
        let losses = Losses::default();
        losses.count(Path::new("/evidence/a"), io::Error::other("odd"));
        let told = losses.told(Path::new("/evidence")).unwrap();
        assert!(told.ends_with("/evidence/a could not be written: odd"), "{told}");
    }
}
