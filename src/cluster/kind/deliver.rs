//! Brings images from the Docker daemon into the containerd of every node.
//!
//! Each content has a name of its own on a node, beside those of the runs. It is
//! set last, so where it exists nothing has to be sent.

use std::collections::BTreeMap;

use bollard::Docker;
use futures_util::future::try_join_all;

use super::{node, sieve};
use crate::{
    cluster::{
        delivered::{Delivered, Delivery},
        error::DeliveryError,
    },
    image::{Built, Reference, content_name},
};

/// The names of a node's images, and what they stand for.
pub(super) type Names = BTreeMap<String, String>;

/// What the images are called in nodes that have these names: the content of each, and what is deployed.
pub(super) fn wanted(images: &[Built], before: &[Names]) -> Vec<(String, Delivered)> {
    let mut wanted = Vec::new();
    for image in images {
        let content = content_name(&image.id);
        for reference in &image.references {
            let earlier = deployed(&content, reference, before);
            let chosen = earlier.unwrap_or_else(|| reference.clone());
            let delivered = Delivered::new(reference.clone(), chosen, Delivery::Node);
            wanted.push((content.clone(), delivered));
        }
    }
    wanted
}

/// The name that an earlier run gave to the same content for the same consumer, in every node.
fn deployed(content: &str, wanted: &Reference, nodes: &[Names]) -> Option<Reference> {
    let (first, others) = nodes.split_first()?;
    let earlier = |names: &Names, name: &String| {
        let same = names.get(content).is_some_and(|content| names.get(name) == Some(content));
        same && wanted.is_kin_of(name)
    };
    let everywhere = |name: &&String| others.iter().all(|names| earlier(names, name));
    let found = first.keys().filter(|name| earlier(first, name)).find(everywhere)?;
    Some(Reference::known(found))
}

/// Whether nothing has to be brought to nodes that have these images.
pub(super) fn is_complete(nodes: &[Names], wanted: &[(String, Delivered)]) -> bool {
    let has = |names: &Names| {
        wanted.iter().all(|(_, delivered)| names.contains_key(delivered.reference()))
    };
    !nodes.is_empty() && nodes.iter().all(has)
}

/// Brings to one node what it does not have, and returns the names that it has got.
pub(super) async fn send(
    docker: &Docker,
    node: &str,
    before: &Names,
    wanted: &[(String, Delivered)],
) -> Result<Names, DeliveryError> {
    let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (content, delivered) in wanted {
        if !before.contains_key(delivered.reference()) {
            lacking.entry(content).or_default().push(delivered.reference());
        }
    }
    if lacking.is_empty() {
        return Ok(Names::new());
    }
    let absent = lacking.iter().filter(|(content, _)| !before.contains_key(**content));
    let absent: Vec<_> = absent.flat_map(|(_, names)| names).copied().collect();
    if !absent.is_empty() {
        // Only where something was brought before is there something to leave out.
        let known = if before.is_empty() { Vec::new() } else { contents(docker, node).await? };
        match import(docker, node, &absent, known).await {
            // Somebody has removed an image of which parts were left out.
            Err(DeliveryError::Refused { .. }) if !before.is_empty() => {
                import(docker, node, &absent, Vec::new()).await?;
            }
            done => done?,
        }
    }
    let naming = lacking.iter().map(async |(content, names)| {
        let (from, to) = match names.first() {
            Some(first) if !before.contains_key(*content) => (*first, &[*content][..]),
            _ => (*content, names.as_slice()),
        };
        // With force, as another delivery may have been here in the meantime.
        let arguments = [&["images", "tag", "--force", from], to].concat();
        node::ctr(docker, node, &arguments).await
    });
    try_join_all(naming).await?;
    if absent.is_empty() {
        // Each name has been set by a command of its own, and none has failed.
        return Ok(named(&lacking, before));
    }
    // An import that succeeds does not say that it has brought everything.
    let there = names(docker, node).await?;
    let lost: Vec<_> = absent.into_iter().filter(|name| !there.contains_key(*name)).collect();
    if lost.is_empty() {
        return Ok(there);
    }
    Err(DeliveryError::Lost { node: node.to_owned(), references: lost.join(", ") })
}

