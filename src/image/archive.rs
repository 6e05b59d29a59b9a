//! Writes tar archives that are the same for the same content.
//!
//! Times and owners are left out and the caller adds in a fixed order, so that
//! caches hit and ids stay when nothing changed.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    path::Path,
};

use bytes::Bytes;
use futures_util::Stream;
use tar::{Builder, EntryType, Header};
use tokio_util::io::ReaderStream;

use super::temporary;

/// How much of an archive is sent at once.
const CHUNK: usize = 1 << 20;

/// How long the blocks of an archive are.
const BLOCK: u64 = 512;

/// An archive that is being written, into a file unless it is small.
pub(super) struct Archive<W: io::Write = io::BufWriter<File>>(Builder<W>);

impl<W: io::Write> Archive<W> {
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

impl Archive<Vec<u8>> {
    /// An empty archive in memory.
    pub(super) fn small() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// Ends the archive.
    pub(super) fn into_bytes(self) -> io::Result<Bytes> {
        self.0.into_inner().map(Bytes::from)
    }
}

impl Archive {
    /// An empty archive.
    pub(super) fn new() -> io::Result<Self> {
        let file = io::BufWriter::with_capacity(CHUNK, temporary::file()?);
        Ok(Self(Builder::new(file)))
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
}

/// What stands before and after the content of a file in an archive, for content that is elsewhere.
pub(super) fn frame(name: &str, size: u64) -> io::Result<[Bytes; 2]> {
    let mut header = header(EntryType::Regular, 0o644, size);
    header.set_path(name)?;
    header.set_cksum();
    let filling = size.next_multiple_of(BLOCK) - size;
    let filling = std::iter::repeat_n(0, usize::try_from(filling).unwrap_or_default());
    Ok([Bytes::copy_from_slice(header.as_bytes()), filling.collect()])
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
