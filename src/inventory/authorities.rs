//! Reads the certificates that endpoints trust.

use std::{fs, path::Path};

use super::{Project, unreadable};
use crate::{problem::Problem, text::chain, transport::Authorities};

/// What a file of a project has, if that is certificates in PEM.
pub(super) fn read(project: &Project, path: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(project.root.join(path));
    let text = text.map_err(|error| unreadable(project, path, &error))?;
    match Authorities::own(text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(error) => Err(Problem::Authorities { path: path.to_owned(), words: chain(&error) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_told_from_what_has_none() {
        let root = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["shop".to_owned()]).unwrap();
        fs::write(root.path().join("ca.pem"), made.cert.pem()).unwrap();
        fs::write(root.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let project = Project::at(root.path());
        let read = |name: &str| read(&project, Path::new(name));
        assert_eq!(read("ca.pem"), Ok(made.cert.pem()));
        assert!(matches!(read("key.pem"), Err(Problem::Authorities { .. })));
        assert!(matches!(read("none.pem"), Err(Problem::Unreadable { .. })));
    }
}
