//! Reads from an ELF file what its loader needs, without running it.

use std::{fs::File, io, path::Path};

use object::{
    Endianness, ReadCache, StringTable, elf,
    read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _},
};

/// All that is read here: no architecture on which kind runs has another one.
type Header = elf::FileHeader64<Endianness>;
type Segment = elf::ProgramHeader64<Endianness>;

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

impl Elf {
    /// Reads the file at `path`; [`io::ErrorKind::InvalidData`] if it is none of those.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        // Only what is asked for is read: a debug build has a hundred megabytes.
        let data = ReadCache::new(File::open(path)?);
        let header = Header::parse(&data).map_err(|_other| invalid("is not a 64-bit ELF file"))?;
        Self::parse(header, &data).map_err(|error| invalid(&format!("is damaged: {error}")))
    }

    /// The architecture in the words of Docker.
    pub(super) fn architecture(&self) -> String {
        match self.machine {
            elf::EM_X86_64 => "amd64".to_owned(),
            elf::EM_AARCH64 => "arm64".to_owned(),
            elf::EM_PPC64 => "ppc64le".to_owned(),
            elf::EM_RISCV => "riscv64".to_owned(),
            elf::EM_LOONGARCH => "loong64".to_owned(),
            elf::EM_S390 => "s390x".to_owned(),
            other => format!("ELF machine {other}"),
        }
    }

    fn parse(header: &Header, data: &ReadCache<File>) -> object::read::Result<Self> {
        let endian = header.endian()?;
        let segments = header.program_headers(endian, data)?;
        let mut elf = Self {
            machine: header.e_machine(endian),
            interpreter: None,
            needed: Vec::new(),
            search: Vec::new(),
        };
        let mut entries = &[][..];
        for segment in segments {
            if let Some(path) = segment.interpreter(endian, data)? {
                elf.interpreter = Some(text(path));
            }
            if let Some(dynamic) = segment.dynamic(endian, data)? {
                entries = dynamic;
            }
        }
        let entries: Vec<_> =
            entries.iter().take_while(|entry| entry.tag(endian) != elf::DT_NULL).collect();
        let find = |tag| entries.iter().find(|entry| entry.tag(endian) == tag);
        let value = |tag| find(tag).map(|entry| entry.val(endian));
        let (Some(address), Some(size)) = (value(elf::DT_STRTAB), value(elf::DT_STRSZ)) else {
            return Ok(elf);
        };
        let start = segments.iter().find_map(|segment| offset(segment, endian, address));
        // Where they are nowhere, each of them is an error.
        let start = start.unwrap_or(u64::MAX);
        let strings = StringTable::new(data, start, start.saturating_add(size));
        for entry in entries.iter().filter(|entry| entry.tag(endian) == elf::DT_NEEDED) {
            elf.needed.push(text(entry.string(endian, strings)?));
        }
        // DT_RUNPATH, where there is one, makes the loader ignore DT_RPATH.
        if let Some(entry) = find(elf::DT_RUNPATH).or_else(|| find(elf::DT_RPATH)) {
            let search = text(entry.string(endian, strings)?);
            elf.search = search.split(':').filter(|d| !d.is_empty()).map(str::to_owned).collect();
        }
        Ok(elf)
    }
}

/// Where in the file a loaded segment has what it brings to `address`.
fn offset(segment: &Segment, endian: Endianness, address: u64) -> Option<u64> {
    let (start, size) = segment.file_range(endian);
    let within = address.checked_sub(segment.p_vaddr(endian)).filter(|within| *within < size)?;
    (segment.p_type(endian) == elf::PT_LOAD).then(|| start.saturating_add(within))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: usize = 64;
    const PROGRAM_HEADER: usize = 56;
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
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        file[18..20].copy_from_slice(&183_u16.to_le_bytes());
        file[32..40].copy_from_slice(&word(HEADER as u64));
        file[54..56].copy_from_slice(&56_u16.to_le_bytes());
        file[56..58].copy_from_slice(&3_u16.to_le_bytes());
        file.extend(segment(elf::PT_LOAD, 0, (strings + STRINGS.len()) as u64));
        file.extend(segment(elf::PT_INTERP, tables as u64, interpreter.len() as u64));
        file.extend(segment(elf::PT_DYNAMIC, dynamic as u64, 5 * 16));
        file.extend(interpreter);
        for (tag, value) in [
            (elf::DT_NEEDED, 1),
            (elf::DT_RUNPATH, 11),
            (elf::DT_STRTAB, 0x1000 + strings as u64),
            (elf::DT_STRSZ, STRINGS.len() as u64),
            (elf::DT_NULL, 0),
        ] {
            file.extend(tag.to_le_bytes());
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
        assert_eq!(error.to_string(), "is not a 64-bit ELF file");
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
