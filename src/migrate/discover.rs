//! Finds the migrations of a directory and reads them.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::{MigrateError, Migration, goose, steps};
use crate::digest::sha256_of;

/// The longest number, which the server's bigint holds.
const DIGITS: usize = 18;

/// Reads the migrations of a directory, in the order of their numbers.
///
/// A migration is a file `<digits>_<name>.sql`; directories and other files are
/// none of ours. All that is wrong is told at once.
pub(crate) fn discover(directory: &Path) -> Result<Vec<Migration>, Vec<MigrateError>> {
    let paths = list(directory).map_err(|source| {
        vec![MigrateError::Directory { directory: directory.to_owned(), source }]
    })?;
    let (mut migrations, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match read(path) {
            Ok(migration) => migrations.extend(migration),
            Err(found) => errors.extend(found),
        }
    }
    migrations.sort_by(|a: &Migration, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
    let twice = migrations.windows(2).filter_map(|pair| match pair {
        [first, second] if first.number == second.number => Some(MigrateError::Twice {
            number: first.number,
            first: first.name.clone(),
            second: second.name.clone(),
        }),
        _ => None,
    });
    errors.extend(twice);
    if migrations.is_empty() && errors.is_empty() {
        errors.push(MigrateError::Empty { directory: directory.to_owned() });
    }
    if errors.is_empty() { Ok(migrations) } else { Err(errors) }
}

/// The files of a directory, sorted, so that errors always come in one order.
fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        // A link counts as what it leads to.
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads a file; nothing if it is no migration by its name.
fn read(path: PathBuf) -> Result<Option<Migration>, Vec<MigrateError>> {
    let Some((digits, name)) = numbered(&path) else {
        return Ok(None);
    };
    let number = match digits.trim_start_matches('0') {
        "" => 0,
        digits if digits.len() > DIGITS => return Err(vec![MigrateError::Number { path }]),
        digits => digits.parse().map_err(|_| vec![MigrateError::Number { path: path.clone() }])?,
    };
    let (name, text) = match fs::read_to_string(&path) {
        Ok(text) => (name.to_owned(), text),
        Err(source) => return Err(vec![MigrateError::Unreadable { path, source }]),
    };
    let steps =
        goose::parse(&text).and_then(|script| Ok((steps::steps(&script)?, script.transaction)));
    let (steps, transaction) = steps.map_err(|faults| {
        let malformed = |fault: goose::Fault| MigrateError::Malformed {
            path: path.clone(),
            line: fault.line,
            words: fault.words,
        };
        faults.into_iter().map(malformed).collect::<Vec<_>>()
    })?;
    let notices = told_once(&name, &steps.dropped);
    Ok(Some(Migration {
        number,
        checksum: sha256_of(&text),
        notices,
        name,
        path,
        steps: steps.steps,
        transaction,
    }))
}

/// What is said of several lines, once with all their numbers.
fn told_once(name: &str, dropped: &[goose::Fault]) -> Vec<String> {
    let mut lines = BTreeMap::<_, Vec<_>>::new();
    for fault in dropped {
        lines.entry(&fault.words).or_default().push(fault.line.to_string());
    }
    lines.iter().map(|(words, lines)| format!("{name}:{}: {words}", lines.join(","))).collect()
}

/// The digits and the whole of a migration's file name.
fn numbered(path: &Path) -> Option<(&str, &str)> {
    let name = path.file_name()?.to_str()?;
    let (digits, _) = name.strip_suffix(".sql")?.split_once('_')?;
    let numbered = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    numbered.then_some((digits, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    #[test]
    fn numbers_order_the_files_and_other_things_are_left_alone() {
        let directory = directory(&[
            ("1000_last.sql", "select 1"),
            ("022_late.sql", ""),
            ("001_first.sql", ""),
            ("README.md", ""),
            ("1_.sqlx", ""),
            ("a1_x.sql", ""),
            ("_x.sql", ""),
        ]);
        fs::create_dir(directory.path().join("003_directory.sql")).unwrap();
        let found = discover(directory.path()).unwrap();
        let names: Vec<_> = found.iter().map(|migration| migration.name.as_str()).collect();
        assert_eq!(names, ["001_first.sql", "022_late.sql", "1000_last.sql"]);
        assert_eq!(found[2].number, 1000);
        assert_eq!(
            found[0].checksum,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let directory = directory(&[
            ("1_a.sql", ""),
            ("001_b.sql", ""),
            ("2_c.sql", "-- +goose Up\n-- +goose StatementBegin\n"),
            ("3000000000000000000_d.sql", ""),
        ]);
        fs::write(directory.path().join("4_e.sql"), [0xff]).unwrap();
        let errors = discover(directory.path()).unwrap_err();
        let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), 4, "{words:#?}");
        assert!(words[0].ends_with(
            "2_c.sql:2: `StatementBegin` without `StatementEnd`; add it below the statement"
        ));
        assert!(
            words[1].ends_with("3000000000000000000_d.sql is too large; use at most 18 digits")
        );
        assert!(words[2].contains("4_e.sql (is it text"));
        assert_eq!(
            words[3],
            "`001_b.sql` and `1_a.sql` have the same number, 1; give one of them another"
        );
    }

    #[test]
    fn a_directory_without_migrations_is_a_problem() {
        let empty = directory(&[("README.md", "")]);
        let errors = discover(empty.path()).unwrap_err();
        assert!(matches!(errors.as_slice(), [MigrateError::Empty { .. }]));
        let errors = discover(&empty.path().join("nowhere")).unwrap_err();
        assert!(matches!(errors.as_slice(), [MigrateError::Directory { .. }]));
    }

    #[test]
    fn the_platforms_migrations_are_understood() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let found = discover(&root).unwrap();
        assert_eq!(found.len(), 17);
        assert_eq!(found.last().unwrap().number, 1000);
        let notices: Vec<_> = found.iter().flat_map(|migration| &migration.notices).collect();
        assert_eq!(notices.len(), 2, "{notices:#?}");
        assert!(notices[1].starts_with("006_effectiveness_assessment.sql:143,145: `CONCURRENTLY`"));
    }
}
