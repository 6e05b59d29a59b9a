//! Finds an image that exists, in the daemon or in a registry.

use std::time::Duration;

use bollard::{
    Docker, errors::Error, models::ImageInspect, query_parameters::CreateImageOptionsBuilder,
};

use super::{
    ImageError,
    limit::{Ended, Patience, answer},
};
use crate::{docker::is_absent, settings::override_name};

/// A pull tells of every chunk; the longest silence is the check of a big layer. The client gives up
/// after five minutes of it, and then could not say on what. Ten gigabytes take an hour at 25 Mbit/s.
const PATIENCE: Patience =
    Patience { silence: Duration::from_mins(4), total: Duration::from_hours(1) };

/// The id of an image that the daemon has or can pull.
///
/// What was pulled belongs to the user, and stays.
pub(super) async fn find_or_pull(
    docker: &Docker,
    image: &str,
    reference: &str,
    architecture: &str,
) -> Result<String, ImageError> {
    let absent = |words: String| ImageError::Absent {
        image: image.to_owned(),
        reference: reference.to_owned(),
        words,
        setting: override_name(image),
    };
    let mut found = find(docker, reference).await?;
    if found.is_none() {
        pull(docker, reference).await.map_err(|ended| match ended {
            Ended::Failed(error) => absent(words(error)),
            Ended::GivenUp(exceeded) => ImageError::GivenUp {
                image: image.to_owned(),
                what: format!("the pull of `{reference}`"),
                exceeded,
                last: String::new(),
                next: format!("`docker pull {reference}` shows where it stands"),
            },
        })?;
        found = find(docker, reference).await?;
    }
    let found = found.ok_or_else(|| absent("it was pulled, and is gone".to_owned()))?;
    let named = |names: &Option<Vec<String>>| names.as_ref().is_some_and(|names| !names.is_empty());
    if !named(&found.repo_tags) && !named(&found.repo_digests) {
        return Err(ImageError::Unnamed {
            image: image.to_owned(),
            reference: reference.to_owned(),
        });
    }
    match found.architecture {
        Some(found) if !found.is_empty() && found != architecture => {
            Err(ImageError::Architecture {
                image: image.to_owned(),
                what: format!("`{reference}`"),
                found,
                wanted: architecture.to_owned(),
            })
        }
        _ => Ok(found.id.unwrap_or_default()),
    }
}

/// The image of this name, if the daemon has it.
pub(super) async fn find(
    docker: &Docker,
    reference: &str,
) -> Result<Option<ImageInspect>, ImageError> {
    let what = format!("inspect the image `{reference}`");
    match answer(what, docker.inspect_image(reference)).await {
        Ok(found) => Ok(Some(found)),
        Err(ImageError::Docker { source, .. }) if is_absent(&source) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn pull(docker: &Docker, reference: &str) -> Result<(), Ended> {
    let reference = with_tag(reference);
    let options = CreateImageOptionsBuilder::default().from_image(&reference).build();
    let messages = docker.create_image(Some(options), None, None);
    let pulling = PATIENCE.follow(messages, |message| {
        match message.error_detail.and_then(|detail| detail.message) {
            Some(error) => Err(Error::DockerStreamError { error }),
            None => Ok(()),
        }
    });
    pulling.await
}

/// A name without a tag would pull all of them.
fn with_tag(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    if name.contains([':', '@']) { reference.to_owned() } else { format!("{reference}:latest") }
}

/// What the daemon said, without what the client adds.
fn words(error: Error) -> String {
    if let Error::DockerResponseServerError { message: words, .. }
    | Error::DockerStreamError { error: words } = error
    {
        return words;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_tag_means_the_latest() {
        assert_eq!(with_tag("postgres"), "postgres:latest");
        assert_eq!(with_tag("registry:5000/postgres"), "registry:5000/postgres:latest");
        assert_eq!(with_tag("registry:5000/postgres:15"), "registry:5000/postgres:15");
        assert_eq!(with_tag("postgres@sha256:00"), "postgres@sha256:00");
    }
}
