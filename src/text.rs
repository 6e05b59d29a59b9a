//! Makes texts for people: an error with its causes, names, the end of a long text, the beginning of a big one.

use std::{error::Error, fmt};

/// How much of a line is shown among others.
const WIDTH: usize = 160;

/// Joins an error and its causes with colons.
///
/// A cause that the text before it already says (many libraries print their
/// source too) is not said twice.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.ends_with(&words) {
            // What is indented is a block of its own.
            text.push_str(if words.starts_with(' ') { ":\n" } else { ": " });
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}

/// Names after one another, or that there are none.
pub(crate) fn listed(names: impl IntoIterator<Item: fmt::Display>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The last `lines` lines of `text`.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.trim_end().lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// The end of `text`, of at most `most` bytes; it begins with a whole line if it can.
pub(crate) fn ending(text: &str, most: usize) -> &str {
    let cut = text.ceil_char_boundary(text.len().saturating_sub(most));
    if cut == 0 {
        return text;
    }
    let end = &text[cut..];
    end.split_once('\n').map_or(end, |(_, lines)| lines)
}

/// The first `most` characters of `text`; what is left out is marked.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The first line of `text`, with those that it announces by a colon at its end.
pub(crate) fn gist(text: &str) -> String {
    let mut gist = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !gist.is_empty() {
            gist.push(' ');
        }
        gist.push_str(line);
        if !line.ends_with(':') {
            break;
        }
    }
    gist
}

/// Each line on a new one, below a sentence that it explains.
pub(crate) fn indented<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> String {
    lines.into_iter().fold(String::new(), |text, line| text + "\n    " + line.as_ref())
}

/// At most `most` of the lines, each on a new one and not too wide, and how many are left out.
pub(crate) fn some<T: AsRef<str>>(
    lines: impl IntoIterator<Item = T>,
    most: usize,
    what: &str,
) -> String {
    let mut lines = lines.into_iter();
    let shown = lines.by_ref().take(most);
    let text =
        shown.fold(String::new(), |text, line| text + "\n" + &shortened(line.as_ref(), WIDTH));
    match lines.count() {
        0 => text,
        left => format!("{text}\n… and {left} more {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("read the order: {0}")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_gist_of_a_text_says_something() {
        assert_eq!(gist("no tea\nat all"), "no tea");
        assert_eq!(
            gist("not so; seen:\n\n  the body does not match:\n  - tea\n"),
            "not so; seen: the body does not match: - tea"
        );
        assert_eq!(gist(""), "");
    }

    #[test]
    fn names_are_told_one_after_another_or_that_there_are_none() {
        assert_eq!(listed(["tea", "milk"]), "tea, milk");
        assert_eq!(listed([""; 0]), "none");
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = Outer(std::io::Error::other("no such order"));
        assert_eq!(chain(&error), "read the order: no such order");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("ask for the order")]
    struct Asked(#[source] std::io::Error);

    #[test]
    fn a_block_begins_on_a_line_of_its_own() {
        let error = Asked(std::io::Error::other("    > GET /orders\n    < no answer"));
        assert_eq!(chain(&error), "ask for the order:\n    > GET /orders\n    < no answer");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(shortened("äöü", 2), "äö…");
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(tail("one\ntwo\nthree\n", 2), "two\nthree");
    }

    #[test]
    fn an_ending_begins_with_a_whole_line() {
        assert_eq!(ending("one\ntwo\nthree", 100), "one\ntwo\nthree");
        assert_eq!(ending("one\ntwo\nthree", 8), "three");
        assert_eq!(ending("äöü", 3), "ü");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        assert_eq!(some(["one", "two"], 2, "rows"), "\none\ntwo");
        assert_eq!(some(["one", "two", "three"], 1, "rows"), "\none\n… and 2 more rows");
        assert_eq!(some([""; 0], 1, "rows"), "");
        assert_eq!(some(["x".repeat(WIDTH + 1)], 1, "rows").chars().count(), WIDTH + 2);
    }
}
