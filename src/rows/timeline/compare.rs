//! Compares rows with the stages of a timeline: is it complete, not yet, or never again?

use super::{
    place::{Place, Placed, Stages},
    report::UnmetTimeline,
};
use crate::rows::{
    error::RowsError,
    finding::{Finding, Seen, Shortfall},
    row::Row,
    watch::Expected,
};

impl Expected for Stages {
    /// Rows never change or vanish, so one that nothing expects, or that came too early, stays wrong.
    fn compare(&self, rows: &[Row]) -> Finding {
        let Placed { places, missing } = self.place(rows);
        let found = |place| rows.iter().zip(&places).find(|(_, found)| **found == place);
        if let Some((row, _)) = found(Place::Surplus) {
            return Finding::Never(Shortfall::new(format!("{} is not expected", named(row))));
        }
        let Some((stage, entry)) = missing.first() else { return Finding::Holds };
        let number = stage + 1;
        let early = rows
            .iter()
            .zip(&places)
            .find(|(row, place)| **place == Place::Misplaced && entry.is(row));
        let words = match early {
            Some((row, _)) => format!("{} came before stage {stage} was complete", named(row)),
            None => format!("no row of {entry}, which stage {number} expects"),
        };
        let shortfall = Shortfall::new(words);
        // Where further rows are borne, one may yet come in time.
        let may_come = early.is_none_or(|(row, _)| self.beside.iter().any(|entry| entry.is(row)));
        if may_come { Finding::NotYet(shortfall) } else { Finding::Never(shortfall) }
    }

    fn counts(&self, _: &Row) -> bool {
        true
    }

    fn may_break(&self) -> bool {
        true
    }

    fn unmet(&self, seen: Seen) -> RowsError {
        RowsError::UnmetTimeline(Box::new(UnmetTimeline { stages: self.clone(), seen }))
    }
}

fn named(row: &Row) -> String {
    format!("{} of {}", row.kind(), row.time_of_day())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        rows::{finding::words, timeline::Entry},
        suite::Table,
    };

    /// Rows of `kind@second`, or `emitter/kind@second`.
    fn rows(found: &[&str]) -> Vec<Row> {
        let table = Table::new("events").kind("type").time("at").emitter("by");
        let row = |text: &&str| {
            let (kind, second) = text.split_once('@').unwrap();
            let (by, kind) = kind.split_once('/').unwrap_or(("us", kind));
            let at = format!("2026-01-01T00:00:0{second}+00:00");
            Row::of(&table, json!({"type": kind, "by": by, "at": at})).unwrap()
        };
        found.iter().map(row).collect()
    }

    fn stages(stages: &[&[&str]], beside: &[&str]) -> Stages {
        let entries = |kinds: &[&str]| kinds.iter().map(|kind| Entry::from(*kind)).collect();
        Stages {
            stages: stages.iter().map(|kinds| entries(kinds)).collect(),
            beside: entries(beside),
        }
    }

    #[test]
    fn stages_come_one_after_the_other_and_their_rows_in_any_order() {
        let stages = stages(&[&["a"], &["b", "c", "b"], &["d"]], &[]);
        let found = rows(&["a@1", "b@2", "c@3", "b@4", "d@4"]);
        assert_eq!(stages.compare(&found), Finding::Holds);
        let found = rows(&["d@4", "b@4", "c@4", "b@4", "a@4"]);
        assert_eq!(stages.compare(&found), Finding::Holds, "rows of one moment have no order");
    }

    #[test]
    fn what_is_missing_may_come_and_what_came_too_early_stays_wrong() {
        let stages = stages(&[&["a"], &["b"], &["c"]], &[]);
        let missing = stages.compare(&rows(&["a@1", "c@3"]));
        assert_eq!(words(missing), "not yet: no row of b, which stage 2 expects");
        let early = stages.compare(&rows(&["a@1", "c@2", "b@3"]));
        assert_eq!(words(early), "never: c of 00:00:02 came before stage 2 was complete");
        let placed = stages.place(&rows(&["a@1", "c@2", "b@3"]));
        assert_eq!(placed.places, [Place::Stage(0), Place::Misplaced, Place::Stage(1)]);
        assert_eq!(placed.missing, [(2, Entry::from("c"))]);
    }

    #[test]
    fn what_nothing_expects_breaks_it_unless_it_may_be_beside() {
        let found = rows(&["a@1", "x@2", "b@3"]);
        let strict = stages(&[&["a"], &["b"]], &[]);
        assert_eq!(words(strict.compare(&found)), "never: x of 00:00:02 is not expected");
        let twice = strict.compare(&rows(&["a@1", "a@2", "b@3"]));
        assert_eq!(words(twice), "never: a of 00:00:02 is not expected");
        assert_eq!(stages(&[&["a"], &["b"]], &["x"]).compare(&found), Finding::Holds);
    }

    #[test]
    fn of_what_may_come_more_often_one_may_still_come_in_time() {
        let stages = stages(&[&["a"], &["b"], &["call"]], &["call"]);
        let early = stages.compare(&rows(&["a@1", "call@2", "b@3"]));
        assert_eq!(words(early), "not yet: call of 00:00:02 came before stage 2 was complete");
        let found = rows(&["a@1", "call@2", "b@3", "call@4", "call@5"]);
        assert_eq!(stages.compare(&found), Finding::Holds);
    }

    #[test]
    fn an_entry_with_an_emitter_is_for_its_rows_only() {
        let entries = [("us", "a"), ("them", "a")].map(Entry::from);
        let stages = Stages { stages: entries.map(|entry| vec![entry]).into(), beside: vec![] };
        assert_eq!(stages.compare(&rows(&["a@1", "them/a@2"])), Finding::Holds);
        let wrong = stages.compare(&rows(&["a@1", "a@2"]));
        assert_eq!(words(wrong), "never: a of 00:00:02 is not expected");
    }
}
