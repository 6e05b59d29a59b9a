//! Packs a program of this machine with nothing but what it needs to start.
//!
//! There is no shell and no distribution in the image: the program without its
//! debug information, its loader, the libraries that it links, a `/tmp`, and
//! the certificates that this machine trusts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{
    ImageError, Reference,
    archive::Archive,
    elf::Elf,
    layer::Layer,
    limit,
    load::{self, Assembled},
    shared_objects,
    stamp::Stamp,
    strip,
    workshop::Workshop,
};
use crate::digest::sha256_of;

/// Where the program is in its image.
const PROGRAM: &str = "/program";

/// Where its libraries are in the image.
const LIBRARIES: &str = "/lib";

/// Where systems keep the certificates that they trust, all in one file.
const CERTIFICATES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Part of what decides whether an image is still right: how it was packed.
const PACKING: &str = concat!("kindwright ", env!("CARGO_PKG_VERSION"));

/// A program, and all that its image will hold.
#[derive(Clone, Debug)]
pub(super) struct Program {
    image: String,
    path: PathBuf,
    stamp: Stamp,
    architecture: String,
    /// Files of this machine by their path in the image.
    system: BTreeMap<PathBuf, (PathBuf, Stamp)>,
    certificates: Option<PathBuf>,
    arguments: Vec<String>,
}

impl Program {
    /// Looks at the program at `path`, and for what it links.
    pub(super) fn inspect(
        image: &str,
        path: &Path,
        arguments: &[String],
        architecture: &str,
    ) -> Result<Self, ImageError> {
        let stamp = Stamp::at(path).map_err(unreadable(image, path))?;
        let elf = Elf::read(path).map_err(|source| {
            if source.kind() != io::ErrorKind::InvalidData {
                return unreadable(image, path)(source);
            }
            ImageError::NoProgram {
                image: image.to_owned(),
                path: path.to_owned(),
                why: source.to_string(),
            }
        })?;
        if elf.architecture() != architecture {
            return Err(ImageError::Architecture {
                image: image.to_owned(),
                what: path.display().to_string(),
                found: elf.architecture(),
                wanted: architecture.to_owned(),
            });
        }
        let libraries =
            shared_objects::linked_by(path, &elf).map_err(|missing| ImageError::Library {
                image: image.to_owned(),
                library: missing.library,
                needed_by: missing.needed_by,
            })?;
        let libraries = libraries.into_iter();
        let libraries = libraries.map(|(name, file)| (Path::new(LIBRARIES).join(name), file));
        let certificates = CERTIFICATES.iter().map(PathBuf::from).find(|path| path.is_file());
        let same = elf.interpreter.map(PathBuf::from).into_iter().chain(certificates.clone());
        let same = same.map(|path| (path.clone(), path));
        let system = libraries.chain(same).map(|(inside, file)| {
            let stamp = Stamp::at(&file).map_err(unreadable(image, &file))?;
            Ok((inside, (file, stamp)))
        });
        Ok(Self {
            image: image.to_owned(),
            path: path.to_owned(),
            stamp,
            architecture: architecture.to_owned(),
            system: system.collect::<Result<_, _>>()?,
            certificates,
            arguments: arguments.to_vec(),
        })
    }

    /// Digits that change when a file or an argument does.
    ///
    /// Files count by their stamp, not by what they hold, so that it takes no
    /// time where nothing changed.
    pub(super) fn fingerprint(&self) -> String {
        let all = (PACKING, &self.path, self.stamp, &self.arguments, &self.system);
        sha256_of(format!("{all:?}"))
    }

    /// Packs its image under all names, with the layers that the workshop has.
    pub(super) async fn pack(
        &self,
        workshop: &Workshop,
        references: &[Reference],
    ) -> Result<Assembled, ImageError> {
        let key = format!("system {:?}", self.system);
        let system = workshop.layer(key, self.packed("system", Self::system_layer)).await?;
        // A program that is built anew in the middle of a run is another one.
        let key = format!("program {} {:?}", self.path.display(), self.stamp);
        let program = workshop.layer(key, self.packed_program()).await?;
        let layers = vec![system, program];
        Ok(load::assemble(&self.architecture, &self.config(), layers, references))
    }

    async fn packed_program(&self) -> Result<Layer, ImageError> {
        let stripped = limit::packed(&self.image, &self.path, async {
            strip::stripped(&self.path).await.map_err(self.unpacked())
        });
        let stripped = stripped.await?;
        self.packed("program", move |program| program.program_layer(stripped.as_ref())).await
    }

    /// Packs a layer on a thread of its own: to copy some ten megabytes would hold up other tasks.
    async fn packed(
        &self,
        name: &'static str,
        files: impl FnOnce(&Self) -> io::Result<Archive> + Send + 'static,
    ) -> Result<Layer, ImageError> {
        let program = self.clone();
        let packing = spawn_blocking(move || Layer::new(name, files(&program)?));
        limit::packed(&self.image, &self.path, async {
            packing.await.map_err(io::Error::other).flatten().map_err(self.unpacked())
        })
        .await
    }

