//! Turns a file's statements into steps, each of which is done as a whole or not at all.

use super::{
    goose::{Fault, Script, Transaction},
    lexer::{self, Kind, Token},
};
use crate::text::shortened;

/// A statement and the line of the file in which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) line: usize,
}

/// Statements that are done together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) statements: Vec<Statement>,
}

/// The steps of a file, and what of the file is not sent as it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    pub(super) dropped: Vec<Fault>,
}

/// What a statement does to the transaction that it runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Opens,
    Closes,
    Undoes,
    /// It does nothing to it, but waits for data that nobody would send.
    Copies,
    Nothing,
}

/// Finds the steps of a script.
///
/// Where the script is one transaction, so is the only step, and what would open,
/// close or need another one is dropped. Otherwise each statement is a step, and
/// what stands between `BEGIN` and `COMMIT` is one too.
pub(super) fn steps(script: &Script) -> Result<Steps, Vec<Fault>> {
    let mut steps = match script.transaction {
        Transaction::Whole => vec![Step::default()],
        Transaction::None => Vec::new(),
    };
    let (mut dropped, mut faults) = (Vec::new(), Vec::new());
    let mut group = None;
    for mut statement in statements(&script.up) {
        let line = statement.line;
        match (control(&statement.text), script.transaction) {
            (Control::Undoes, _) => faults.push(Fault::new(
                line,
                "`ROLLBACK` would undo what the runner keeps in order; remove it",
            )),
            (Control::Copies, _) => {
                faults.push(Fault::new(line, "`COPY` with STDIN or STDOUT needs psql; use INSERT"));
            }
            (Control::Opens | Control::Closes, Transaction::Whole) => dropped.push(Fault::new(
                line,
                format!("`{}` is dropped: the file is one transaction", short(&statement.text)),
            )),
            (Control::Opens, Transaction::None) => {
                group = Some(line);
                steps.push(Step::default());
            }
            (Control::Closes, Transaction::None) => {
                if group.take().is_none() {
                    dropped.push(Fault::new(line, "`COMMIT` is dropped: nothing was begun"));
                }
            }
            (Control::Nothing, transaction) => {
                if transaction == Transaction::Whole && drop_concurrently(&mut statement.text) {
                    dropped.push(Fault::new(
                        line,
                        "`CONCURRENTLY` is dropped: the file is one transaction",
                    ));
                }
                match steps.last_mut() {
                    Some(step) if transaction == Transaction::Whole || group.is_some() => {
                        step.statements.push(statement);
                    }
                    _ => steps.push(Step { statements: vec![statement] }),
                }
            }
        }
    }
    if let Some(line) = group {
        faults.push(Fault::new(line, "`BEGIN` without `COMMIT`; add it below"));
    }
    if faults.is_empty() { Ok(Steps { steps, dropped }) } else { Err(faults) }
}

/// A statement in one line of at most 100 characters, without its comments.
pub(super) fn short(statement: &str) -> String {
    const MOST: usize = 100;
    let tokens = lexer::tokens(statement).filter(|token| token.kind != Kind::Semicolon);
    let text: String =
        tokens.map(|token| if token.kind == Kind::Blank { " " } else { token.text }).collect();
    let words: Vec<_> = text.split_whitespace().collect();
    shortened(&words.join(" "), MOST)
}

/// The statements of a text, each from its first word on.
fn statements(sql: &str) -> Vec<Statement> {
    let mut line = 1;
    let mut statements = Vec::new();
    for piece in lexer::split(sql) {
        let blank: usize = lexer::tokens(piece)
            .take_while(|token| token.kind == Kind::Blank)
            .map(|token| token.text.len())
            .sum();
        let (above, text) = piece.split_at(blank);
        if !text.is_empty() && text != ";" {
            statements.push(Statement {
                text: text.to_owned(),
                line: line + above.matches('\n').count(),
            });
        }
        line += piece.matches('\n').count();
    }
    statements
}

