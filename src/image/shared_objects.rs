//! Finds the libraries that a program links, as its loader would.

use std::{
    collections::{BTreeMap, VecDeque},
    fs, io,
    path::{Path, PathBuf},
};

use super::elf::Elf;

/// Where every loader looks at last.
const LAST: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// The list of directories that the loader's cache is made from.
const LIST: &str = "/etc/ld.so.conf";

/// What glibc opens by name once a program resolves a host name; before 2.34
/// these are files of their own that no program links.
const BY_NAME: [&str; 3] = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

/// A library that was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) library: String,
    pub(super) needed_by: PathBuf,
}

/// The files of all libraries that `program` links, directly or not, by the names under which they are linked.
///
/// Only the first of a name counts, because a loader loads a name once.
pub(super) fn linked_by(program: &Path, elf: &Elf) -> Result<BTreeMap<String, PathBuf>, Missing> {
    let Some(loader) = elf.interpreter.as_deref().map(Path::new) else {
        return Ok(BTreeMap::new());
    };
    let directories = directories_of(loader);
    let mut found = BTreeMap::new();
    let mut queue = VecDeque::from([(program.to_owned(), elf.clone())]);
    while let Some((path, object)) = queue.pop_front() {
        let own = object.search.iter().map(|directory| expanded(directory, &path));
        let own: Vec<_> = own.collect();
        for name in object.needed {
            if found.contains_key(&name) || loader.file_name() == Some(name.as_ref()) {
                continue;
            }
            let all = own.iter().chain(&directories);
            let Some((file, library)) = search(&name, elf.machine, all) else {
                return Err(Missing { library: name, needed_by: path });
            };
            found.insert(name, file.clone());
            queue.push_back((file, library));
        }
    }
    if found.contains_key("libc.so.6") {
        for name in BY_NAME {
            if let Some((file, _)) = search(name, elf.machine, directories.iter()) {
                found.entry(name.to_owned()).or_insert(file);
            }
        }
    }
    Ok(found)
}

/// The first file of that name and of that architecture; a name with `/` is a path.
fn search<'a>(
    name: &str,
    machine: u16,
    directories: impl Iterator<Item = &'a PathBuf>,
) -> Option<(PathBuf, Elf)> {
    let named = name.contains('/').then(|| PathBuf::from(name));
    let candidates = directories.map(|directory| directory.join(name));
    named.into_iter().chain(candidates).find_map(|file| {
        let elf = Elf::read(&file).ok()?;
        (elf.machine == machine).then_some((file, elf))
    })
}

fn expanded(directory: &str, object: &Path) -> PathBuf {
    let origin = fs::canonicalize(object).unwrap_or_else(|_| object.to_owned());
    let origin = origin.parent().unwrap_or(Path::new("/")).to_string_lossy();
    let directory = directory.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
    PathBuf::from(directory)
}

/// Where `loader` looks of itself: the configured directories, its own, the usual ones.
fn directories_of(loader: &Path) -> Vec<PathBuf> {
    let mut directories = Vec::new();
    read_list(Path::new(LIST), &mut directories);
    // A loader is installed beside its libc, whatever the distribution.
    let real = fs::canonicalize(loader).unwrap_or_else(|_| loader.to_owned());
    directories.extend(real.parent().map(Path::to_owned));
    directories.extend(LAST.map(PathBuf::from));
    directories
}

/// Adds what a list names; one that cannot be read names nothing.
fn read_list(list: &Path, directories: &mut Vec<PathBuf>) {
    let text = fs::read_to_string(list).unwrap_or_default();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) =
            line.strip_prefix("include").filter(|rest| rest.starts_with([' ', '\t']))
        {
            let pattern = list.parent().unwrap_or(Path::new("/")).join(pattern.trim());
            for included in matching(&pattern).unwrap_or_default() {
                if included != list {
                    read_list(&included, directories);
                }
            }
        } else if line.starts_with('/') {
            directories.push(PathBuf::from(line));
        }
    }
}

/// The files that a pattern with at most one `*`, in its last part, names.
fn matching(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(directory), Some(name)) = (pattern.parent(), pattern.file_name()) else {
        return Ok(Vec::new());
    };
    let name = name.to_string_lossy();
    let Some((start, end)) = name.split_once('*') else {
        return Ok(vec![pattern.to_owned()]);
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_of_this_test_is_found() {
        let program = std::env::current_exe().unwrap();
        let elf = Elf::read(&program).unwrap();
        let libraries = linked_by(&program, &elf).unwrap();
        assert!(elf.needed.iter().all(|name| {
            let loader = elf.interpreter.as_ref().is_some_and(|path| path.ends_with(name.as_str()));
            loader || libraries.contains_key(name)
        }));
        assert!(libraries.values().all(|file| file.is_file()));
    }

    #[test]
    fn a_library_that_is_nowhere_is_named_with_its_user() {
        let elf = Elf {
            machine: 62,
            interpreter: Some("/lib64/ld.so".into()),
            needed: vec!["libnowhere.so.1".into()],
            search: Vec::new(),
        };
        let missing = linked_by(Path::new("/program"), &elf).unwrap_err();
        assert_eq!(missing.library, "libnowhere.so.1");
        assert_eq!(missing.needed_by, Path::new("/program"));
    }

    #[test]
    fn origin_is_where_the_object_is() {
        let directory = expanded("$ORIGIN/../lib", Path::new("/nowhere/bin/program"));
        assert_eq!(directory, Path::new("/nowhere/bin/../lib"));
    }

    #[test]
    fn a_list_includes_others_and_ignores_comments() {
        let directory = tempfile::tempdir().unwrap();
        let list = directory.path().join("ld.so.conf");
        fs::write(&list, "include more/*.conf\n/opt/a # own\n").unwrap();
        fs::create_dir(directory.path().join("more")).unwrap();
        fs::write(directory.path().join("more/b.conf"), "# none\n/opt/b\n").unwrap();
        fs::write(directory.path().join("more/c.txt"), "/opt/c\n").unwrap();
        let mut directories = Vec::new();
        read_list(&list, &mut directories);
        assert_eq!(directories, [Path::new("/opt/b"), Path::new("/opt/a")]);
    }
}
