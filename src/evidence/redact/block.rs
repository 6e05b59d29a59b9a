//! Finds the values that YAML writes as blocks: on the lines below their names, as far as these are indented.

/// How long the block is that is the value of a name, from the `:` behind it; `before` is what its line has before it.
pub(super) fn length(before: &str, rest: &str) -> Option<usize> {
    let mut lines = rest.split_inclusive('\n');
    let heading = lines.next()?;
    if !is_heading(heading) {
        return None;
    }
    let column = column(before)?;
    let (mut length, mut end) = (heading.len(), None);
    for line in lines {
        let text = without_time(line);
        let indented = text.len() - text.trim_start_matches(' ').len();
        let is_blank = text.trim().is_empty();
        if !is_blank && indented <= column {
            break;
        }
        length += line.len();
        if !is_blank {
            end = Some(length - (line.len() - line.trim_end().len()));
        }
    }
    end
}

/// Whether the value begins below: `|`, `>-`, `|2+`, maybe behind a tag and before a comment.
fn is_heading(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with(['!', '&']));
    let indicator = words.next().and_then(|word| word.strip_prefix(['|', '>']));
    indicator.is_some_and(|marks| marks.chars().all(|c| c.is_ascii_digit() || "+-".contains(c)))
        && words.next().is_none_or(|word| word.starts_with('#'))
}

/// In which column a name begins, if nothing but YAML's own marks is before it.
fn column(before: &str) -> Option<usize> {
    let before = without_time(before);
    before.chars().all(|c| matches!(c, ' ' | '-' | '?' | '"' | '\'')).then_some(before.len())
}

/// A line without the time that logs have before each.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, rest)) if is_time(time) => rest,
        _ => line,
    }
}

/// Whether a word is a time as RFC 3339 has it.
fn is_time(word: &str) -> bool {
    const DATE: usize = "2026-11-24".len();
    word.get(..DATE).is_some_and(|date| date.chars().all(|c| c.is_ascii_digit() || c == '-'))
        && word[DATE..].starts_with('T')
        && word[DATE..].contains(':')
}