fn control(statement: &str) -> Control {
    let words: Vec<_> = code(statement).collect();
    let is =
        |index: usize, word: &str| words.get(index).is_some_and(|token: &Token| token.is(word));
    if is(0, "BEGIN") || is(0, "START") && is(1, "TRANSACTION") {
        Control::Opens
    } else if is(0, "END") || is(0, "COMMIT") && !is(1, "PREPARED") {
        Control::Closes
    } else if (is(0, "ROLLBACK") || is(0, "ABORT"))
        && !words.iter().any(|token| token.is("TO") || token.is("PREPARED"))
    {
        Control::Undoes
    } else if is(0, "COPY") && words.iter().any(|token| token.is("STDIN") || token.is("STDOUT")) {
        Control::Copies
    } else {
        Control::Nothing
    }
}

/// Takes the keyword out of a statement that changes the schema; false if it has none.
fn drop_concurrently(statement: &mut String) -> bool {
    const VERBS: [&str; 5] = ["CREATE", "DROP", "REINDEX", "REFRESH", "ALTER"];
    let changes =
        code(statement).next().is_some_and(|verb| VERBS.iter().any(|known| verb.is(known)));
    if !changes || !code(statement).any(|token| token.is("CONCURRENTLY")) {
        return false;
    }
    *statement = lexer::tokens(statement)
        .filter(|token| !token.is("CONCURRENTLY"))
        .map(|token| token.text)
        .collect();
    true
}

/// The tokens that are not blank.
fn code(statement: &str) -> impl Iterator<Item = Token<'_>> {
    lexer::tokens(statement).filter(|token| token.kind != Kind::Blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(sql: &str, transaction: Transaction) -> Steps {
        let up = sql.to_owned();
        steps(&Script { up, transaction }).unwrap()
    }

    fn texts(step: &Step) -> Vec<&str> {
        step.statements.iter().map(|statement| statement.text.as_str()).collect()
    }

    #[test]
    fn a_transaction_is_one_step_without_what_does_not_fit_in_it() {
        let sql = "begin work;\n/* why */ create unique index\n  concurrently i on t (a);\n;\nselect 'concurrently';\nCOMMIT;";
        let found = cut(sql, Transaction::Whole);
        let [step] = found.steps.as_slice() else { panic!("{found:?}") };
        assert_eq!(texts(step), ["create unique index\n   i on t (a);", "select 'concurrently';"]);
        assert_eq!(step.statements[1].line, 5);
        let lines: Vec<_> = found.dropped.iter().map(|dropped| dropped.line).collect();
        assert_eq!(lines, [1, 2, 6]);
        assert_eq!(found.dropped[0].words, "`begin work` is dropped: the file is one transaction");
    }

    #[test]
    fn without_a_transaction_each_statement_is_a_step_and_a_begun_group_too() {
        let found = cut(
            "vacuum; begin; select 1; select 2; end; reindex table concurrently t;",
            Transaction::None,
        );
        let steps: Vec<_> = found.steps.iter().map(texts).collect();
        assert_eq!(
            steps,
            [
                vec!["vacuum;"],
                vec!["select 1;", "select 2;"],
                vec!["reindex table concurrently t;"]
            ]
        );
    }

    #[test]
    fn a_rollback_and_a_copy_are_refused_but_not_a_rollback_to_a_savepoint() {
        let refused = steps(&Script {
            up: "select 1;\nrollback;\ncopy t (a) from stdin;".into(),
            transaction: Transaction::Whole,
        });
        let lines: Vec<_> = refused.unwrap_err().iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 3]);
        let fine = cut("savepoint s; rollback to savepoint s;", Transaction::Whole);
        assert_eq!(fine.steps[0].statements.len(), 2);
    }

    #[test]
    fn a_shortened_statement_is_one_line_without_comments() {
        assert_eq!(short("select 1, -- one\n   'a  b';"), "select 1, 'a b'");
        assert_eq!(short(&"ä".repeat(101)), format!("{}…", "ä".repeat(100)));
    }
}
