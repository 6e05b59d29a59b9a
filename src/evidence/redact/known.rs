//! Hides secrets that are known, in every way in which they may be written.

use std::{collections::BTreeSet, fmt::Write as _};

use aho_corasick::AhoCorasick;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use super::mark::{HIDDEN, between};

/// Shorter secrets are parts of many words, which they must not eat.
const SHORT: usize = 4;
/// How many digits of base64 are no coincidence.
const TELLING: usize = 8;

/// What RFC 3986 encodes, and what `encodeURIComponent` of browsers does.
const URL: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const COMPONENT: AsciiSet = URL.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// The known secrets, as they may be written.
#[derive(Clone, Default)]
pub(super) struct Known {
    spellings: Vec<Spelling>,
    /// Finds all of them at once; nothing where there are none, or too many.
    search: Option<AhoCorasick>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Spelling {
    text: String,
    /// Whether only a word of its own is meant.
    alone: bool,
}

impl Known {
    /// These secrets too.
    pub(super) fn with<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut spellings = self.spellings.clone();
        for secret in secrets {
            let alone = secret.trim().chars().count() < SHORT;
            let all = spelled(secret).into_iter().filter(|text| !text.trim().is_empty());
            spellings.extend(all.map(|text| Spelling { text, alone }));
        }
        spellings.sort();
        spellings.dedup();
        let search = AhoCorasick::new(spellings.iter().map(|spelling| &spelling.text)).ok();
        Self { spellings, search }
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        match &self.search {
            Some(search) => between(text, |piece| self.hide_found(search, piece)),
            None if self.spellings.is_empty() => text.to_owned(),
            // What cannot be looked for is not shown at all.
            None => HIDDEN.to_owned(),
        }
    }

    /// Whether one of them is in what is no text, where there are no words of their own.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.search {
            Some(search) => search
                .find_overlapping_iter(bytes)
                .any(|found| !self.spellings[found.pattern()].alone),
            None => !self.spellings.is_empty(),
        }
    }

    /// A text without marks, without what is found in it; a mark stands for all that overlaps.
    fn hide_found(&self, search: &AhoCorasick, text: &str) -> String {
        let found = search.find_overlapping_iter(text).filter(|found| {
            let in_word = text[..found.start()].ends_with(in_word)
                || text[found.end()..].starts_with(in_word);
            !(in_word && self.spellings[found.pattern()].alone)
        });
        let mut found: Vec<_> = found.map(|found| found.range()).collect();
        found.sort_by_key(|range| range.start);
        let mut clean = String::with_capacity(text.len());
        let mut done = 0;
        for range in found {
            if range.start >= done {
                clean.push_str(&text[done..range.start]);
                clean.push_str(HIDDEN);
            }
            done = done.max(range.end);
        }
        clean.push_str(&text[done..]);
        clean
    }
}

fn in_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Every way in which a secret may be written.
fn spelled(secret: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    // A secret that was read from a file, or written by `echo`, ends with a line's end.
    for secret in [secret, secret.trim(), &format!("{}\n", secret.trim())] {
        all.insert(secret.to_owned());
        all.extend(in_urls(secret));
        all.extend(in_json(secret));
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            all.insert(engine.encode(secret));
        }
    }
    all.extend(in_longer_base64(secret.trim()));
    all
}

/// Percent-encoded, as strictly as there is need, in both cases of the digits.
fn in_urls(secret: &str) -> impl Iterator<Item = String> {
    let encoded = [NON_ALPHANUMERIC, &URL, &COMPONENT]
        .map(|set| utf8_percent_encode(secret, set).collect::<Vec<_>>());
    let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    encoded.into_iter().chain([form]).flat_map(|pieces| {
        let lower = pieces.iter().map(|piece| match piece.strip_prefix('%') {
            Some(digits) => format!("%{}", digits.to_ascii_lowercase()),
            None => (*piece).to_owned(),
        });
        [lower.collect(), pieces.concat()]
    })
}

/// Inside a JSON string, and inside JSON that is a string of JSON, as Rust, Go, Python and PHP write it.
fn in_json(secret: &str) -> Vec<String> {
    let serializers: [fn(char) -> bool; 4] = [
        |_| false,
        |c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        |c| !c.is_ascii(),
        |c| !c.is_ascii() || c == '/',
    ];
    let once = serializers.map(|escaped| escape(secret, escaped));
    let twice = once.each_ref().map(|text| escape(text, |_| false));
    once.into_iter().chain(twice).collect()
}

/// A text as JSON writes it between quotes, with these characters escaped too.
fn escape(text: &str, escaped: impl Fn(char) -> bool) -> String {
    let mut json = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '/' if escaped('/') => json.push_str("\\/"),
            _ if escaped(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing into a string does not fail.
                    let _ = write!(json, "\\u{unit:04x}");
                }
            }
            _ => {
                let quoted = serde_json::Value::from(String::from(character)).to_string();
                json.push_str(&quoted[1..quoted.len() - 1]);
            }
        }
    }
    json
}

/// The digits that a secret leaves in the base64 of a longer text, wherever it begins in it.
fn in_longer_base64(secret: &str) -> impl Iterator<Item = String> {
    [STANDARD_NO_PAD, URL_SAFE_NO_PAD].into_iter().flat_map(move |engine| {
        (0..3_usize).filter_map(move |offset| {
            let encoded = engine.encode([&vec![0; offset], secret.as_bytes()].concat());
            // Six bits a digit: those that what stands before or after has a part in are left out.
            let begin = (offset * 8).div_ceil(6);
            let end = (offset + secret.len()) * 8 / 6;
            encoded.get(begin..end).filter(|digits| digits.len() >= TELLING).map(str::to_owned)
        })
    })
}
