//! Writes tar archives that are the same for the same content.
//!
//! Times and owners are left out and the caller adds in a fixed order, so that
//! caches hit and ids stay when nothing changed. The archive is a file without a
//! name: nothing is left of it, however the run ends.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    path::Path,
};

use bytes::Bytes;
use futures_util::Stream;
use tar::{Builder, EntryType, Header};
use tokio_util::io::ReaderStream;

/// How much of an archive is sent at once.
const CHUNK: usize = 1 << 20;

/// An archive that is being written.
pub(super) struct Archive(Builder<io::BufWriter<File>>);

impl Archive {
    /// An empty archive.
    pub(super) fn new() -> io::Result<Self> {
        let file = io::BufWriter::with_capacity(CHUNK, tempfile::tempfile()?);
        Ok(Self(Builder::new(file)))
    }

    /// Adds a directory.
    pub(super) fn directory(&mut self, name: impl AsRef<Path>, mode: u32) -> io::Result<()> {
        self.add(EntryType::Directory, name, mode, 0, io::empty())
    }

    /// Adds a file with this text.
    pub(super) fn text(&mut self, name: impl AsRef<Path>, text: &str) -> io::Result<()> {
        self.add(EntryType::Regular, name, 0o644, text.len() as u64, text.as_bytes())
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, name: impl AsRef<Path>, target: &Path) -> io::Result<()> {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        self.0.append_link(&mut header, name, target)
    }

    /// Adds what `file` holds from its beginning.
    pub(super) fn file(
        &mut self,
        name: impl AsRef<Path>,
        mode: u32,
        mut file: &File,
    ) -> io::Result<()> {
        let size = file.metadata()?.len();
        file.rewind()?;
        let mut content = file.take(size);
        self.add(EntryType::Regular, name, mode, size, &mut content)?;
        if content.limit() == 0 {
            return Ok(());
        }
        // The header has promised more than there was, which breaks the archive.
        Err(io::Error::other("was cut short while it was read"))
    }

    /// Ends the archive, and returns its file at the beginning.
    pub(super) fn into_file(self) -> io::Result<File> {
        let writer = self.0.into_inner()?;
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }

    /// Ends the archive and streams it.
    pub(super) fn into_stream(
        self,
    ) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
        let file = tokio::fs::File::from_std(self.into_file()?);
        Ok(ReaderStream::with_capacity(file, CHUNK))
    }

    fn add(
        &mut self,
        kind: EntryType,
        name: impl AsRef<Path>,
        mode: u32,
        size: u64,
        content: impl io::Read,
    ) -> io::Result<()> {
        let mut header = header(kind, mode, size);
        self.0.append_data(&mut header, name, content)
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use futures_util::TryStreamExt as _;

    use super::*;

    async fn written() -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"content").unwrap();
        let mut archive = Archive::new().unwrap();
        archive.directory("system/tmp", 0o1777).unwrap();
        archive.text("Dockerfile", "FROM scratch\n").unwrap();
        archive.file("program", 0o755, &file).unwrap();
        archive.link("link", Path::new("program")).unwrap();
        let chunks = archive.into_stream().unwrap();
        let chunks: Vec<_> = chunks.try_collect().await.unwrap();
        chunks.concat()
    }

    #[tokio::test]
    async fn the_same_content_makes_the_same_archive() {
        let archive = written().await;
        assert_eq!(archive, written().await);
        let mut archive = tar::Archive::new(archive.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), 0);
            let name = entry.path().unwrap().display().to_string();
            (name, header.mode().unwrap(), header.size().unwrap())
        });
        let entries: Vec<_> = entries.collect();
        let entries: Vec<_> =
            entries.iter().map(|(name, mode, size)| (name.as_str(), *mode, *size)).collect();
        assert_eq!(
            entries,
            [
                ("system/tmp", 0o1777, 0),
                ("Dockerfile", 0o644, 13),
                ("program", 0o755, 7),
                ("link", 0o777, 0),
            ]
        );
    }
}