    fn unpacked(&self) -> impl FnOnce(io::Error) -> ImageError {
        |source| ImageError::Pack { image: self.image.clone(), path: self.path.clone(), source }
    }

    /// What changes with the machine, and so is the same for all its programs.
    fn system_layer(&self) -> io::Result<Archive> {
        let mut layer = Archive::new()?;
        // A directory that is not named would be closed to all but root.
        let parents = self.system.keys().flat_map(|path| path.ancestors().skip(1));
        let parents: BTreeSet<_> = parents.chain([Path::new("/etc")]).collect();
        for parent in parents.into_iter().filter(|parent| *parent != Path::new("/")) {
            layer.directory(relative(parent), 0o755)?;
        }
        for (inside, (file, _)) in &self.system {
            layer.file(relative(inside), 0o755, &File::open(file)?)?;
        }
        // Without it, old versions of glibc ask the DNS for `localhost` first.
        layer.text("etc/nsswitch.conf", "hosts: files dns\n")?;
        layer.directory("tmp", 0o1777)?;
        Ok(layer)
    }

    fn program_layer(&self, stripped: Option<&File>) -> io::Result<Archive> {
        let mut layer = Archive::new()?;
        let name = relative(Path::new(PROGRAM));
        match stripped {
            Some(file) => layer.file(name, 0o755, file)?,
            None => layer.file(name, 0o755, &File::open(&self.path)?)?,
        }
        Ok(layer)
    }

    fn config(&self) -> Value {
        // The libraries come from many directories into one, which a loader has
        // to be told; OpenSSL and others look for certificates in yet other places.
        let libraries = format!("LD_LIBRARY_PATH={LIBRARIES}");
        let certificates = self.certificates.as_ref();
        let certificates = certificates.map(|path| format!("SSL_CERT_FILE={}", path.display()));
        let environment: Vec<_> = [libraries].into_iter().chain(certificates).collect();
        let arguments = self.arguments.iter().map(String::as_str);
        let command: Vec<_> = [PROGRAM].into_iter().chain(arguments).collect();
        json!({
            "User": "1001",
            "Env": environment,
            "Entrypoint": command,
            "WorkingDir": "/",
        })
    }
}

/// The path as an archive has it.
fn relative(inside: &Path) -> &Path {
    inside.strip_prefix("/").unwrap_or(inside)
}

fn unreadable(image: &str, path: &Path) -> impl FnOnce(io::Error) -> ImageError {
    |source| ImageError::Program { image: image.to_owned(), path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn inspect(path: &Path, arguments: &[String]) -> Result<Program, ImageError> {
        let this = Elf::read(&std::env::current_exe().unwrap()).unwrap();
        Program::inspect("self", path, arguments, &this.architecture())
    }

    fn this_test(arguments: &[&str]) -> Program {
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        inspect(&std::env::current_exe().unwrap(), &arguments).unwrap()
    }

    #[test]
    fn arguments_follow_the_program() {
        let config = this_test(&["a b", "$d"]).config();
        assert_eq!(config["Entrypoint"], json!(["/program", "a b", "$d"]));
        assert_eq!(config["User"], "1001");
    }

    #[test]
    fn every_directory_of_a_layer_is_named_before_its_files() {
        let layer = this_test(&[]).system_layer().unwrap();
        let mut layer = tar::Archive::new(layer.into_file().unwrap());
        let mut known = BTreeSet::from([PathBuf::new()]);
        for entry in layer.entries().unwrap() {
            let path = entry.unwrap().path().unwrap().into_owned();
            assert!(known.contains(path.parent().unwrap()), "{}", path.display());
            known.insert(path);
        }
        assert!(known.contains(Path::new("tmp")));
    }

    #[test]
    fn a_program_for_another_machine_is_refused() {
        let program = std::env::current_exe().unwrap();
        let error = Program::inspect("self", &program, &[], "vax").unwrap_err().to_string();
        assert!(error.ends_with("the Docker daemon runs vax; build it for vax"), "{error}");
    }

    #[test]
    fn a_fingerprint_changes_with_arguments_and_files() {
        let first = this_test(&["a", "b"]).fingerprint();
        assert_eq!(first, this_test(&["a", "b"]).fingerprint());
        assert_ne!(first, this_test(&["ab"]).fingerprint());

        let copy = tempfile::NamedTempFile::new().unwrap();
        fs::copy(std::env::current_exe().unwrap(), copy.path()).unwrap();
        let before = inspect(copy.path(), &[]).unwrap().fingerprint();
        fs::copy(std::env::current_exe().unwrap(), copy.path()).unwrap();
        assert_ne!(before, inspect(copy.path(), &[]).unwrap().fingerprint());
    }

    #[test]
    fn a_script_is_refused_with_the_next_step() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "#!/bin/sh\n").unwrap();
        let error = inspect(file.path(), &[]).unwrap_err().to_string();
        assert!(
            error.ends_with("is not a 64-bit ELF file; give a program for Linux, or a Dockerfile"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_asks_whether_it_is_built() {
        let error = inspect(Path::new("/nowhere/platform"), &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "image `self`: read the program /nowhere/platform (is it built?)"
        );
    }
}
