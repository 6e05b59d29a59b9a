//! Reads goose's markers: which lines of a file are to be applied, and how.

use super::lexer::{self, Kind};

/// How every marker begins.
const MARKER: &str = "+goose";

/// What a file says is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// The statements to apply. Every other line is empty, so that a line keeps its number.
    pub(super) up: String,
    /// Whether all of it is one transaction.
    pub(super) transaction: Transaction,
}

/// How the statements of a file are kept together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transaction {
    /// All or nothing.
    Whole,
    /// Each statement for itself.
    None,
}

/// What is wrong with a file, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) words: String,
}

impl Fault {
    pub(super) fn new(line: usize, words: impl Into<String>) -> Self {
        let words = words.into();
        Self { line, words }
    }
}

/// The part of the file that a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Before,
    Up,
    Down,
}

/// Reads a file. Without any marker all of it is to be applied.
pub(super) fn parse(text: &str) -> Result<Script, Vec<Fault>> {
    let mut reader = Reader {
        part: Part::Before,
        block: None,
        transaction: Transaction::Whole,
        faults: Vec::new(),
    };
    let (mut up, mut before) = (String::new(), String::new());
    let mut plain = true;
    for (index, line) in text.lines().enumerate() {
        let marker = marker(line);
        if let Some(command) = &marker {
            plain = false;
            reader.obey(index + 1, command);
        } else {
            match reader.part {
                Part::Before => before.push_str(line),
                Part::Up => up.push_str(line),
                Part::Down => {}
            }
        }
        up.push('\n');
        before.push('\n');
    }
    if plain {
        text.clone_into(&mut up);
    } else if reader.part == Part::Before {
        reader
            .fault(1, "has goose markers but no `-- +goose Up`; add it above the first statement");
    } else if let Some(line) = code(&before) {
        reader.fault(line, "a statement above `-- +goose Up` belongs to no part; move it below");
    }
    reader.close();
    if reader.faults.is_empty() {
        let transaction = reader.transaction;
        Ok(Script { up, transaction })
    } else {
        Err(reader.faults)
    }
}

/// Where in the file the markers have led to.
struct Reader {
    part: Part,
    /// The line of a `StatementBegin` that is still open.
    block: Option<usize>,
    transaction: Transaction,
    faults: Vec<Fault>,
}

impl Reader {
    fn obey(&mut self, line: usize, command: &str) {
        match (command, self.part) {
            ("up", Part::Before) => self.part = Part::Up,
            ("down", Part::Up) => {
                self.close();
                self.part = Part::Down;
            }
            ("up" | "down", _) => {
                self.fault(line, "`Up` comes first and `Down` second, each once");
            }
            ("statementbegin" | "statementend", Part::Before) => {
                self.fault(line, "a statement's marker above `-- +goose Up`; move it below");
            }
            ("statementbegin", _) => {
                self.close();
                self.block = Some(line);
            }
            ("statementend", _) => {
                if self.block.take().is_none() {
                    self.fault(line, "`StatementEnd` without `StatementBegin`; add it, or remove this one");
                }
            }
            ("no transaction", _) => self.transaction = Transaction::None,
            (unknown, _) => self.fault(
                line,
                format!("`{MARKER} {unknown}` is not understood; known are Up, Down, StatementBegin, StatementEnd and NO TRANSACTION"),
            ),
        }
    }

    /// Reports a block that should have ended by now.
    fn close(&mut self) {
        if let Some(line) = self.block.take() {
            self.fault(line, "`StatementBegin` without `StatementEnd`; add it below the statement");
        }
    }

    fn fault(&mut self, line: usize, words: impl Into<String>) {
        self.faults.push(Fault::new(line, words));
    }
}

/// The command of a marker, in lower case; none if the line is no marker.
fn marker(line: &str) -> Option<String> {
    let comment = line.trim().strip_prefix("--")?.trim_start();
    let command = comment.get(MARKER.len()..)?;
    let marks = comment[..MARKER.len()].eq_ignore_ascii_case(MARKER);
    marks.then(|| {
        let words: Vec<_> = command.split_whitespace().collect();
        words.join(" ").to_lowercase()
    })
}

/// The line of the first token that is neither space nor comment.
fn code(text: &str) -> Option<usize> {
    let mut line = 1;
    for token in lexer::tokens(text) {
        if token.kind != Kind::Blank {
            return Some(line);
        }
        line += token.text.matches('\n').count();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<usize> {
        let faults = parse(text).unwrap_err();
        faults.iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn a_file_without_markers_is_applied_as_it_is() {
        let script = parse("select 1;\r\nselect 2").unwrap();
        assert_eq!(script.up, "select 1;\r\nselect 2");
        assert_eq!(script.transaction, Transaction::Whole);
    }

    #[test]
    fn the_up_part_keeps_its_line_numbers() {
        let text = "-- why\n--+GOOSE  up\nselect 1;\n-- +goose StatementBegin\nselect 2;\n-- +goose StatementEnd\n\
                    -- +goose Down\n-- +goose StatementBegin\ndrop table t;\n-- +goose StatementEnd\n";
        let script = parse(text).unwrap();
        assert_eq!(script.up, "\n\nselect 1;\n\nselect 2;\n\n\n\n\n\n");
    }

    #[test]
    fn no_transaction_may_stand_anywhere() {
        let script = parse("-- +goose NO TRANSACTION\n-- +goose Up\nvacuum;\n").unwrap();
        assert_eq!(script.transaction, Transaction::None);
    }

    #[test]
    fn all_faults_of_a_file_are_reported_together() {
        let text = "select 0;\n-- +goose Up\n-- +goose StatementEnd\n-- +goose StatementBegin\n-- +goose Down\n-- +goose Up\n\
                    -- +goose ENVSUB ON\n-- +goose StatementBegin\n";
        assert_eq!(faults(text), [3, 4, 6, 7, 1, 8]);
        assert_eq!(faults("-- +goose Down\n"), [1, 1]);
        assert_eq!(faults("-- +goose StatementBegin\n-- +goose Up\n"), [1]);
    }
}
