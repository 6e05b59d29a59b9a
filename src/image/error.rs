//! Why an image could not be made or delivered.

use std::{io, path::PathBuf, time::Duration};

use bollard::errors::Error;
use thiserror::Error;

use crate::text::indented;

/// Why an image could not be made or delivered.
#[derive(Debug, Error)]
pub(crate) enum ImageError {
    #[error("image `{image}`: read the program {} (is it built?)", path.display())]
    Program {
        image: String,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("image `{image}`: {} {why}; give a program for Linux, or a Dockerfile", path.display())]
    NoProgram { image: String, path: PathBuf, why: String },
    #[error(
        "image `{image}`: {what} is for {found}, but the Docker daemon runs {wanted}; build it for {wanted}"
    )]
    Architecture { image: String, what: String, found: String, wanted: String },
    #[error("image `{image}`: {} links `{library}`, which no directory of its loader has; install it, or link it statically", needed_by.display())]
    Library { image: String, library: String, needed_by: PathBuf },
    #[error("image `{image}`: pack {}", path.display())]
    Pack {
        image: String,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("image `{image}`: read {} for the build", path.display())]
    Context {
        image: String,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "image `{image}`: `{reference}` has no name, and would be gone with the one that the run gives it; name it with `docker tag {reference} NAME`"
    )]
    Unnamed { image: String, reference: String },
    #[error("image `{image}`: there is no {} in the context {}; `Image::dockerfile` takes the directory that has it, from the project's root", file.display(), context.display())]
    NoDockerfile { image: String, context: PathBuf, file: PathBuf },
    #[error("image `{image}`: {}: `{pattern}` is not a pattern; correct it, or put a `\\` before what it shall mean itself", path.display())]
    Ignore { image: String, path: PathBuf, pattern: String },
    #[error("image `{image}`: {step}: {words}{}", indented(log.lines()))]
    Build { image: String, step: String, words: String, log: String },
    #[error(
        "image `{image}`: `{reference}` is not in the Docker daemon and cannot be pulled: {words}; is its registry reachable (`docker pull {reference}`, after `docker login` if it asks who you are)? another image can be named by KINDWRIGHT_IMAGE_{setting}"
    )]
    Absent { image: String, reference: String, words: String, setting: String },
    #[error("image `{image}`: {what} {exceeded}{last}; {next}")]
    GivenUp { image: String, what: String, exceeded: Exceeded, last: String, next: String },
    #[error(
        "{what}: the Docker daemon has not answered within {} s; does it answer `docker version`? if not, restart it",
        limit.as_secs()
    )]
    Unanswered { what: String, limit: Duration },
    #[error("an image without a reference would be left behind; give one")]
    Nameless,
    #[error("{what}")]
    Docker {
        what: String,
        #[source]
        source: Box<Error>,
    },
}

/// What was waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Exceeded {
    /// There was no progress.
    #[error("has made no progress for {} min", minutes(.0))]
    Silence(Duration),
    /// There was progress, but no end.
    #[error("has not ended within {} min", minutes(.0))]
    Total(Duration),
}

impl ImageError {
    /// Says what the daemon was asked for when it refused.
    pub(super) fn docker(what: impl Into<String>) -> impl FnOnce(Error) -> Self {
        |source| Self::Docker { what: what.into(), source: Box::new(source) }
    }
}

fn minutes(duration: &Duration) -> u64 {
    duration.as_secs() / 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_followed_by_its_last_lines() {
        let error = ImageError::Build {
            image: "gateway".into(),
            step: "[2/3] RUN make".into(),
            words: "exit code: 2".into(),
            log: "cc main.c\nmain.c:1: no".into(),
        };
        assert_eq!(
            error.to_string(),
            "image `gateway`: [2/3] RUN make: exit code: 2\n    cc main.c\n    main.c:1: no"
        );
    }
}
