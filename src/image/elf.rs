//! Reads from an ELF file what its loader needs, without running it.
//!
//! Only 64-bit little-endian files are read: every architecture on which kind
//! runs is one of those.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;

const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// More than any real table has; a damaged file must not claim the memory.
const MOST: u64 = 16 << 20;

/// What an ELF file asks of its loader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elf {
    /// The number of its architecture.
    pub(super) machine: u16,
    /// The loader, if it is not static.
    pub(super) interpreter: Option<String>,
    /// The names of the libraries that it links.
    pub(super) needed: Vec<String>,
    /// Where it wants them to be looked for first; may begin with `$ORIGIN`.
    pub(super) search: Vec<String>,
}

/// A part of the file, and where it is in memory.
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

impl Elf {
    /// Reads the file at `path`; [`io::ErrorKind::InvalidData`] if it is none of those.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let header = bytes_at(&file, 0, HEADER as u64).map_err(|_short| no_elf())?;
        if !header.starts_with(b"\x7fELF") {
            return Err(no_elf());
        }
        if header[4] != 2 || header[5] != 1 {
            return Err(invalid("is not 64-bit little-endian"));
        }
        let segments = segments(&file, &header)?;
        let interpreter = match segments.iter().find(|segment| segment.kind == PT_INTERP) {
            Some(segment) => {
                let bytes = bytes_at(&file, segment.offset, segment.size)?;
                Some(text_at(&bytes, 0)?)
            }
            None => None,
        };
        let mut elf = Self {
            machine: u16::from_le_bytes([header[18], header[19]]),
            interpreter,
            needed: Vec::new(),
            search: Vec::new(),
        };
        if let Some(dynamic) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) {
            elf.link(&file, &segments, dynamic)?;
        }
        Ok(elf)
    }

    /// The architecture in the words of Docker.
    pub(super) fn architecture(&self) -> String {
        match self.machine {
            62 => "amd64".to_owned(),
            183 => "arm64".to_owned(),
            21 => "ppc64le".to_owned(),
            243 => "riscv64".to_owned(),
            258 => "loong64".to_owned(),
            other => format!("ELF machine {other}"),
        }
    }

    fn link(&mut self, file: &File, segments: &[Segment], dynamic: &Segment) -> io::Result<()> {
        let table = bytes_at(file, dynamic.offset, dynamic.size)?;
        let entries: Vec<_> = table
            .as_chunks::<16>()
            .0
            .iter()
            .map(|entry| (number(entry, 0), number(entry, 8)))
            .take_while(|(tag, _)| *tag != DT_NULL)
            .collect();
        let value =
            |wanted| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
        let (Some(address), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else {
            return Ok(());
        };
        let holder = segments.iter().find(|segment| {
            segment.kind == PT_LOAD
                && address.checked_sub(segment.address).is_some_and(|o| o < segment.size)
        });
        let holder = holder.ok_or_else(|| invalid("is damaged: its strings are nowhere"))?;
        let strings = bytes_at(file, holder.offset.saturating_add(address - holder.address), size)?;
        for (tag, value) in &entries {
            if *tag == DT_NEEDED {
                self.needed.push(text_at(&strings, *value)?);
            }
        }
        // DT_RUNPATH, where there is one, makes the loader ignore DT_RPATH.
        if let Some(search) = value(DT_RUNPATH).or_else(|| value(DT_RPATH)) {
            let search = text_at(&strings, search)?;
            self.search = search.split(':').filter(|d| !d.is_empty()).map(str::to_owned).collect();
        }
        Ok(())
    }
}

fn segments(file: &File, header: &[u8]) -> io::Result<Vec<Segment>> {
    let count = u64::from(u16::from_le_bytes([header[56], header[57]]));
    let table = bytes_at(file, number(header, 32), count * PROGRAM_HEADER as u64)?;
    let segments = table.as_chunks::<PROGRAM_HEADER>().0.iter().map(|entry| Segment {
        kind: u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]),
        offset: number(entry, 8),
        address: number(entry, 16),
        size: number(entry, 32),
    });
    Ok(segments.collect())
}

fn bytes_at(file: &File, offset: u64, size: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(size.min(MOST)).map_err(|_wide| invalid("is damaged"))?;
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// The eight bytes at `at`, which the caller knows to be there.
fn number(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn text_at(bytes: &[u8], at: u64) -> io::Result<String> {
    let start = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
    let text = start.and_then(|rest| rest.split(|byte| *byte == 0).next());
    let text = text.and_then(|text| std::str::from_utf8(text).ok());
    text.map(str::to_owned).ok_or_else(|| invalid("is damaged: a name leads nowhere"))
}

fn no_elf() -> io::Error {
    invalid("is not an ELF file")
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRINGS: &[u8] = b"\0libc.so.6\0$ORIGIN/../lib:/opt/lib\0";

    /// A file of one loaded segment at address 0x1000, with a loader, a library and a RUNPATH.
    fn made() -> Vec<u8> {
        let word = |value: u64| value.to_le_bytes();
        let segment = |kind: u32, offset: u64, size: u64| {
            let mut entry = [kind.to_le_bytes(), [0; 4]].concat();
            for value in [offset, offset + 0x1000, 0, size, size, 8] {
                entry.extend(word(value));
            }
            entry
        };
        let tables = HEADER + 3 * PROGRAM_HEADER;
        let interpreter = b"/lib64/ld.so\0";
        let dynamic = tables + interpreter.len();
        let strings = dynamic + 5 * 16;
        let mut file = vec![0; HEADER];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[18..20].copy_from_slice(&183_u16.to_le_bytes());
        file[32..40].copy_from_slice(&word(HEADER as u64));
        file[56..58].copy_from_slice(&3_u16.to_le_bytes());
        file.extend(segment(PT_LOAD, 0, (strings + STRINGS.len()) as u64));
        file.extend(segment(PT_INTERP, tables as u64, interpreter.len() as u64));
        file.extend(segment(PT_DYNAMIC, dynamic as u64, 5 * 16));
        file.extend(interpreter);
        for (tag, value) in [
            (DT_NEEDED, 1),
            (DT_RUNPATH, 11),
            (DT_STRTAB, 0x1000 + strings as u64),
            (DT_STRSZ, STRINGS.len() as u64),
            (DT_NULL, 0),
        ] {
            file.extend(word(tag));
            file.extend(word(value));
        }
        file.extend(STRINGS);
        file
    }

    fn read(bytes: &[u8]) -> io::Result<Elf> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Elf::read(file.path())
    }

    #[test]
    fn loader_libraries_and_search_path_are_found() {
        let elf = read(&made()).unwrap();
        assert_eq!(elf.architecture(), "arm64");
        assert_eq!(elf.interpreter.as_deref(), Some("/lib64/ld.so"));
        assert_eq!(elf.needed, ["libc.so.6"]);
        assert_eq!(elf.search, ["$ORIGIN/../lib", "/opt/lib"]);
    }

    #[test]
    fn a_script_is_no_elf_file() {
        let error = read(b"#!/bin/sh\n").unwrap_err();
        assert_eq!(error.to_string(), "is not an ELF file");
    }

    #[test]
    fn a_file_cut_off_anywhere_is_an_error_and_no_panic() {
        let whole = made();
        for end in 0..whole.len() - STRINGS.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn this_test_itself_is_read() {
        let elf = Elf::read(&std::env::current_exe().unwrap()).unwrap();
        assert_ne!(elf.machine, 0);
    }
}
