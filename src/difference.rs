//! Shows how two texts differ, on a part of a screen.

use similar::TextDiff;

use crate::text::some;

/// How many lines of a difference are shown.
const MOST: usize = 24;

/// The lines in which the second text differs from the first, under their names.
pub(crate) fn difference(names: [&str; 2], texts: [&str; 2]) -> String {
    let [before, after] = texts.map(|text| format!("{}\n", text.trim_end_matches('\n')));
    let [before_name, after_name] = names;
    let difference = TextDiff::from_lines(&before, &after);
    let lines = difference.unified_diff().header(before_name, after_name).to_string();
    some(lines.lines(), MOST, "lines").trim_start_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_difference_is_cut_and_its_rest_is_counted() {
        let (before, after) = ("a\n".repeat(20), "b\n".repeat(20));
        let lines = difference(["left", "right"], [&before, &after]);
        assert!(lines.starts_with("--- left\n+++ right\n@@ -1,20 +1,20 @@\n-a\n"), "{lines}");
        assert!(lines.ends_with("+b\n… and 19 more lines"), "{lines}");
    }
}
