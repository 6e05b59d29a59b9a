//! Compares rows with what is expected of them: does the expectation hold, not yet, or never again?

use super::{
    error::RowsError,
    expectation::{Count, Expectation, counted, of},
    finding::{Finding, Seen, Shortfall},
    report::UnmetRows,
    row::Row,
    watch::Expected,
};
use crate::partial;

impl Expected for Expectation {
    fn compare(&self, rows: &[Row]) -> Finding {
        compare(self, rows)
    }

    fn counts(&self, row: &Row) -> bool {
        Self::counts(self, row)
    }

    fn may_break(&self) -> bool {
        matches!(self.count, Count::Exactly(_)) || !self.all_matching.is_empty()
    }

    fn unmet(&self, seen: Seen) -> RowsError {
        RowsError::Unmet(Box::new(UnmetRows { expectation: self.clone(), seen }))
    }
}

/// Compares rows, which come in the order of their time, with what is expected of them.
///
/// Where rows are only added, as to a trail of audit events, what is wrong with one stays wrong.
pub(super) fn compare(expectation: &Expectation, rows: &[Row]) -> Finding {
    let counted: Vec<_> = rows.iter().filter(|row| expectation.counts(row)).collect();
    if let Some(shortfall) =
        too_many(expectation, &counted).or_else(|| misfit(expectation, &counted))
    {
        return Finding::Never(shortfall);
    }
    if let Some(shortfall) = too_few(expectation, &counted) {
        return Finding::NotYet(shortfall);
    }
    let lacking = unmatched(expectation, &counted).or_else(|| disorder(expectation, &counted));
    match (lacking, expectation.count) {
        (None, _) => Finding::Holds,
        // One more row would be one too many.
        (Some(shortfall), Count::Exactly(_)) => Finding::Never(shortfall),
        (Some(shortfall), Count::AtLeast(_)) => Finding::NotYet(shortfall),
    }
}

fn too_many(expectation: &Expectation, rows: &[&Row]) -> Option<Shortfall> {
    match expectation.count {
        Count::Exactly(expected) if rows.len() > expected => Some(instead(rows, expectation)),
        Count::Exactly(_) | Count::AtLeast(_) => None,
    }
}

fn too_few(expectation: &Expectation, rows: &[&Row]) -> Option<Shortfall> {
    let (Count::Exactly(expected) | Count::AtLeast(expected)) = expectation.count;
    (rows.len() < expected).then(|| instead(rows, expectation))
}

fn instead(rows: &[&Row], expectation: &Expectation) -> Shortfall {
    Shortfall::new(format!("{} instead of {}", counted(rows.len()), expectation.count))
}

/// The first row that is not as every row should be.
fn misfit(expectation: &Expectation, rows: &[&Row]) -> Option<Shortfall> {
    expectation.all_matching.iter().find_map(|expected| {
        let row = rows.iter().find(|row| !partial::matches(expected, row.as_json()))?;
        let kind = Some(row.kind()).filter(|kind| !kind.is_empty());
        let words = format!("a row{} is not as each should be", of(kind));
        Some(Shortfall::with(words, expected, row))
    })
}

/// The first expected row that is not there.
fn unmatched(expectation: &Expectation, rows: &[&Row]) -> Option<Shortfall> {
    expectation.matching.iter().find_map(|(kind, expected)| {
        let kind = kind.as_deref();
        let candidates = || rows.iter().filter(|row| kind.is_none_or(|kind| row.kind() == kind));
        if candidates().any(|row| partial::matches(expected, row.as_json())) {
            return None;
        }
        // Of several, the first; `max_by_key` would take the last.
        let nearest =
            candidates().rev().max_by_key(|row| partial::leaves(expected, Some(row.as_json())).1);
        let of_kind = of(kind);
        Some(match nearest {
            Some(row) => Shortfall::with(format!("no row{of_kind} matches"), expected, row),
            None => Shortfall::new(format!("no row{of_kind}")),
        })
    })
}

