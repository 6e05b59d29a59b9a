//! Estimates what images will take on the disk of the Docker daemon, before anything is made.

use std::{collections::BTreeSet, fs, path::Path};

use bollard::Docker;

use super::{ImageError, context::Context, pull};
use crate::suite::Source;

/// What is at least assumed of an image that is not there yet: a distribution's small base has as much.
const UNKNOWN: u64 = 64 << 20;

/// Of a program this part stays without its debug information, mostly less.
const STRIPPED: u64 = 2;

/// How many bytes images take, each with the number of nodes that it is brought to.
///
/// What cannot be looked at counts as nothing: its build says why.
pub(crate) async fn estimate(
    docker: &Docker,
    images: impl IntoIterator<Item = (&Source, u64)>,
) -> Result<u64, ImageError> {
    let mut programs = BTreeSet::new();
    let mut total: u64 = 0;
    for (source, nodes) in images {
        let (size, copies) = match source {
            // Images of one program share its layer, in the daemon as on the nodes.
            Source::Program { path, .. } if !programs.insert((path.clone(), nodes)) => continue,
            Source::Program { path, .. } => (program(path), nodes + 1),
            Source::Dockerfile { context, file } => {
                let context = Context::collect("", context, file).await;
                let size = context.map_or(0, |context| context.size());
                (size.max(UNKNOWN), nodes + 1)
            }
            Source::Reference(reference) => match pull::find(docker, reference).await? {
                Some(found) => {
                    (u64::try_from(found.size.unwrap_or_default()).unwrap_or_default(), nodes)
                }
                None => (UNKNOWN, nodes + 1),
            },
        };
        total = total.saturating_add(size.saturating_mul(copies));
    }
    Ok(total)
}

/// What a program takes in its image.
fn program(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len() / STRIPPED)
}

#[cfg(test)]
mod tests {
    use bollard::API_DEFAULT_VERSION;

    use super::*;

    async fn estimated(images: &[(&Source, u64)]) -> u64 {
        let docker = Docker::connect_with_http("http://127.0.0.1:1", 1, API_DEFAULT_VERSION);
        estimate(&docker.unwrap(), images.iter().copied()).await.unwrap()
    }

    #[tokio::test]
    async fn a_program_counts_once_for_the_daemon_and_once_for_each_node() {
        let program = tempfile::NamedTempFile::new().unwrap();
        program.as_file().set_len(8000).unwrap();
        let image = |argument: &str| Source::Program {
            path: program.path().to_owned(),
            arguments: vec![argument.to_owned()],
        };
        let (first, second) = (image("gateway"), image("datastorage"));
        assert_eq!(estimated(&[(&first, 2), (&second, 2)]).await, 4000 * 3);
        let missing = Source::Program { path: "/nowhere".into(), arguments: Vec::new() };
        assert_eq!(estimated(&[(&missing, 1)]).await, 0);
    }

    #[tokio::test]
    async fn a_dockerfile_counts_as_its_context_but_never_as_little() {
        let context = tempfile::tempdir().unwrap();
        fs::write(context.path().join("Dockerfile"), "FROM scratch").unwrap();
        let source =
            Source::Dockerfile { context: context.path().to_owned(), file: "Dockerfile".into() };
        assert_eq!(estimated(&[(&source, 1)]).await, UNKNOWN * 2);
        let model = fs::File::create(context.path().join("model")).unwrap();
        model.set_len(1 << 30).unwrap();
        assert_eq!(estimated(&[(&source, 1)]).await, ((1 << 30) + 12) * 2);
    }
}
