//! Says why a timeline is not as expected, as a table of all that came.

use std::fmt;

use super::place::{Place, Placed, Stages};
use crate::{
    rows::{finding::Seen, report::aligned, row::Row},
    text::some,
};

/// How many lines of the table are shown.
const LINES: usize = 100;

/// A timeline that is not as expected, and all that was seen.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, RowsError};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let error = ctx.timeline().then(["order.accepted"]).holds().await;
/// if let Err(RowsError::UnmetTimeline(unmet)) = &error {
///     ctx.attach("timeline.txt", unmet.to_string())?;
/// }
/// error?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct UnmetTimeline {
    pub(super) stages: Stages,
    pub(super) seen: Seen,
}

impl fmt::Display for UnmetTimeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the timeline of {}: {}", self.seen.scope, self.seen.words())?;
        f.write_str(&some(self.table(), LINES, "rows"))
    }
}

impl UnmetTimeline {
    /// Every row that was read, by time, and every row that is missing, where its stage is.
    fn table(&self) -> Vec<String> {
        let Placed { places, missing } = self.stages.place(&self.seen.rows);
        let mut lines: Vec<_> =
            self.seen.rows.iter().zip(&places).map(|(row, place)| self.line(row, *place)).collect();
        // The first that is missing keeps all later stages from being placed.
        let at = places.iter().rposition(|place| matches!(place, Place::Stage(_)));
        let missing = missing.into_iter().map(|(stage, entry)| {
            let emitter = entry.emitter().unwrap_or_default().to_owned();
            let stage = format!("! {}", stage + 1);
            [stage, "missing".to_owned(), entry.kind().to_owned(), emitter, String::new()]
        });
        let at = at.map_or(0, |at| at + 1);
        lines.splice(at..at, missing);
        let head = ["  stage", "time", "kind", "emitter", "id of"].map(str::to_owned);
        lines.insert(0, head);
        aligned(&lines)
    }

    fn line(&self, row: &Row, place: Place) -> [String; 5] {
        let stage = match place {
            Place::Stage(stage) => format!("  {}", stage + 1),
            Place::Beside => "  beside".to_owned(),
            Place::Misplaced => "! too early".to_owned(),
            Place::Surplus => "! not expected".to_owned(),
        };
        let id = self.seen.scope.table.id.as_ref().and_then(|column| row.get(column)?.as_str());
        let of = self.seen.scope.ids.iter().find(|(_, known)| Some(&**known) == id);
        let of = of.map(|(of, _)| of.clone()).unwrap_or_default();
        [stage, row.time_of_day(), row.kind().to_owned(), row.emitter().to_owned(), of]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{
        rows::{finding::Finding, scope::Scope, timeline::Entry, watch::Expected as _},
        suite::Table,
    };

    #[test]
    fn a_timeline_is_shown_as_a_table_with_what_is_missing_in_its_place() {
        let table = Table::new("audit").id("trace").time("at").kind("event").emitter("service");
        let row = |(id, kind, emitter, time): (&str, &str, &str, &str)| {
            let at = format!("2026-01-01T{time}+00:00");
            let json = json!({"trace": id, "event": kind, "service": emitter, "at": at});
            Row::of(&table, json).unwrap()
        };
        let rows = [
            ("rr-7", "signal.received", "gateway", "10:00:00.25"),
            ("rr-7", "request.created", "gateway", "10:00:00.3"),
            ("u-1", "started", "orchestrator", "10:00:01"),
            ("u-1", "called", "analysis", "10:00:02"),
            ("u-1", "completed", "orchestrator", "10:00:09"),
        ];
        let rows: Vec<_> = rows.into_iter().map(row).collect();
        let stages = Stages {
            stages: vec![
                vec!["signal.received".into(), "request.created".into()],
                vec![("orchestrator", "started").into()],
                vec![("executor", "executed").into()],
                vec!["completed".into()],
            ],
            beside: vec![Entry::from("called")],
        };
        let Finding::NotYet(shortfall) = stages.compare(&rows) else { panic!("it may yet hold") };
        let ids = [("request", "rr-7"), ("request's uid", "u-1")];
        let ids = ids.map(|(of, id)| (of.to_owned(), id.to_owned()));
        let seen = Seen {
            scope: Scope::under_any(table.clone(), ids.into()),
            shortfall,
            rows,
            waited: Duration::from_millis(30_020),
            looks: 299,
        };
        assert_eq!(
            UnmetTimeline { stages, seen }.to_string(),
            "the timeline of `audit` where trace is `rr-7` (request) or `u-1` (request's uid): \
             no row of executed by executor, which stage 3 expects after 30.0s (299 looks)\n\
             \x20 stage      time         kind             emitter       id of
  1          10:00:00.25  signal.received  gateway       request
  1          10:00:00.3   request.created  gateway       request
  2          10:00:01     started          orchestrator  request's uid
! 3          missing      executed         executor
! 4          missing      completed
  beside     10:00:02     called           analysis      request's uid
! too early  10:00:09     completed        orchestrator  request's uid"
        );
    }
}