/// The first kind that does not come where it should.
fn disorder(expectation: &Expectation, rows: &[&Row]) -> Option<Shortfall> {
    let order = &expectation.order;
    let mut placed = 0;
    for moment in rows.chunk_by(|a, b| a.time() == b.time()) {
        let mut kinds: Vec<_> = moment.iter().map(|row| row.kind()).collect();
        while let Some(wanted) = order.get(placed)
            && let Some(at) = kinds.iter().position(|found| found == wanted)
        {
            kinds.swap_remove(at);
            placed += 1;
        }
    }
    let wanted = order.get(placed)?;
    let before = placed.checked_sub(1).and_then(|before| order.get(before));
    Some(Shortfall::new(match before {
        Some(before) => format!("no row of {wanted} after {before}"),
        None => format!("no row of {wanted}"),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{rows::finding::words, suite::Table};

    fn row(kind: &str, second: u8, emitter: &str) -> Row {
        let table = Table::new("events").kind("type").time("at").emitter("by");
        let row = json!({
            "type": kind, "by": emitter, "data": {"second": second},
            "at": format!("2026-01-01T00:00:0{second}+00:00"),
        });
        Row::of(&table, row).unwrap()
    }

    /// Rows of these kinds, at these seconds.
    fn rows(found: &[(&str, u8)]) -> Vec<Row> {
        found.iter().map(|(kind, second)| row(kind, *second, "us")).collect()
    }

    fn expecting(count: Count) -> Expectation {
        Expectation { count, ..Expectation::default() }
    }

    #[test]
    fn too_few_rows_may_still_come_but_too_many_never_go() {
        let two = rows(&[("a", 1), ("b", 2)]);
        assert_eq!(
            words(compare(&expecting(Count::Exactly(3)), &two)),
            "not yet: 2 rows instead of 3"
        );
        assert_eq!(words(compare(&expecting(Count::Exactly(2)), &two)), "holds");
        assert_eq!(
            words(compare(&expecting(Count::Exactly(0)), &two)),
            "never: 2 rows instead of 0"
        );
        assert_eq!(words(compare(&expecting(Count::AtLeast(1)), &two)), "holds");
        assert_eq!(
            words(compare(&Expectation::default(), &[])),
            "not yet: no row instead of at least 1"
        );
    }

    #[test]
    fn only_rows_of_the_emitter_and_the_kinds_count() {
        let expectation = Expectation {
            emitter: Some("us".into()),
            kinds: vec!["a".into()],
            ..expecting(Count::Exactly(1))
        };
        let mut found = rows(&[("a", 1), ("b", 2)]);
        found.push(row("a", 3, "them"));
        assert_eq!(compare(&expectation, &found), Finding::Holds);
    }

    #[test]
    fn order_is_by_time_and_rows_of_one_moment_have_none() {
        let order = |count| Expectation {
            order: ["a", "b", "a"].map(String::from).to_vec(),
            ..expecting(count)
        };
        let found = rows(&[("a", 1), ("a", 2), ("x", 2), ("b", 2), ("a", 3)]);
        assert_eq!(compare(&order(Count::AtLeast(1)), &found), Finding::Holds);
        let found = rows(&[("b", 1), ("a", 2), ("a", 3)]);
        assert_eq!(
            words(compare(&order(Count::AtLeast(1)), &found)),
            "not yet: no row of b after a"
        );
        assert_eq!(words(compare(&order(Count::Exactly(3)), &found)), "never: no row of b after a");
        assert_eq!(words(compare(&order(Count::AtLeast(0)), &[])), "not yet: no row of a");
    }

    #[test]
    fn the_nearest_row_is_the_one_that_has_most_of_it() {
        let partial = json!({"by": "us", "data": {"second": 3}});
        let mut expectation =
            Expectation { matching: vec![(Some("b".into()), partial)], ..Expectation::default() };
        let mut found = rows(&[("a", 3), ("b", 2)]);
        found.insert(0, row("b", 1, "them"));
        let Finding::NotYet(shortfall) = compare(&expectation, &found) else { panic!() };
        assert_eq!(shortfall.words, "no row of b matches");
        let nearest = shortfall.nearest.unwrap();
        assert!(nearest.contains("-    \"second\": 3\n+    \"second\": 2"), "{nearest}");
        assert_eq!(compare(&expectation, &rows(&[("b", 3)])), Finding::Holds);
        assert_eq!(words(compare(&expectation, &rows(&[("a", 3)]))), "not yet: no row of b");
        expectation.matching[0].0 = None;
        assert_eq!(compare(&expectation, &rows(&[("a", 3)])), Finding::Holds);
        assert_eq!(words(compare(&expectation, &rows(&[("a", 1)]))), "not yet: no row matches");
    }

    #[test]
    fn a_row_that_is_not_as_each_should_be_never_heals() {
        let expectation = Expectation {
            all_matching: vec![json!({"data": {"second": 1}})],
            ..Expectation::default()
        };
        assert_eq!(compare(&expectation, &rows(&[("a", 1)])), Finding::Holds);
        let finding = compare(&expectation, &rows(&[("a", 1), ("b", 2)]));
        assert_eq!(words(finding), "never: a row of b is not as each should be");
    }
}
