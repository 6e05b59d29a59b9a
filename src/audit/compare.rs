//! Compares rows with what is expected of them: does the expectation hold, not yet, or never again?

use serde_json::Value;

use super::{
    expectation::{Count, Expectation, counted},
    partial,
    row::AuditRow,
};

/// What the rows of one look mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// All is as expected.
    Holds,
    /// More rows could make it so.
    NotYet(Shortfall),
    /// No further row can.
    Never(Shortfall),
}

/// The first thing that is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shortfall {
    pub(super) words: String,
    /// Where a row should have matched: what was expected, and what the nearest says about that.
    pub(super) nearest: Option<(Value, Value)>,
}

impl Shortfall {
    fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), nearest: None }
    }

    fn with(words: String, expected: &Value, row: &AuditRow) -> Self {
        let found = partial::project(expected, row.as_json());
        Self { words, nearest: Some((expected.clone(), found)) }
    }
}

/// Compares rows, which come in the order of their time, with what is expected of them.
///
/// Rows are never changed and never vanish, so what is wrong with one stays wrong.
pub(super) fn compare(expectation: &Expectation, rows: &[AuditRow]) -> Finding {
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

fn too_many(expectation: &Expectation, rows: &[&AuditRow]) -> Option<Shortfall> {
    match expectation.count {
        Count::Exactly(expected) if rows.len() > expected => Some(instead(rows, expectation)),
        Count::Exactly(_) | Count::AtLeast(_) => None,
    }
}

fn too_few(expectation: &Expectation, rows: &[&AuditRow]) -> Option<Shortfall> {
    let (Count::Exactly(expected) | Count::AtLeast(expected)) = expectation.count;
    (rows.len() < expected).then(|| instead(rows, expectation))
}

fn instead(rows: &[&AuditRow], expectation: &Expectation) -> Shortfall {
    Shortfall::new(format!("{} instead of {}", counted(rows.len()), expectation.count))
}

/// The first row that is not as every row should be.
fn misfit(expectation: &Expectation, rows: &[&AuditRow]) -> Option<Shortfall> {
    expectation.all_matching.iter().find_map(|expected| {
        let row = rows.iter().find(|row| !partial::matches(expected, row.as_json()))?;
        let words = format!("a row of {} is not as each should be", row.event_type());
        Some(Shortfall::with(words, expected, row))
    })
}

/// The first expected row that is not there.
fn unmatched(expectation: &Expectation, rows: &[&AuditRow]) -> Option<Shortfall> {
    expectation.matching.iter().find_map(|(event_type, expected)| {
        let typed = || rows.iter().filter(|row| row.event_type() == event_type);
        if typed().any(|row| partial::matches(expected, row.as_json())) {
            return None;
        }
        // Of several, the first; `max_by_key` would take the last.
        let nearest =
            typed().rev().max_by_key(|row| partial::leaves(expected, Some(row.as_json())).1);
        Some(match nearest {
            Some(row) => Shortfall::with(format!("no row of {event_type} matches"), expected, row),
            None => Shortfall::new(format!("no row of {event_type}")),
        })
    })
}

/// The first type that does not come where it should.
fn disorder(expectation: &Expectation, rows: &[&AuditRow]) -> Option<Shortfall> {
    let order = &expectation.order;
    let mut placed = 0;
    for moment in rows.chunk_by(|a, b| a.text("event_timestamp") == b.text("event_timestamp")) {
        let mut types: Vec<_> = moment.iter().map(|row| row.event_type()).collect();
        while let Some(wanted) = order.get(placed)
            && let Some(at) = types.iter().position(|found| found == wanted)
        {
            types.swap_remove(at);
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

    /// Rows of these types, at these seconds.
    fn rows(found: &[(&str, u8)]) -> Vec<AuditRow> {
        let row = |(event_type, second): &(&str, u8)| {
            AuditRow::new(json!({
                "event_type": event_type, "actor_id": "us",
                "event_timestamp": format!("2026-01-01T00:00:0{second}+00:00"),
                "event_data": {"second": second},
            }))
        };
        found.iter().map(row).collect()
    }

    fn expecting(count: Count) -> Expectation {
        Expectation { count, ..Expectation::default() }
    }

    fn words(finding: Finding) -> String {
        match finding {
            Finding::Holds => "holds".to_owned(),
            Finding::NotYet(shortfall) => format!("not yet: {}", shortfall.words),
            Finding::Never(shortfall) => format!("never: {}", shortfall.words),
        }
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
    fn only_rows_of_the_emitter_and_the_types_count() {
        let expectation = Expectation {
            emitter: Some("us".into()),
            types: vec!["a".into()],
            ..expecting(Count::Exactly(1))
        };
        let mut found = rows(&[("a", 1), ("b", 2)]);
        found.push(AuditRow::new(json!({"event_type": "a", "actor_id": "them"})));
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
        let partial = json!({"actor_id": "us", "event_data": {"second": 3}});
        let expectation =
            Expectation { matching: vec![("b".into(), partial.clone())], ..Expectation::default() };
        let mut found = rows(&[("a", 3), ("b", 2)]);
        found.insert(0, AuditRow::new(json!({"event_type": "b", "actor_id": "them"})));
        let Finding::NotYet(shortfall) = compare(&expectation, &found) else { panic!() };
        assert_eq!(shortfall.words, "no row of b matches");
        assert_eq!(
            shortfall.nearest,
            Some((partial, json!({"actor_id": "us", "event_data": {"second": 2}})))
        );
        assert_eq!(compare(&expectation, &rows(&[("b", 3)])), Finding::Holds);
        assert_eq!(words(compare(&expectation, &rows(&[("a", 3)]))), "not yet: no row of b");
    }

    #[test]
    fn a_row_that_is_not_as_each_should_be_never_heals() {
        let expectation = Expectation {
            all_matching: vec![json!({"event_data": {"second": 1}})],
            ..Expectation::default()
        };
        assert_eq!(compare(&expectation, &rows(&[("a", 1)])), Finding::Holds);
        let finding = compare(&expectation, &rows(&[("a", 1), ("b", 2)]));
        assert_eq!(words(finding), "never: a row of b is not as each should be");
    }
}
