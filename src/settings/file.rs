//! Reads the git-ignored file of settings in a project's root.

use std::{collections::BTreeMap, fs, io, path::Path};

use super::SettingsError;

/// The file, in a project's root.
const FILE: &str = ".kindwright.env";

/// Reads the settings of the project below `root`; none if it has no file of them.
pub(super) fn read(root: &Path) -> Result<BTreeMap<String, String>, SettingsError> {
    let path = root.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(source) => {
            return Err(SettingsError::Read { path, source });
        }
    };
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(index, line)| match line.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(SettingsError::Line {
                path: path.clone(),
                line: index + 1,
                text: line.to_owned(),
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_of_the_settings_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "# comment\nKIND_NODE_IMAGE=a:b\nnonsense\n")
            .unwrap();
        let error = read(directory.path()).unwrap_err();
        assert!(error.to_string().ends_with(":3: expected NAME=VALUE, found `nonsense`"));
    }
}
