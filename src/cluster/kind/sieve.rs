//! Leaves out of an archive of images the layers that a node has.

use std::collections::BTreeSet;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt as _, stream};
use tar::Header;

/// The unit of archives.
const BLOCK: usize = 512;

/// Where an archive in OCI's layout has contents, each called by its digest.
const BLOBS: &str = "blobs/sha256/";

/// A filter of an archive that comes in pieces.
#[derive(Debug)]
struct Sieve {
    /// The contents that are left out, by the digits of their digests.
    known: BTreeSet<String>,
    /// What is not yet a whole header.
    header: BytesMut,
    /// How much of an entry, its padding included, is still to come, and whether it is kept.
    entry: (u64, bool),
    /// Whether the next entry belongs to one that describes it.
    described: bool,
    /// Whether the end of the archive has come.
    over: bool,
}

/// The archive without contents that are known, given as `sha256:` and digits.
///
/// An archive that is not in OCI's layout, as Docker wrote it before version 25, passes as it is.
pub(super) fn without<E>(
    archive: impl Stream<Item = Result<Bytes, E>>,
    known: impl IntoIterator<Item = String>,
) -> impl Stream<Item = Result<Bytes, E>> {
    let digits = |digest: String| digest.strip_prefix("sha256:").map(ToOwned::to_owned);
    let mut sieve = Sieve {
        known: known.into_iter().filter_map(digits).collect(),
        header: BytesMut::new(),
        entry: (0, true),
        described: false,
        over: false,
    };
    archive.map_ok(move |piece| stream::iter(sieve.pass(piece).into_iter().map(Ok))).try_flatten()
}

impl Sieve {
    /// What is kept of the next piece.
    fn pass(&mut self, mut piece: Bytes) -> Vec<Bytes> {
        let mut kept = Vec::new();
        while !piece.is_empty() {
            let (left, keep) = self.entry;
            if self.over {
                kept.push(std::mem::take(&mut piece));
            } else if left > 0 {
                let part = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let part = piece.split_to(part);
                self.entry.0 -= part.len() as u64;
                if keep {
                    kept.push(part);
                }
            } else {
                let part = piece.len().min(BLOCK - self.header.len());
                self.header.extend_from_slice(&piece[..part]);
                piece.advance(part);
                if self.header.len() == BLOCK {
                    kept.extend(self.begin());
                }
            }
        }
        kept
    }

    /// Begins the entry whose header is whole; its header, if the entry is kept.
    fn begin(&mut self) -> Option<Bytes> {
        let block = std::mem::take(&mut self.header).freeze();
        let header = Header::from_byte_slice(&block);
        let size = header.entry_size().ok().filter(|_| block.iter().any(|byte| *byte != 0));
        let Some(size) = size else {
            // The end; or no archive at all, which the node will refuse in its own words.
            self.over = true;
            return Some(block);
        };
        let kind = header.entry_type();
        let describes =
            kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions();
        let path = header.path_bytes();
        let digest =
            path.strip_prefix(BLOBS.as_bytes()).and_then(|digits| str::from_utf8(digits).ok());
        let keep = self.described || !digest.is_some_and(|digits| self.known.contains(digits));
        self.described = describes;
        self.entry = (size.next_multiple_of(BLOCK as u64), keep);
        keep.then(|| block.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// An archive of contents that are called `name`, after a description where one is long.
    fn archive(names: &[&str]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = Header::new_ustar();
            header.set_size(700);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, [7; 700].as_slice()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    async fn passed(archive: &[u8], piece: usize, known: &[&str]) -> Vec<u8> {
        let pieces =
            archive.chunks(piece).map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)));
        let pieces: Vec<_> = pieces.collect();
        let known = known.iter().map(|digest| (*digest).to_owned());
        let kept: Vec<_> = without(stream::iter(pieces), known).try_collect().await.unwrap();
        kept.concat()
    }

    #[tokio::test]
    async fn known_contents_are_left_out_however_the_archive_is_cut() {
        let whole = archive(&["oci-layout", "blobs/sha256/aa", "blobs/sha256/bb", "index.json"]);
        let wanted = archive(&["oci-layout", "blobs/sha256/bb", "index.json"]);
        for piece in [1, 511, 512, 513, 1300, 1 << 20] {
            assert_eq!(passed(&whole, piece, &["sha256:aa", "sha256:cc"]).await, wanted, "{piece}");
        }
    }

    #[tokio::test]
    async fn what_is_not_in_the_layout_of_oci_passes_as_it_is() {
        let old = archive(&["aa/layer.tar", "aa.json", "manifest.json"]);
        assert_eq!(passed(&old, 100, &["sha256:aa"]).await, old);
        let long = archive(&[&format!("blobs/sha256/{}", "aa".repeat(60))]);
        assert_eq!(passed(&long, 100, &["sha256:aa"]).await, long);
        let other = vec![1; 2000];
        assert_eq!(passed(&other, 100, &["sha256:aa"]).await, other);
    }
}
