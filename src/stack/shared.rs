//! The folders that the pods of a suite share with this machine.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Component, Path, PathBuf},
};

use serde_json::Value;

use super::{Stack, StackError, site::Site};
use crate::{
    manifest::{pod_spec, text_at},
    plan::SuitePlan,
};

/// Where nodes have what they share with this machine.
const NODE: &str = "/kindwright/";
/// Everybody's: a service may run as any user.
const MODE: u32 = 0o777;

impl Stack {
    /// The folder of this machine that the suite's pods have as the host path `/kindwright`.
    pub(crate) fn shared(&self) -> PathBuf {
        self.site.cluster.shared().join(&self.plan.namespace)
    }
}

/// Makes the folders that pods of a suite mount, so that any user in them may write there: a node
/// would make them for root.
pub(super) fn make_folders(site: &Site, suite: &SuitePlan) -> Result<(), StackError> {
    let own = PathBuf::from(&suite.namespace);
    for folder in [own].into_iter().chain(suite.objects().flat_map(mounted)) {
        let path = site.cluster.shared();
        make(path, &folder)
            .map_err(|source| StackError::Folder { path: path.join(folder), source })?;
    }
    Ok(())
}

/// The folders below the shared one that the pods of an object mount.
fn mounted(object: &Value) -> Vec<PathBuf> {
    let volumes = pod_spec(object).and_then(|pod| pod["volumes"].as_array());
    let folders = volumes.into_iter().flatten().map(|volume| &volume["hostPath"]);
    let folders = folders.filter(|folder| {
        matches!(text_at(folder, "/type"), "" | "Directory" | "DirectoryOrCreate")
    });
    let below = folders.filter_map(|folder| text_at(folder, "/path").strip_prefix(NODE));
    let plain = |path: &PathBuf| path.components().all(|part| matches!(part, Component::Normal(_)));
    below.map(PathBuf::from).filter(plain).collect()
}

/// Makes a folder below another with all on the way to it; what is there stays as it is.
fn make(below: &Path, folder: &Path) -> io::Result<()> {
    let mut path = below.to_owned();
    for part in folder {
        path.push(part);
        match DirBuilder::new().mode(MODE).create(&path) {
            // This process may be told to keep others out of what it makes.
            Ok(()) => fs::set_permissions(&path, Permissions::from_mode(MODE))?,
            Err(_) if path.is_dir() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn folders_that_pods_mount_are_made_and_nothing_else() {
        let object = json!({"kind": "Pod", "spec": {"volumes": [
            {"hostPath": {"path": "/kindwright/hapi/out/deep", "type": "DirectoryOrCreate"}},
            {"hostPath": {"path": "/kindwright/hapi/a.txt", "type": "FileOrCreate"}},
            {"hostPath": {"path": "/kindwright/hapi/../etc"}},
            {"hostPath": {"path": "/var/lib/kindwright/hapi"}},
            {"emptyDir": {}},
        ]}});
        assert_eq!(mounted(&object), [PathBuf::from("hapi/out/deep")]);
    }

    #[test]
    fn any_user_may_write_into_a_folder_that_is_made() {
        let below = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            make(below.path(), Path::new("hapi/out")).unwrap();
        }
        for folder in ["hapi", "hapi/out"] {
            let mode = below.path().join(folder).metadata().unwrap().permissions().mode();
            assert_eq!(mode & MODE, MODE, "{folder}");
        }
        fs::write(below.path().join("hapi/file"), "").unwrap();
        assert!(make(below.path(), Path::new("hapi/file")).is_err());
    }
}
