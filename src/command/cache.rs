//! Lists and removes the images that are kept for the next run.

use std::fmt::Write as _;

use tokio::runtime::Runtime;

use super::Failure;
use crate::{
    docker::Endpoint,
    image::{self, Cached},
    settings::Settings,
};

/// The kept images, a line each; nothing where there are none.
pub(super) fn table(cached: &[Cached]) -> String {
    let mut text = String::new();
    if !cached.is_empty() {
        text.push_str("CACHED IMAGES (`kindwright reap --cache` removes them)\n");
    }
    for Cached { reference, size } in cached {
        // Writing into a string does not fail.
        let _ = writeln!(text, "{:>6} MiB  {reference}", size >> 20);
    }
    text
}

/// The kept images.
pub(super) fn list(runtime: &Runtime, settings: &Settings) -> Result<Vec<Cached>, Failure> {
    runtime.block_on(async {
        let endpoint = Endpoint::resolve(settings.docker_host.as_deref()).await?;
        Ok(image::cached(&endpoint.connect().await?).await?)
    })
}

/// Removes the kept images, and returns those that were there.
pub(super) fn remove(runtime: &Runtime, settings: &Settings) -> Result<Vec<Cached>, Failure> {
    runtime.block_on(async {
        let endpoint = Endpoint::resolve(settings.docker_host.as_deref()).await?;
        Ok(image::remove_cached(&endpoint.connect().await?).await?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_image_is_a_line_with_its_size() {
        let reference = "localhost/kindwright-cache:shop-1-2-3".to_owned();
        let table = table(&[Cached { reference, size: 35 << 20 }]);
        assert!(
            table.ends_with("\n    35 MiB  localhost/kindwright-cache:shop-1-2-3\n"),
            "{table}"
        );
        assert_eq!(super::table(&[]), "");
    }
}
