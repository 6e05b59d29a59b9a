//! Assembles an image from layers, and loads it into the Docker daemon.
//!
//! No builder is asked: an image of files that are all at hand needs none, and
//! `BuildKit` would keep two more copies of them in its cache after every change.

use std::io;

use bollard::{
    Docker, body_try_stream, errors::Error, query_parameters::ImportImageOptionsBuilder,
};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use super::{Reference, archive::Archive};
use crate::digest::{sha256, sha256_of};

/// The same for all, as a time would change the id of unchanged content.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// Puts layers together under all names, in the format of `docker save`.
///
/// Takes as long as the layers are big, so it belongs on a thread of its own.
pub(super) fn assemble(
    architecture: &str,
    config: &Value,
    layers: Vec<(&str, Archive)>,
    references: &[Reference],
) -> io::Result<Archive> {
    let mut image = Archive::new()?;
    let (mut names, mut digests, mut history) = (Vec::new(), Vec::new(), Vec::new());
    for (name, layer) in layers {
        let layer = layer.into_file()?;
        digests.push(format!("sha256:{}", sha256(&layer)?));
        names.push(format!("{name}.tar"));
        history.push(json!({ "created": CREATED, "created_by": format!("kindwright: {name}") }));
        image.file(format!("{name}.tar"), 0o644, &layer)?;
    }
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "created": CREATED,
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": digests },
        "history": history,
    });
    let config = config.to_string();
    let config_name = format!("{}.json", sha256_of(&config));
    image.text(&config_name, &config)?;
    let manifest = json!([{ "Config": config_name, "RepoTags": references, "Layers": names }]);
    image.text("manifest.json", &manifest.to_string())?;
    Ok(image)
}

/// Loads what [`assemble`] made; nothing is left of a load that is dropped.
pub(super) async fn load(docker: &Docker, image: Archive) -> Result<(), Error> {
    let options = ImportImageOptionsBuilder::default().quiet(true).build();
    let body = body_try_stream(image.into_stream()?);
    docker.import_image(options, body, None).try_for_each(async |_progress| Ok(())).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn assembled() -> BTreeMap<String, String> {
        let mut layer = Archive::new().unwrap();
        layer.text("motd", "welcome").unwrap();
        let references = [Reference::new("gateway", "api", "0a1b2c3d")];
        let config = json!({ "User": "1001" });
        let image = assemble("amd64", &config, vec![("system", layer)], &references).unwrap();
        let mut image = tar::Archive::new(image.into_file().unwrap());
        let entries = image.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            (name, sha256(&mut entry).unwrap())
        });
        entries.collect()
    }

    #[test]
    fn the_same_layers_make_the_same_image() {
        assert_eq!(assembled(), assembled());
    }

    #[test]
    fn the_configuration_is_named_by_its_digest() {
        let image = assembled();
        let config = image.iter().find(|(name, _)| name.len() == 69).unwrap();
        assert_eq!(*config.0, format!("{}.json", config.1));
        assert!(image.contains_key("manifest.json") && image.contains_key("system.tar"));
    }
}
