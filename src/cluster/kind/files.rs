//! Where the files of a cluster are, in the directory of the run that made it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::deliver::Names;
use crate::plan::ClusterName;

/// The files of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Files(PathBuf);

impl Files {
    pub(super) fn of(name: &ClusterName, directory: &Path) -> Self {
        Self(directory.join(name.as_str()))
    }

    /// How its API is reached; nobody else may read it.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.0.with_extension("kubeconfig")
    }

    /// What kind was told.
    pub(super) fn config(&self) -> PathBuf {
        self.0.with_extension("yaml")
    }

    /// What kind has said.
    pub(super) fn words(&self) -> PathBuf {
        self.0.with_extension("kind.log")
    }

    /// The images that its nodes were seen to have.
    fn images(&self) -> PathBuf {
        self.0.with_extension("images.json")
    }

    /// Notes which images the nodes have. Who cannot read it asks the nodes.
    pub(super) fn note_images(&self, images: &BTreeMap<String, Names>) {
        let text = serde_json::to_vec(images).unwrap_or_default();
        let _ = fs::write(self.images(), text);
    }

    /// The images that the nodes were seen to have; none if nobody has noted them.
    pub(super) fn noted_images(&self) -> BTreeMap<String, Names> {
        let text = fs::read(self.images()).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// The folder that its nodes share with this machine.
    pub(super) fn shared(&self) -> PathBuf {
        self.0.with_extension("shared")
    }

    /// The folder of the logs of a first try that was given up.
    pub(super) fn first_try(&self) -> PathBuf {
        self.0.with_extension("first-try")
    }

    /// Removes what a try to create the cluster made, but not what explains it.
    pub(super) fn clear(&self) -> io::Result<()> {
        for file in [self.kubeconfig(), self.config(), self.words(), self.images()] {
            absent(fs::remove_file(file))?;
        }
        absent(fs::remove_dir_all(self.shared()))
    }
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_try_finds_nothing_of_the_first_but_its_logs() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::of(&ClusterName::noted("kw-1".into()), directory.path());
        files.clear().unwrap();
        fs::create_dir(files.shared()).unwrap();
        fs::write(files.shared().join("written"), "").unwrap();
        fs::write(files.words(), "").unwrap();
        fs::create_dir(files.first_try()).unwrap();
        files.clear().unwrap();
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].path(), files.first_try());
    }
}
