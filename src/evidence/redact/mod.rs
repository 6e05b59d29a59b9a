//! Takes secrets out of texts and documents: those that are known, and those that their names or
//! their shapes give away.
//!
//! Evidence leaves the machine, so what could be a secret is hidden; it is there
//! to be read, so what only speaks of one stays. Cleaning twice is cleaning once.

use std::fmt;

use serde_json::{Map, Value};

mod block;
mod document;
mod known;
mod mark;
mod name;
mod pair;
mod shape;
#[cfg(test)]
mod tests;

use known::Known;

/// Knows what must not be seen.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    known: Known,
}

impl Redactor {
    /// A redactor that hides these secrets too.
    pub(super) fn without<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self { known: self.known.with(secrets) }
    }

    /// The text without secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        settled(text, |text| pair::hide(&self.clean_known(text), |text| self.clean_object(text)))
    }

    /// The text without the secrets that are known or have the shape of one: for people, who must be
    /// able to read what a value is called.
    pub(crate) fn clean_known(&self, text: &str) -> String {
        settled(text, |text| shape::hide(&self.known.hide(text)))
    }

    /// Whether a secret that is known is in what is no text.
    pub(super) fn knows(&self, bytes: &[u8]) -> bool {
        self.known.is_in(bytes)
    }

    /// Cleans every text of a document, and hides values by their keys; it keeps its shape.
    pub(super) fn clean_document(&self, document: &mut Value) {
        document::hide(document, &|text| self.clean(text), &|key| self.clean_known(key));
    }

    /// The JSON object at the beginning of a text, cleaned, and how long it was.
    fn clean_object(&self, text: &str) -> Option<(usize, String)> {
        let mut objects =
            serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
        let object = Value::Object(objects.next()?.ok()?);
        let length = objects.byte_offset();
        let mut cleaned = object.clone();
        self.clean_document(&mut cleaned);
        let written = &text[..length];
        let text = if cleaned == object {
            written.to_owned()
        } else if written.contains('\n') {
            format!("{cleaned:#}")
        } else {
            cleaned.to_string()
        };
        Some((length, text))
    }
}

/// Repeats a step until it changes nothing: what was hidden may make plain what is beside it.
fn settled(text: &str, step: impl Fn(&str) -> String) -> String {
    let mut before = text.to_owned();
    loop {
        let after = step(&before);
        if after == before {
            return after;
        }
        before = after;
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}
