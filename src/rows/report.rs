//! Says why an assertion on rows failed, on one screen.

use std::fmt;

use super::{
    expectation::{Expectation, counted},
    finding::Seen,
};
use crate::text::some;

/// How many lines of what is expected are shown.
const EXPECTED: usize = 6;
/// How many rows are shown.
const ROWS: usize = 12;

/// An expectation that does not hold, and all that was seen.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, Failure, RowsError};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// if let Err(RowsError::Unmet(unmet)) = ctx.audit().exactly(1).holds().await {
///     // What was expected, the nearest row as a difference, and all rows.
///     return Err(Failure::new(unmet));
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct UnmetRows {
    pub(super) expectation: Expectation,
    pub(super) seen: Seen,
}

impl fmt::Display for UnmetRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { scope, shortfall, rows, .. } = &self.seen;
        write!(f, "{scope}: {}", self.seen.words())?;
        let expected = format!("expected {}", self.expectation).replace('\n', "\n         ");
        f.write_str(&some(expected.lines(), EXPECTED, "requirements"))?;
        if let Some(differences) = &shortfall.nearest {
            write!(f, "\n{differences}")?;
        }
        write!(f, "\nfound {}", counted(rows.len()))?;
        if !rows.is_empty() {
            f.write_str(" (* counted)")?;
        }
        f.write_str(&some(self.table(), ROWS, "rows"))
    }
}

impl UnmetRows {
    /// Every row that was read, a line each, in columns.
    fn table(&self) -> Vec<String> {
        let cells = self.seen.rows.iter().map(|row| {
            let mark = if self.expectation.counts(row) { "*" } else { " " };
            let rest = row.rest(&self.seen.scope.table).to_string();
            let kind = format!("{mark} {}", row.kind());
            [kind, row.emitter().to_owned(), row.time_of_day(), rest]
        });
        aligned(&cells.collect::<Vec<_>>())
    }
}

/// A line for each row of cells, in columns; one that is empty in all of them is left out.
pub(super) fn aligned<const CELLS: usize>(rows: &[[String; CELLS]]) -> Vec<String> {
    let width = |column: usize| {
        let widths = rows.iter().map(|cells| cells[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: [usize; CELLS] = std::array::from_fn(width);
    let line = |cells: &[String; CELLS]| {
        let cells = cells.iter().zip(widths).filter(|(_, width)| *width > 0);
        let line =
            cells.fold(String::new(), |line, (cell, width)| format!("{line}{cell:width$}  "));
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::rows::row::Row;
    use crate::{
        rows::{compare::compare, expectation::Count, finding::Finding, scope::Scope},
        suite::Table,
    };

    fn table() -> Table {
        Table::new("events").id("trace").time("at").kind("event").emitter("service")
    }

    fn row(kind: &str, emitter: &str, time: &str, data: &Value) -> Row {
        let row = json!({
            "trace": "incident-7", "event": kind, "service": emitter, "category": "analysis",
            "at": format!("2026-01-01T{time}+00:00"), "data": data,
        });
        Row::of(&table(), row).unwrap()
    }

    fn report(expectation: Expectation, rows: Vec<Row>) -> String {
        let (Finding::NotYet(shortfall) | Finding::Never(shortfall)) = compare(&expectation, &rows)
        else {
            panic!("it holds")
        };
        let scope = Scope::under(table(), "incident-7");
        let waited = Duration::from_millis(15_042);
        let seen = Seen { scope, shortfall, rows, waited, looks: 148 };
        UnmetRows { expectation, seen }.to_string()
    }

    #[test]
    fn a_row_that_does_not_match_is_shown_as_a_difference() {
        let expectation = Expectation {
            emitter: Some("analysis-service".into()),
            kinds: vec!["llm_request".into(), "llm_response".into()],
            count: Count::Exactly(2),
            order: vec!["llm_request".into(), "llm_response".into()],
            matching: vec![(
                Some("llm_response".into()),
                json!({"category": "analysis", "data": {"incident_id": "inc-7", "has_analysis": true}}),
            )],
            all_matching: vec![json!({"category": "analysis"})],
        };
        let rows = vec![
            row("llm_request", "analysis-service", "10:00:00.25", &json!({})),
            row("search", "datastorage", "10:00:00.3", &json!({})),
            row(
                "llm_response",
                "analysis-service",
                "10:00:01",
                &json!({"incident_id": "inc-7", "has_analysis": false, "more": 1}),
            ),
        ];
        assert_eq!(
            report(expectation, rows),
            r#"`events` where trace is `incident-7`: no row of llm_response matches after 15.0s (148 looks)
expected exactly 2 rows by analysis-service of llm_request, llm_response
         in the order llm_request, llm_response
         each matching {"category":"analysis"}
         one of llm_response matching {"category":"analysis","data":{"has_analysis":true,"incident_id":"inc-7"}}
--- expected
+++ nearest row
@@ -1,7 +1,7 @@
 {
   "category": "analysis",
   "data": {
-    "has_analysis": true,
+    "has_analysis": false,
     "incident_id": "inc-7"
   }
 }
found 3 rows (* counted)
* llm_request   analysis-service  10:00:00.25  {"category":"analysis","data":{}}
  search        datastorage       10:00:00.3   {"category":"analysis","data":{}}
* llm_response  analysis-service  10:00:01     {"category":"analysis","data":{"has_analysis":false,"incident_id":"inc-7","more":1}}"#
        );
    }

    #[test]
    fn a_wrong_number_of_rows_is_told_with_what_there_is() {
        let expectation = Expectation {
            kinds: vec!["llm_request".into()],
            count: Count::Exactly(1),
            ..Expectation::default()
        };
        assert_eq!(
            report(expectation.clone(), Vec::new()),
            "`events` where trace is `incident-7`: no row instead of 1 after 15.0s (148 looks)\n\
             expected exactly 1 row of llm_request\nfound no row"
        );
        let rows = (0..30).map(|_| row("llm_request", "a", "10:00:00", &json!({})));
        let text = report(expectation, rows.collect());
        assert!(text.contains(": 30 rows instead of 1 after"), "{text}");
        assert!(
            text.ends_with(
                "* llm_request  a  10:00:00  {\"category\":\"analysis\",\"data\":{}}\n… and 18 more rows"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_failure_fits_on_one_screen() {
        let wanted: Value = (0..50)
            .map(|key| (format!("key{key}"), json!("long ".repeat(100))))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let expectation = Expectation { all_matching: vec![wanted], ..Expectation::default() };
        let rows = (0..50).map(|_| row("t", "a", "10:00:00", &json!({})));
        let text = report(expectation, rows.collect());
        assert!(text.lines().count() <= 48, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 161), "{text}");
        assert!(text.contains(" more lines\n"), "{text}");
    }
}
