//! Hides values by the names before them: `password=x`, `"token": "x"`, `Authorization: Bearer x`.

use std::ops::Range;

use super::{
    block,
    mark::HIDDEN,
    name::{hides, is_header, is_secret},
};

/// What stands before the token of a header, and is not the token.
const SCHEMES: [&str; 6] = ["basic", "bearer", "digest", "negotiate", "token", "apikey"];

/// The text without the values whose names say that they are secrets.
///
/// `object` cleans a JSON object at the beginning of a text, and says how long it was.
pub(super) fn hide(text: &str, object: impl Fn(&str) -> Option<(usize, String)>) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(at) = text[done..].find(['=', ':', '{']).map(|found| done + found) {
        let before = &text[done..at];
        let rest = &text[at + 1..];
        clean.push_str(before);
        if text[at..].starts_with('{') {
            if let Some((length, cleaned)) = object(&text[at..]) {
                clean.push_str(&cleaned);
                done = at + length;
                continue;
            }
        } else if text[at..].starts_with("::") {
            // A path of Rust or C++.
            clean.push(':');
            clean.push(':');
            done = at + 2;
            continue;
        } else if let Some(value) =
            named(&text[..at], done, &text[at..]).and_then(|name| value(&name, rest))
        {
            clean.push_str(&text[at..=at + value.start]);
            clean.push_str(HIDDEN);
            done = at + 1 + value.end;
            continue;
        }
        clean.push_str(&text[at..=at]);
        done = at + 1;
    }
    clean.push_str(&text[done..]);
    clean
}

/// A name that could be one of a secret.
struct Name<'a> {
    text: &'a str,
    /// The quote in which it and its value are together, as in `-H 'Cookie: x'`.
    quote: Option<char>,
    /// What its line has before it.
    before: &'a str,
}

/// The name at the end of a text, if there is one that could be one of a secret; what comes before
/// `done` is no part of it.
fn named<'a>(text: &'a str, done: usize, separator: &str) -> Option<Name<'a>> {
    let line = &text[text[done..].rfind('\n').map_or(done, |at| done + at + 1)..];
    let name_end = line.trim_end_matches(['"', '\'', '`', '\\', ' ', ']']);
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name = &name_end[name_end.trim_end_matches(in_name).len()..];
    let prefix = &text[..text.len() - line.len() + name_end.len() - name.len()];
    // `open /var/run/secrets/token: no such file` is about a path, `app::token: x` is by a module.
    let path = separator.starts_with(':') && (prefix.ends_with('/') || prefix.ends_with("::"));
    if path || !is_secret(name) {
        return None;
    }
    let alone = name_end.len() == line.len();
    let quote = prefix.chars().next_back().filter(|c| alone && matches!(c, '"' | '\'' | '`'));
    let line = prefix.rfind('\n').map_or(0, |at| at + 1);
    Some(Name { text: name, quote, before: &prefix[line..] })
}

/// Where in what follows a name its value is, if it must not be seen.
fn value(name: &Name<'_>, rest: &str) -> Option<Range<usize>> {
    if let Some(length) = block::length(name.before, rest) {
        let start = rest.len() - rest.trim_start_matches(' ').len();
        return Some(start..length);
    }
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    let start = line.len() - line.trim_start_matches([' ', '\t', '=', '>', ':']).len();
    let line = line[start..].trim_end();
    let range = if line.starts_with(HIDDEN) {
        0..bare(line)
    } else if let Some(quoted) = quoted(line) {
        quoted
    } else if let Some(list) = line.strip_prefix('[') {
        1..1 + until(list, |rest| rest.starts_with(']'))
    } else if is_header(name.text) {
        0..name.quote.and_then(|quote| line.find(quote)).unwrap_or(line.len())
    } else {
        0..with_scheme(line)
    };
    let value = &line[range.clone()];
    // What is in braces has names of its own.
    let shown = !hides(name.text, value) || value.starts_with('{');
    (!shown).then_some(start + range.start..start + range.end)
}

/// The value between quotes, which may be escaped: `"x"`, `Some("x")`, `\"x\"`.
fn quoted(line: &str) -> Option<Range<usize>> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let wrapper = line.trim_start_matches(in_name).strip_prefix('(');
    let opening = wrapper.unwrap_or(line);
    let escapes = opening.len() - opening.trim_start_matches('\\').len();
    let quote = opening[escapes..].chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let start = line.len() - opening.len() + escapes + 1;
    let mut before = 0;
    for (at, character) in line[start..].char_indices() {
        if character == '\\' {
            before += 1;
            continue;
        }
        // Each level doubles the backslashes that belong to the text.
        if character == quote && before % (2 * (escapes + 1)) == escapes {
            return Some(start..start + at - escapes);
        }
        before = 0;
    }
    Some(start..line.len())
}

/// The length of a value without quotes, and of the token after it if it is a scheme.
fn with_scheme(line: &str) -> usize {
    let first = bare(line);
    let scheme = SCHEMES.iter().any(|scheme| line[..first].eq_ignore_ascii_case(scheme));
    let gap = line[first..].len() - line[first..].trim_start_matches(' ').len();
    if scheme && gap > 0 { first + gap + bare(&line[first + gap..]) } else { first }
}

/// The length of a value without quotes.
fn bare(line: &str) -> usize {
    // In a string, what an escape begins is no part of it.
    const ESCAPES: [&str; 4] = ["\\n", "\\r", "\\t", "\\\""];
    let ends = |c: char| c.is_whitespace() || ",;&)]}<\"'`".contains(c);
    until(line, |rest| {
        rest.starts_with(ends) || ESCAPES.iter().any(|escape| rest.starts_with(escape))
    })
}

/// How much of a text comes before an end, which is never inside a mark.
fn until(text: &str, is_end: impl Fn(&str) -> bool) -> usize {
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with(HIDDEN) {
            at += HIDDEN.len();
        } else if is_end(rest) {
            break;
        } else {
            at += character.len_utf8();
        }
    }
    at
}
