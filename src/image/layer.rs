//! A packed layer, which many images may hold.

use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::task::spawn_blocking;

use super::archive::Archive;
use crate::digest::sha256;

/// How much of a layer is sent at once.
const CHUNK: usize = 1 << 20;

/// The files of a layer, and the digest by which images name it.
#[derive(Debug)]
pub(super) struct Layer {
    /// What it holds, in a word.
    pub(super) name: &'static str,
    /// The SHA-256 of its content.
    pub(super) digest: String,
    /// How long its content is.
    pub(super) size: u64,
    content: File,
}

impl Layer {
    /// The layer of these files. Takes as long as it is big.
    pub(super) fn new(name: &'static str, files: Archive) -> io::Result<Self> {
        let content = files.into_file()?;
        let digest = sha256(&content)?;
        Ok(Self { name, digest, size: content.metadata()?.len(), content })
    }

    /// Its content, for one of the images that hold it.
    pub(super) fn stream(self: Arc<Self>) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::try_unfold(0, move |at| {
            let layer = Arc::clone(&self);
            async move {
                let chunk = spawn_blocking(move || layer.chunk(at)).await??;
                let next = at + chunk.len() as u64;
                Ok((!chunk.is_empty()).then_some((chunk, next)))
            }
        })
    }

    /// The part that begins at `at`; others may read at the same time.
    fn chunk(&self, at: u64) -> io::Result<Bytes> {
        let left = usize::try_from(self.size.saturating_sub(at)).unwrap_or(CHUNK);
        let mut chunk = vec![0; left.min(CHUNK)];
        self.content.read_exact_at(&mut chunk, at)?;
        Ok(chunk.into())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{TryStreamExt as _, future::try_join};

    use super::*;

    #[tokio::test]
    async fn a_layer_is_read_by_many_at_once() {
        let text = "tea".repeat(CHUNK / 2);
        let mut files = Archive::new().unwrap();
        files.text("leaves", &text).unwrap();
        let layer = Arc::new(Layer::new("pot", files).unwrap());
        let read = || Arc::clone(&layer).stream().try_collect::<Vec<_>>();
        let (first, second) = try_join(read(), read()).await.unwrap();
        assert!(first.len() > 1);
        assert_eq!(first, second);
        assert_eq!(sha256(first.concat().as_slice()).unwrap(), layer.digest);
    }
}
