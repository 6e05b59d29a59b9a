//! Owns the terminal and the reports of a run: consumers of its events, beside each other.

use std::io::{self, Write as _};

mod json_lines;
mod tally;
mod terminal;
mod timeline;

pub(crate) use json_lines::JsonLines;
pub(crate) use tally::{Counts, Tally, Verdict};
pub(crate) use terminal::Terminal;

/// Says something to people. A terminal that is gone is nobody to tell.
pub(crate) fn say(words: &str) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Says why nothing can be done, once.
pub(crate) fn error(words: &str) {
    say(&format!("error: {words}"));
}

/// Writes what a program or a person asked for to standard output.
pub(crate) fn answer(words: &str) {
    let mut output = io::stdout().lock();
    let _ = output.write_all(words.as_bytes());
    let _ = output.flush();
}
