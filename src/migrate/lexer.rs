//! Knows where an SQL statement ends, and which of its words are words.
//!
//! The rules are psql's: a semicolon ends a statement unless it is quoted, in a
//! comment, in parentheses, or in a function's `BEGIN ATOMIC … END`. Nothing is
//! lost: the tokens of a text, put together, are the text.

/// What a token is, as far as finding the end of a statement needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Space or a comment.
    Blank,
    /// A keyword or a name without quotes.
    Word,
    /// A string, a dollar-quoted text, or a quoted name.
    Quoted,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `;`
    Semicolon,
    /// A number, an operator, or anything else.
    Other,
}

/// A piece of the text that belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'sql> {
    pub(super) kind: Kind,
    pub(super) text: &'sql str,
}

impl Token<'_> {
    /// Whether this is the keyword `word`, which is given in upper case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// Takes a text apart into tokens.
pub(super) fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let (kind, length) = first(rest)?;
        let (text, after) = rest.split_at(length);
        rest = after;
        Some(Token { kind, text })
    })
}

/// Takes a text apart behind each semicolon that ends a statement.
pub(super) fn split(sql: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut statement = Nesting::default();
    let (mut start, mut end) = (0, 0);
    for token in tokens(sql) {
        end += token.text.len();
        if statement.ends_with(&token) {
            pieces.push(&sql[start..end]);
            statement = Nesting::default();
            start = end;
        }
    }
    if start < end {
        pieces.push(&sql[start..]);
    }
    pieces
}

/// How deep in a statement the reader is.
#[derive(Default)]
struct Nesting<'sql> {
    /// The first words, which tell whether it makes a function.
    words: Vec<&'sql str>,
    parentheses: usize,
    blocks: usize,
}

impl<'sql> Nesting<'sql> {
    fn ends_with(&mut self, token: &Token<'sql>) -> bool {
        match token.kind {
            Kind::Open => self.parentheses += 1,
            Kind::Close => self.parentheses = self.parentheses.saturating_sub(1),
            Kind::Word => self.word(token),
            Kind::Semicolon => return self.parentheses == 0 && self.blocks == 0,
            Kind::Blank | Kind::Quoted | Kind::Other => {}
        }
        false
    }

    fn word(&mut self, token: &Token<'sql>) {
        if self.words.len() < 4 {
            self.words.push(token.text);
        }
        if self.parentheses > 0 || !self.makes_a_function() {
            return;
        }
        if token.is("BEGIN") || self.blocks > 0 && token.is("CASE") {
            self.blocks += 1;
        } else if token.is("END") {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }

    fn makes_a_function(&self) -> bool {
        let is = |index: usize, word: &str| {
            self.words.get(index).is_some_and(|found| found.eq_ignore_ascii_case(word))
        };
        let what = if is(1, "OR") && is(2, "REPLACE") { 3 } else { 1 };
        is(0, "CREATE") && (is(what, "FUNCTION") || is(what, "PROCEDURE"))
    }
}

/// The kind and the length of the first token; none at the end.
fn first(rest: &str) -> Option<(Kind, usize)> {
    let character = rest.chars().next()?;
    Some(match character {
        '-' if rest.starts_with("--") => (Kind::Blank, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (Kind::Blank, comment(rest)),
        '\'' => (Kind::Quoted, quoted(rest, '\'', Backslash::Plain)),
        '"' => (Kind::Quoted, quoted(rest, '"', Backslash::Plain)),
        'e' | 'E' if rest[1..].starts_with('\'') => {
            (Kind::Quoted, 1 + quoted(&rest[1..], '\'', Backslash::Escapes))
        }
        '$' => dollar(rest).map_or((Kind::Other, 1), |length| (Kind::Quoted, length)),
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        ';' => (Kind::Semicolon, 1),
        space if space.is_ascii_whitespace() => {
            (Kind::Blank, run(rest, |c| c.is_ascii_whitespace()))
        }
        letter if starts_name(letter) => (Kind::Word, run(rest, |c| c == '$' || continues_name(c))),
        digit if digit.is_ascii_digit() => (Kind::Other, run(rest, continues_name)),
        other => (Kind::Other, other.len_utf8()),
    })
}

/// The length of the leading characters that are `part` of it.
fn run(text: &str, part: impl Fn(char) -> bool) -> usize {
    text.find(|character| !part(character)).unwrap_or(text.len())
}

fn starts_name(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || !character.is_ascii()
}

fn continues_name(character: char) -> bool {
    starts_name(character) || character.is_ascii_digit()
}

/// What a backslash in a string does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backslash {
    Plain,
    Escapes,
}

/// The length of a quoted text, in which a doubled quote does not end it.
fn quoted(text: &str, quote: char, backslash: Backslash) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((index, character)) = characters.next() {
        if character == '\\' && backslash == Backslash::Escapes {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return index + 1;
        }
    }
    text.len()
}

/// The length of a comment, in which others may lie.
fn comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of `$tag$ … $tag$`; none if this dollar opens no quote.
fn dollar(text: &str) -> Option<usize> {
    let tag = run(&text[1..], continues_name);
    let named = text[1..].starts_with(|c| starts_name(c) || c == '$');
    if !named || !text[1 + tag..].starts_with('$') {
        return None;
    }
    let quote = &text[..tag + 2];
    let inside = &text[quote.len()..];
    Some(inside.find(quote).map_or(text.len(), |end| end + 2 * quote.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text with every trap, one statement a line.
    const TRAPS: &[&str] = &[
        "select 'a;b''c;', \"d;\"\"e\";",
        "select 'ends with a backslash \\';",
        "select E'it\\'s; one', e'\\\\';",
        "select $$ a; ' b $$, $tag$ c; $$ d; $tag$, $1;",
        "select a$b$ from c$d$ where x = $1;",
        "/* one; /* two; */ still; */ select 1 -- here; not\n;",
        "create rule r as on insert to t do also (insert into a values (1); insert into b values (2));",
        "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;",
        "create table größe (ü text);",
        "begin;",
        "select 'é', $é$ ; $é$;",
    ];

    #[test]
    fn a_semicolon_ends_a_statement_only_where_psql_says_so() {
        let sql = TRAPS.concat();
        assert_eq!(split(&sql), TRAPS);
    }

    #[test]
    fn the_statements_put_together_are_the_text() {
        let whole = TRAPS.join("\n");
        // Cut at every character, so that each kind of token also ends too early.
        for (cut, _) in whole.char_indices() {
            for text in [&whole[..cut], &whole[cut..]] {
                assert_eq!(split(text).concat(), text);
                let joined: String = tokens(text).map(|token| token.text).collect();
                assert_eq!(joined, text);
            }
        }
    }

    #[test]
    fn no_token_is_empty() {
        assert!(
            tokens("$").chain(tokens("'")).chain(tokens("/*")).all(|token| !token.text.is_empty())
        );
        assert_eq!(tokens("").count(), 0);
    }
}
