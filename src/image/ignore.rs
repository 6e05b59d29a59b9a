//! Decides what `.dockerignore` leaves out, as Docker does.
//!
//! Patterns are anchored at the root of the context; one that names a directory
//! names all below it; `**` stands for any number of directories; `!` takes
//! back; the last pattern that matches decides.

/// The patterns of a `.dockerignore`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ignore(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    takes_back: bool,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Exactly(char),
    /// `?`
    One,
    /// `*`
    Some,
    /// `**/`
    Directories,
    /// `**` at the end
    All,
    /// `[a-z]`
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Ignore {
    /// Reads the lines of a `.dockerignore`, or returns the one that is no pattern.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines();
        let patterns = lines.filter(|line| !line.starts_with('#')).map(str::trim);
        let patterns = patterns.filter(|line| !line.is_empty());
        patterns.map(Pattern::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `path`, relative and with `/`, is left out.
    pub(super) fn excludes(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let chains: Vec<Vec<char>> = ends.map(|end| path[..end].chars().collect()).collect();
        self.0.iter().fold(false, |excluded, pattern| {
            // Only a pattern that would change the answer is worth a look.
            if pattern.takes_back == excluded
                && chains.iter().any(|path| matches(&pattern.parts, path))
            {
                !excluded
            } else {
                excluded
            }
        })
    }

    /// Whether something in an excluded directory can be taken back.
    pub(super) fn takes_back(&self) -> bool {
        self.0.iter().any(|pattern| pattern.takes_back)
    }
}

impl Pattern {
    fn parse(line: &str) -> Result<Self, String> {
        let (takes_back, pattern) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        let parts = parts(&cleaned(pattern)).filter(|_| !pattern.is_empty());
        match parts {
            Some(parts) => Ok(Self { takes_back, parts }),
            None => Err(line.to_owned()),
        }
    }
}

/// The path without `.`, `..`, doubled and outer `/`; one that leaves the context matches nothing in it.
fn cleaned(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn parts(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(next) = rest.next() {
        let part = match next {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                if rest.peek().is_some() { Part::Directories } else { Part::All }
            }
            '*' => Part::Some,
            '?' => Part::One,
            '[' => class(&mut rest)?,
            '\\' => Part::Exactly(rest.next()?),
            other => Part::Exactly(other),
        };
        parts.push(part);
    }
    Some(parts)
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Part> {
    let not = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while rest.next_if_eq(&']').is_none() {
        let from = escaped(rest)?;
        let to = if rest.next_if_eq(&'-').is_some() { escaped(rest)? } else { from };
        ranges.push((from, to));
    }
    (!ranges.is_empty()).then_some(Part::Class { not, ranges })
}

fn escaped(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '\\' => rest.next(),
        other => Some(other),
    }
}

fn matches(parts: &[Part], path: &[char]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return path.is_empty();
    };
    let one = |fits: &dyn Fn(char) -> bool| match path.split_first() {
        Some((first, path)) => fits(*first) && matches(rest, path),
        None => false,
    };
    match part {
        Part::Exactly(wanted) => one(&|found| found == *wanted),
        Part::One => one(&|found| found != '/'),
        Part::Class { not, ranges } => {
            one(&|found| ranges.iter().any(|(from, to)| (*from..=*to).contains(&found)) != *not)
        }
        Part::Some => {
            let name = path.iter().take_while(|char| **char != '/').count();
            (0..=name).any(|taken| matches(rest, &path[taken..]))
        }
        Part::Directories => {
            let deeper = path.iter().enumerate().filter(|(_, char)| **char == '/');
            let starts = [0].into_iter().chain(deeper.map(|(at, _)| at + 1));
            starts.into_iter().any(|start| matches(rest, &path[start..]))
        }
        Part::All => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excludes(patterns: &str, path: &str) -> bool {
        Ignore::parse(patterns).unwrap().excludes(path)
    }

    #[test]
    fn one_pattern_decides_as_in_docker() {
        // From the tests of moby's pattern matcher.
        for (pattern, path, excluded) in [
            ("**", "file", true),
            ("**", "dir/file", true),
            ("**/", "file", true),
            ("**/", "dir/file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir/dir2/file", true),
            ("dir", "dir/file", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**/dir2/**", "dir/dir2/dir2/file", true),
            ("**file", "dir/dir/file", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/*.txt", "dir/file.txt", true),
            ("**/**/*.txt2", "dir/dir/file.txt", false),
            ("a**/*.txt", "a/file.txt", true),
            ("a**/*.txt", "a/dir/dir/file.txt", true),
            ("a[b-d]e", "ae", false),
            ("a[b-d]e", "ace", true),
            ("a[^b-d]e", "aze", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "acb", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            (".*", ".foo", true),
            (".*", "foo", false),
            ("abc.def", "abcddef", false),
            ("**/foo/bar", "foo/bar", true),
            ("**/foo/bar", "dir/dir2/foo/bar", true),
            ("abc/**", "abc", false),
            ("*/a", "dir/a", true),
            ("*/a", "a", false),
            ("*.txt", "dir/file.txt", false),
        ] {
            assert_eq!(excludes(pattern, path), excluded, "`{pattern}` and {path}");
        }
    }

    #[test]
    fn patterns_are_anchored_at_the_root() {
        for pattern in ["target", "/target", "./target/", "x/../target"] {
            assert!(excludes(pattern, "target/debug"), "{pattern}");
            assert!(!excludes(pattern, "crate/target"), "{pattern}");
        }
        assert!(!excludes("../target", "target"));
        assert!(excludes("/../target", "target"));
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let patterns = "# all but one\n*\n!src\nsrc/*.md\n";
        assert!(excludes(patterns, "README.md"));
        assert!(!excludes(patterns, "src/main.rs"));
        assert!(excludes(patterns, "src/notes.md"));
        assert!(!excludes("*.md\n!README.md", "README.md"));
        assert!(excludes("!README.md\n*.md", "README.md"));
    }

    #[test]
    fn a_pattern_without_an_end_is_refused() {
        assert_eq!(Ignore::parse("a\n[b"), Err("[b".to_owned()));
        assert_eq!(Ignore::parse("!"), Err("!".to_owned()));
    }
}
