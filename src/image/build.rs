//! Brings an image into the Docker daemon, under the names of a run.

use std::path::Path;

use bollard::query_parameters::TagImageOptionsBuilder;
use futures_util::future::try_join_all;

use super::{
    Reference, buildkit,
    cache::{self, Cache, Entry},
    context::Context,
    dockerfile,
    error::ImageError,
    limit::answer,
    load,
    program::Program,
    pull,
    workshop::Workshop,
};
use crate::{docker::is_absent, suite::Source};

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
/// A build that fails or is dropped leaves nothing in the daemon.
pub(crate) async fn build(
    workshop: &Workshop,
    source: &Source,
    references: &[Reference],
) -> Result<Built, ImageError> {
    let [first, others @ ..] = references else {
        return Err(ImageError::Nameless);
    };
    let image = first.infrastructure();
    let id = match source {
        Source::Program { path, arguments } => {
            let program = Program::inspect(image, path, arguments, &workshop.architecture)?;
            let place = match workshop.cache {
                Cache::Keep => Some(Entry::new(image, source, &program.fingerprint())),
                Cache::Off => None,
            };
            let making = Box::pin(async {
                let packed = program.pack(workshop, references).await?;
                let _turn = workshop.turn_to_pack().await;
                load::load(&workshop.docker, first, packed).await?;
                identify(workshop, first).await
            });
            kept_or_made(workshop, place.as_ref(), references, making).await?
        }
        Source::Dockerfile { context, file } => {
            let context = Context::collect(image, context, file).await?;
            let fingerprint = match workshop.cache {
                Cache::Keep => fingerprint(workshop, &context).await?,
                Cache::Off => None,
            };
            let place = fingerprint.map(|fingerprint| Entry::new(image, source, &fingerprint));
            let making = Box::pin(async {
                build_dockerfile(workshop, context, file, first).await?;
                let id = identify(workshop, first).await?;
                tag(workshop, &id, others).await?;
                Ok(id)
            });
            kept_or_made(workshop, place.as_ref(), references, making).await?
        }
        Source::Reference(reference) => {
            let (docker, architecture) = (&workshop.docker, &workshop.architecture);
            let id = pull::find_or_pull(docker, image, reference, architecture).await?;
            tag(workshop, &id, references).await?;
            id
        }
    };
    Ok(Built { id, references: references.to_vec() })
}

/// Names the image that was made of the same, else makes it, and keeps it in its place if it has one.
async fn kept_or_made(
    workshop: &Workshop,
    place: Option<&Entry>,
    references: &[Reference],
    making: impl Future<Output = Result<String, ImageError>>,
) -> Result<String, ImageError> {
    let Some(place) = place else {
        return making.await;
    };
    if let Some(id) = cache::find(&workshop.docker, place).await? {
        match tag(workshop, &id, references).await {
            Ok(()) => return Ok(id),
            // Another run may replace it between the two requests.
            Err(ImageError::Docker { source, .. }) if is_absent(&source) => {}
            Err(error) => return Err(error),
        }
    }
    let id = making.await?;
    cache::keep(&workshop.docker, place, &id).await?;
    Ok(id)
}

async fn build_dockerfile(
    workshop: &Workshop,
    context: Context,
    file: &Path,
    reference: &Reference,
) -> Result<(), ImageError> {
    let _turn = workshop.turn_to_build().await;
    let archive = {
        let _turn = workshop.turn_to_pack().await;
        context.pack().await?
    };
    let (dockerfile, proxies) = (file.to_string_lossy(), &workshop.proxies);
    buildkit::build(&workshop.docker, archive, &dockerfile, reference, proxies).await
}

/// Says whether a Dockerfile would be built to the same; nothing if only the builder knows.
async fn fingerprint(workshop: &Workshop, context: &Context) -> Result<Option<String>, ImageError> {
    let Some(bases) = dockerfile::bases(&context.dockerfile, |path| context.has(path)) else {
        return Ok(None);
    };
    let found = bases.iter().map(|base| pull::find(&workshop.docker, base));
    let found = try_join_all(found).await?.into_iter();
    let ids: Option<Vec<_>> = found.map(|base| base?.id).collect();
    Ok(ids.map(|ids| context.fingerprint(&ids)))
}

async fn identify(workshop: &Workshop, reference: &Reference) -> Result<String, ImageError> {
    let what = format!("inspect the image `{reference}`");
    let found = answer(what, workshop.docker.inspect_image(reference.as_str())).await?;
    Ok(found.id.unwrap_or_default())
}

async fn tag(workshop: &Workshop, id: &str, references: &[Reference]) -> Result<(), ImageError> {
    let tagging = references.iter().map(async |reference| {
        let (repository, tag) = reference.parts();
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        let what = format!("name the image {id} `{reference}`");
        answer(what, workshop.docker.tag_image(id, Some(options))).await
    });
    try_join_all(tagging).await.map(drop)
}
