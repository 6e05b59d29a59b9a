//! Brings an image into the Docker daemon, under the names of a run.

use std::collections::{BTreeMap, HashMap};

use bollard::{
    Docker,
    query_parameters::{ListImagesOptionsBuilder, TagImageOptionsBuilder},
};

use super::{ImageError, Reference, buildkit, context, load, program::Program, pull};
use crate::{docker::is_absent, suite::Source};

/// The label by which an unchanged program finds its image again.
const FINGERPRINT: &str = "kindwright/fingerprint";

/// An image that the daemon has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Built {
    /// The id that the daemon gives to its content.
    pub(crate) id: String,
    /// All its names.
    pub(crate) references: Vec<Reference>,
}

/// Builds or finds the image of `source`, and gives it all `references`.
///
/// The labels become part of the content: two runs share it only if they are
/// equal. A build that fails or is dropped leaves nothing in the daemon.
pub(crate) async fn build(
    docker: &Docker,
    source: &Source,
    references: &[Reference],
    labels: &BTreeMap<String, String>,
) -> Result<Built, ImageError> {
    let [first, others @ ..] = references else {
        return Err(ImageError::Nameless);
    };
    let image = first.infrastructure();
    let built = |id| Built { id, references: references.to_vec() };
    match source {
        Source::Program { path, arguments } => {
            let architecture = architecture(docker).await?;
            let program = Program::inspect(image, path, arguments, &architecture)?;
            let fingerprint = program.fingerprint(labels)?;
            if let Some(id) = unchanged(docker, &fingerprint, references).await? {
                return Ok(built(id));
            }
            let mut labels = labels.clone();
            labels.insert(FINGERPRINT.to_owned(), fingerprint);
            let packed = program.pack(labels, references.to_vec()).await?;
            let loaded = load::load(docker, packed).await;
            loaded.map_err(ImageError::docker(format!("load the image `{first}`")))?;
            let id = identify(docker, first).await?;
            Ok(built(id))
        }
        Source::Dockerfile { context, file } => {
            let archive = context::pack(image, context.clone(), file.clone()).await?;
            let dockerfile = file.to_string_lossy();
            buildkit::build(docker, archive, &dockerfile, first, labels).await?;
            let id = identify(docker, first).await?;
            tag(docker, &id, others).await?;
            Ok(built(id))
        }
        Source::Reference(reference) => {
            let architecture = architecture(docker).await?;
            let id = pull::find_or_pull(docker, image, reference, &architecture).await?;
            tag(docker, &id, references).await?;
            Ok(built(id))
        }
    }
}

async fn identify(docker: &Docker, reference: &Reference) -> Result<String, ImageError> {
    let found = docker.inspect_image(reference.as_str()).await;
    let found = found.map_err(ImageError::docker(format!("inspect the image `{reference}`")))?;
    Ok(found.id.unwrap_or_default())
}

/// Names the image that was made of the same, if the daemon still has it.
async fn unchanged(
    docker: &Docker,
    fingerprint: &str,
    references: &[Reference],
) -> Result<Option<String>, ImageError> {
    let label = format!("{FINGERPRINT}={fingerprint}");
    let filters = HashMap::from([("label", vec![label.as_str()])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let found = docker.list_images(Some(options)).await;
    let found = found.map_err(ImageError::docker("list the images of the Docker daemon"))?;
    let Some(image) = found.into_iter().next() else {
        return Ok(None);
    };
    match tag(docker, &image.id, references).await {
        Ok(()) => Ok(Some(image.id)),
        // The run that made it may remove it between the two requests.
        Err(ImageError::Docker { source, .. }) if is_absent(&source) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn tag(docker: &Docker, id: &str, references: &[Reference]) -> Result<(), ImageError> {
    for reference in references {
        let (repository, tag) = reference.parts();
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        let tagged = docker.tag_image(id, Some(options)).await;
        tagged.map_err(ImageError::docker(format!("name the image {id} `{reference}`")))?;
    }
    Ok(())
}

/// What the daemon, and so every node, runs.
async fn architecture(docker: &Docker) -> Result<String, ImageError> {
    let version = docker.version().await;
    let version = version.map_err(ImageError::docker("ask the Docker daemon for its version"))?;
    Ok(version.arch.unwrap_or_default())
}
