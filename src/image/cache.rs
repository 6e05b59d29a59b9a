//! Keeps what was made for the next run: one image for each that is declared.
//!
//! A kept image has a name of its own that says all: `localhost/kindwright-cache:` with the image, its
//! declaration, what it was made of, and its content. Such a name never moves to another content, so
//! nothing is left without a name when one is replaced, whoever does the same at that moment.

use std::collections::HashMap;

use bollard::{
    Docker,
    errors::Error,
    models::ImageSummary,
    query_parameters::{ListImagesOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder},
};

use super::{ImageError, limit::answer};
use crate::{digest::sha256_of, docker::is_absent, suite::Source};

/// The repository of all names.
const REPOSITORY: &str = "localhost/kindwright-cache";

/// How many digits say which declaration, what it was made of, and which content.
const DIGITS: usize = 16;

/// Whether images are kept for the next run, and taken from an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cache {
    /// One of each declaration is kept.
    #[default]
    Keep,
    /// All are made anew, and go with their run.
    Off,
}

/// An image that outlives its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cached {
    /// Its name.
    pub(crate) reference: String,
    /// How big it is, in bytes; what it shares with others counts for each.
    pub(crate) size: u64,
}

/// The place of an image in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// How the names of the same declaration begin.
    declaration: String,
    /// How they go on where nothing has changed.
    unchanged: String,
}

impl Entry {
    /// The place of what `source` declares for `image`; the fingerprint changes when its files do.
    pub(super) fn new(image: &str, source: &Source, fingerprint: &str) -> Self {
        let declared = sha256_of(format!("{source:?}"));
        let declaration = format!("{image}-{}-", &declared[..DIGITS]);
        let unchanged = format!("{declaration}{}-", &fingerprint[..DIGITS.min(fingerprint.len())]);
        Self { declaration, unchanged }
    }

    fn tag(&self, id: &str) -> String {
        let digits = id.rsplit_once(':').map_or(id, |(_, digits)| digits);
        format!("{}{}", self.unchanged, &digits[..DIGITS.min(digits.len())])
    }
}

/// The id of the image that was made of the same, if there is one.
pub(super) async fn find(docker: &Docker, place: &Entry) -> Result<Option<String>, ImageError> {
    let found = images(docker, &place.unchanged).await?;
    Ok(found.into_iter().next().map(|image| image.id))
}

/// Keeps the image `id` in its place, instead of what was there.
pub(super) async fn keep(docker: &Docker, place: &Entry, id: &str) -> Result<(), ImageError> {
    let tag = place.tag(id);
    let options = TagImageOptionsBuilder::default().repo(REPOSITORY).tag(&tag).build();
    let what = format!("keep the image {id} as `{REPOSITORY}:{tag}`");
    answer(what, docker.tag_image(id, Some(options))).await?;
    for image in images(docker, &place.declaration).await? {
        let own = format!("{REPOSITORY}:{tag}");
        for old in image.repo_tags.iter().filter(|name| **name != own) {
            match remove(docker, old).await {
                // Somebody has made a container of it; the next run tries again.
                Err(ImageError::Docker { source, .. }) if is_in_use(&source) => {}
                done => done?,
            }
        }
    }
    Ok(())
}

/// All images that outlive their run.
pub(crate) async fn list(docker: &Docker) -> Result<Vec<Cached>, ImageError> {
    let cached = images(docker, "").await?.into_iter().flat_map(|image| {
        let size = u64::try_from(image.size).unwrap_or_default();
        image.repo_tags.into_iter().map(move |reference| Cached { reference, size })
    });
    Ok(cached.collect())
}

/// Removes all of them, and says which; what a run uses under another name stays under that.
pub(crate) async fn remove_all(docker: &Docker) -> Result<Vec<Cached>, ImageError> {
    let cached = list(docker).await?;
    for image in &cached {
        remove(docker, &image.reference).await?;
    }
    Ok(cached)
}

/// The images whose tag begins so, each with these names only.
async fn images(docker: &Docker, beginning: &str) -> Result<Vec<ImageSummary>, ImageError> {
    let beginning = format!("{REPOSITORY}:{beginning}");
    let pattern = format!("{beginning}*");
    let filters = HashMap::from([("reference", vec![pattern.as_str()])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let found = answer("list the images of the cache", docker.list_images(Some(options))).await?;
    let named = found.into_iter().map(|mut image| {
        image.repo_tags.retain(|name| name.starts_with(&beginning));
        image
    });
    Ok(named.filter(|image| !image.repo_tags.is_empty()).collect())
}

/// Takes away a name, and the image with its last one.
async fn remove(docker: &Docker, reference: &str) -> Result<(), ImageError> {
    let what = format!("remove the image `{reference}`");
    match answer(what, docker.remove_image(reference, None::<RemoveImageOptions>, None)).await {
        Ok(_) => Ok(()),
        Err(ImageError::Docker { source, .. }) if is_absent(&source) => Ok(()),
        Err(error) => Err(error),
    }
}

fn is_in_use(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 409, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(argument: &str, fingerprint: &str) -> Entry {
        let source = Source::Program { path: "/echo".into(), arguments: vec![argument.to_owned()] };
        Entry::new("echo", &source, fingerprint)
    }

    #[test]
    fn images_of_one_name_and_of_different_declarations_do_not_replace_each_other() {
        let (first, second) = (place("serve", "00"), place("crash", "00"));
        assert_ne!(first.declaration, second.declaration);
        assert!(!second.tag("sha256:0a").starts_with(&first.declaration));
        assert!(place("serve", "11").tag("sha256:0a").starts_with(&first.declaration));
    }

    #[test]
    fn a_name_says_what_it_was_made_of_and_which_content_it_is() {
        let fingerprint = sha256_of("files");
        let place = place("serve", &fingerprint);
        let id = format!("sha256:{}", sha256_of("content"));
        let tag = place.tag(&id);
        assert!(tag.starts_with(&place.unchanged), "{tag}");
        assert_ne!(tag, place.tag(&format!("sha256:{}", sha256_of("other"))));
        assert!(tag.len() <= 128, "Docker takes no longer tags");
    }
}
