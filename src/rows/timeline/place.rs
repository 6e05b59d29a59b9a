//! Finds for each row which expected event of a timeline it is.

use super::entry::Entry;
use crate::{rows::row::Row, suite::Table};

/// What is expected of a timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stages {
    pub(super) stages: Vec<Vec<Entry>>,
    /// What may come at any time.
    pub(super) beside: Vec<Entry>,
}

/// What a row of a timeline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An event of this stage.
    Stage(usize),
    /// One that may come at any time.
    Beside,
    /// One that a stage expects, but not at this time.
    Misplaced,
    /// One that nothing expects.
    Surplus,
}

/// Which row is what, and which entries have no row.
#[derive(Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) places: Vec<Place>,
    /// With the number of their stage, from 0.
    pub(super) missing: Vec<(usize, Entry)>,
}

impl Stages {
    /// A column that is needed and the table is declared without, and the method that needs it.
    pub(super) fn undeclared(&self, table: &Table) -> Option<(&'static str, &'static str)> {
        let named = self.stages.iter().flatten().chain(&self.beside);
        let emitter = named.into_iter().any(|entry| entry.emitter().is_some());
        let needs = [
            ("id", table.id.is_none()),
            ("time", table.time.is_none()),
            ("kind", table.kind.is_none()),
            ("emitter", emitter && table.emitter.is_none()),
        ];
        needs.into_iter().find(|(_, missing)| *missing).map(|(column, _)| (column, "timeline"))
    }

    /// Places rows, which come in the order of their time.
    pub(super) fn place(&self, rows: &[Row]) -> Placed {
        let mut places: Vec<_> = self.spare(rows);
        let mut stages = self.stages.iter().cloned().enumerate();
        let mut current = stages.next();
        let mut begin = 0;
        // Rows of one moment have no order.
        for moment in rows.chunk_by(|a, b| a.time() == b.time()) {
            let moment_places = &mut places[begin..begin + moment.len()];
            begin += moment.len();
            while let Some((stage, open)) = &mut current {
                fill(*stage, open, moment, moment_places);
                if !open.is_empty() {
                    break;
                }
                current = stages.next();
            }
        }
        let missing = current.into_iter().chain(stages);
        let missing =
            missing.flat_map(|(stage, open)| open.into_iter().map(move |entry| (stage, entry)));
        Placed { places, missing: missing.collect() }
    }

    /// What rows are as long as they have no stage.
    fn spare(&self, rows: &[Row]) -> Vec<Place> {
        let mut open: Vec<_> = self.stages.iter().flatten().collect();
        let place = |row: &Row| match open.iter().position(|entry| entry.is(row)) {
            Some(at) => {
                open.swap_remove(at);
                Place::Misplaced
            }
            None if self.beside.iter().any(|entry| entry.is(row)) => Place::Beside,
            None => Place::Surplus,
        };
        rows.iter().map(place).collect()
    }
}

/// Gives rows of a moment to the open entries of a stage.
fn fill(stage: usize, open: &mut Vec<Entry>, moment: &[Row], places: &mut [Place]) {
    for (row, place) in moment.iter().zip(places) {
        if matches!(place, Place::Stage(_)) {
            continue;
        }
        if let Some(at) = open.iter().position(|entry| entry.is(row)) {
            open.swap_remove(at);
            *place = Place::Stage(stage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(stages: &[Entry]) -> Stages {
        Stages { stages: vec![stages.to_vec()], beside: vec![] }
    }

    #[test]
    fn a_column_that_is_needed_and_not_declared_is_named() {
        let table = Table::new("events").id("trace").time("at").kind("event");
        assert_eq!(stages(&["a".into()]).undeclared(&table), None);
        let emitter = stages(&[("us", "a").into()]);
        assert_eq!(emitter.undeclared(&table), Some(("emitter", "timeline")));
        let undeclared = stages(&[]).undeclared(&Table::new("events"));
        assert_eq!(undeclared, Some(("id", "timeline")));
    }
}
