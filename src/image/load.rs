//! Assembles an image from layers, and loads it into the Docker daemon.
//!
//! No builder is asked: an image of files that are all at hand needs none, and
//! `BuildKit` would keep two more copies of them in its cache after every change.

use std::{io, sync::Arc, time::Duration};

use bollard::{Docker, body_try_stream, query_parameters::ImportImageOptionsBuilder};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream, stream::BoxStream};
use serde_json::{Value, json};

use super::{
    ImageError, Reference,
    archive::{self, Archive},
    layer::Layer,
    limit::{Ended, Patience},
};
use crate::digest::sha256_of;

/// The same for all, as a time would change the id of unchanged content.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// A daemon says nothing before it has unpacked all, and a hundred megabytes take it seconds. The
/// client gives up after five minutes, and then could not say on what.
const PATIENCE: Patience =
    Patience { silence: Duration::from_mins(4), total: Duration::from_mins(4) };

/// An image that is ready to be loaded, in the format of `docker save`.
#[derive(Debug)]
pub(super) struct Assembled {
    layers: Vec<Arc<Layer>>,
    /// The description, and its name.
    config: (String, String),
    manifest: String,
}

/// Puts layers together under all names.
pub(super) fn assemble(
    architecture: &str,
    config: &Value,
    layers: Vec<Arc<Layer>>,
    references: &[Reference],
) -> Assembled {
    let digests = layers.iter().map(|layer| format!("sha256:{}", layer.digest));
    let digests: Vec<_> = digests.collect();
    let created = |layer: &Arc<Layer>| json!({ "created": CREATED, "created_by": format!("kindwright: {}", layer.name) });
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "created": CREATED,
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": digests },
        "history": layers.iter().map(created).collect::<Vec<_>>(),
    });
    let config = config.to_string();
    let name = format!("{}.json", sha256_of(&config));
    let files: Vec<_> = layers.iter().map(|layer| file_name(layer)).collect();
    let manifest = json!([{ "Config": name, "RepoTags": references, "Layers": files }]);
    Assembled { layers, config: (name, config), manifest: manifest.to_string() }
}

fn file_name(layer: &Layer) -> String {
    format!("{}.tar", layer.name)
}

impl Assembled {
    /// The archive of all of it. The layers are not copied once more.
    fn stream(self) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
        let mut parts = Vec::new();
        for layer in self.layers {
            let [before, after] = archive::frame(&file_name(&layer), layer.size)?;
            parts.extend([part(before), layer.stream().boxed(), part(after)]);
        }
        let mut texts = Archive::small();
        let (name, config) = &self.config;
        texts.text(name, config)?;
        texts.text("manifest.json", &self.manifest)?;
        parts.push(part(texts.into_bytes()?));
        Ok(stream::iter(parts).flatten())
    }
}

fn part(bytes: Bytes) -> BoxStream<'static, io::Result<Bytes>> {
    stream::iter([Ok(bytes)]).boxed()
}

/// Loads what [`assemble`] made for `reference`; nothing is left of a load that is dropped.
pub(super) async fn load(
    docker: &Docker,
    reference: &Reference,
    image: Assembled,
) -> Result<(), ImageError> {
    let what = format!("load the image `{reference}`");
    let options = ImportImageOptionsBuilder::default().quiet(true).build();
    let body = image.stream().map_err(|error| ImageError::docker(&what)(error.into()))?;
    let messages = docker.import_image(options, body_try_stream(body), None);
    let loaded = PATIENCE.follow(messages, |_| Ok(())).await;
    loaded.map_err(|ended| match ended {
        Ended::Failed(error) => ImageError::docker(what)(error),
        Ended::GivenUp(exceeded) => ImageError::GivenUp {
            image: reference.infrastructure().to_owned(),
            what: format!("the load of `{reference}` into the Docker daemon"),
            exceeded,
            last: String::new(),
            next: "does the daemon answer `docker version`? if not, restart it".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_util::TryStreamExt as _;

    use super::*;
    use crate::digest::sha256;

    async fn assembled() -> BTreeMap<String, String> {
        let mut files = Archive::new().unwrap();
        files.text("motd", "welcome").unwrap();
        let layer = Arc::new(Layer::new("system", files).unwrap());
        let references = [Reference::new("gateway", "api", "0a1b2c3d")];
        let config = json!({ "User": "1001" });
        let image = assemble("amd64", &config, vec![layer], &references).stream().unwrap();
        let image = image.try_collect::<Vec<_>>().await.unwrap().concat();
        let mut image = tar::Archive::new(image.as_slice());
        let entries = image.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            (name, sha256(&mut entry).unwrap())
        });
        entries.collect()
    }

    #[tokio::test]
    async fn the_same_layers_make_the_same_image() {
        assert_eq!(assembled().await, assembled().await);
    }

    #[tokio::test]
    async fn the_configuration_is_named_by_its_digest() {
        let image = assembled().await;
        let config = image.iter().find(|(name, _)| name.len() == 69).unwrap();
        assert_eq!(*config.0, format!("{}.json", config.1));
        assert!(image.contains_key("manifest.json") && image.contains_key("system.tar"));
    }
}