/// Brings images to a node, but for these contents.
async fn import(
    docker: &Docker,
    node: &str,
    images: &[&str],
    known: Vec<String>,
) -> Result<(), DeliveryError> {
    // A node runs what the daemon runs. `--all-platforms` would ask for
    // layers that an archive of Docker's containerd store does not have.
    let archive = sieve::without(docker.export_images(images), known);
    node::ctr_reading(docker, node, &["images", "import", "-"], archive).await.map(drop)
}

/// The digests of all contents that a node has.
async fn contents(docker: &Docker, node: &str) -> Result<Vec<String>, DeliveryError> {
    let listed = node::ctr(docker, node, &["content", "ls", "--quiet"]).await?;
    Ok(listed.lines().map(|line| line.trim().to_owned()).collect())
}

/// New names for what a node had.
fn named(lacking: &BTreeMap<&str, Vec<&str>>, before: &Names) -> Names {
    let contents =
        lacking.iter().filter_map(|(content, names)| Some((before.get(*content)?, names)));
    let names = contents.flat_map(|(digest, names)| names.iter().map(move |name| (digest, name)));
    names.map(|(digest, name)| ((*name).to_owned(), digest.clone())).collect()
}

/// The names that a node has.
pub(super) async fn names(docker: &Docker, node: &str) -> Result<Names, DeliveryError> {
    let table = node::ctr(docker, node, &["images", "ls", "name~=^localhost/"]).await?;
    Ok(parsed(&table))
}

/// Names and digests of the table that `ctr images ls` prints: REF, TYPE, DIGEST and more.
fn parsed(table: &str) -> Names {
    let rows = table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_whitespace();
        Some((columns.next()?.to_owned(), columns.nth(1)?.to_owned()))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &str = "localhost/kindwright:00112233445566778899aabbccddeeff";

    fn node(names: &[(&str, &str)]) -> Names {
        let own = [(CONTENT.trim_start_matches("localhost/"), "new")];
        let names = own.iter().chain(names);
        names.map(|(name, digest)| (format!("localhost/{name}"), (*digest).to_owned())).collect()
    }

    #[test]
    fn the_name_of_an_earlier_run_is_used_where_every_node_has_it_for_the_same_content() {
        let wanted = Reference::new("gateway", "api", "22222222");
        let earlier = node(&[("gateway:api-00000000", "old"), ("gateway:api-11111111", "new")]);
        let found = deployed(CONTENT, &wanted, &[earlier.clone(), earlier.clone()]);
        assert_eq!(found, Some(Reference::new("gateway", "api", "11111111")));
        let other = node(&[("gateway:api-11111111", "old")]);
        assert_eq!(deployed(CONTENT, &wanted, &[earlier.clone(), other]), None);
        let consumer = Reference::new("gateway", "holmesgpt-api", "22222222");
        assert_eq!(deployed(CONTENT, &consumer, &[earlier]), None);
    }

    #[test]
    fn what_a_delivery_names_is_known_to_the_next() {
        let before = node(&[("gateway:api-11111111", "old")]);
        let lacking = BTreeMap::from([(CONTENT, vec!["localhost/gateway:api-22222222"])]);
        let mut after = before.clone();
        after.extend(named(&lacking, &before));
        let next = Reference::new("gateway", "api", "33333333");
        let found = deployed(CONTENT, &next, &[after]);
        assert_eq!(found, Some(Reference::new("gateway", "api", "22222222")));
    }

    #[test]
    fn nothing_has_to_be_brought_where_every_node_has_what_will_be_deployed() {
        let id = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let reference = Reference::new("gateway", "api", "22222222");
        let built = [Built { id: id.to_owned(), references: vec![reference] }];
        let has = node(&[("gateway:api-11111111", "new")]);
        let complete = |nodes: &[Names]| is_complete(nodes, &wanted(&built, nodes));
        assert!(complete(std::slice::from_ref(&has)) && complete(&[has.clone(), has.clone()]));
        assert!(!complete(&[]) && !complete(&[has, node(&[])]));
    }

    #[test]
    fn a_table_is_read_by_its_columns() {
        let table = "REF                TYPE      DIGEST     SIZE     PLATFORMS   LABELS\n\
                     localhost/a:b-c  application/vnd.oci.image.manifest.v1+json sha256:00 1.1 MiB linux/amd64 -\n";
        let names = parsed(table);
        assert_eq!(names.get("localhost/a:b-c").map(String::as_str), Some("sha256:00"));
        assert_eq!(names.len(), 1);
    }
}
