//! Says why an assertion on audit rows failed, on one screen.

use std::{fmt, time::Duration};

use similar::TextDiff;
use thiserror::Error;

use super::{
    compare::Shortfall,
    expectation::{Expectation, counted},
    row::AuditRow,
};
use crate::text::shortened;

/// How many lines of what is expected are shown.
const EXPECTED: usize = 6;
/// How many lines of a difference are shown.
const DIFFERENCE: usize = 16;
/// How many rows are shown.
const ROWS: usize = 12;
/// How much of a line is shown.
const WIDTH: usize = 160;

/// Why an assertion on audit rows did not hold.
#[derive(Debug, Error)]
pub enum AuditError {
    /// The rows are not as expected.
    #[error("{0}")]
    Unmet(Box<Unmet>),
    /// The suite has no database.
    #[error("the suite has no database to look into; give a workload a `.postgres(..)` endpoint")]
    NoDatabase,
    /// There is no such table.
    #[error(
        "the table `audit_events` does not exist, so its migrations are not applied; \
         let the suite name them with `.migrations(..)` before its services"
    )]
    NotMigrated,
    /// The database was asked in vain, or fell silent before the last look.
    #[error(
        "the audit rows of `{correlation_id}` could not be read for {waited:.1?} (does the suite stop its database?); last: {last}"
    )]
    Silent {
        /// Whose rows they are.
        correlation_id: String,
        /// How long was waited.
        waited: Duration,
        /// The latest answer.
        last: String,
    },
    /// The database refuses to answer.
    #[error("read the audit rows (may the user of the suite's database read `audit_events`?)")]
    Unreadable {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
}

/// An expectation that does not hold, and all that was seen.
#[derive(Debug)]
pub struct Unmet {
    pub(super) correlation_id: String,
    pub(super) expectation: Expectation,
    pub(super) shortfall: Shortfall,
    pub(super) rows: Vec<AuditRow>,
    pub(super) waited: Duration,
    pub(super) looks: usize,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looks = if self.looks == 1 { "look" } else { "looks" };
        write!(
            f,
            "audit of `{}`: {} after {:.1?} ({} {looks})",
            self.correlation_id, self.shortfall.words, self.waited, self.looks
        )?;
        let expected = format!("expected {}", self.expectation).replace('\n', "\n         ");
        some(f, expected.lines(), EXPECTED, "requirements")?;
        let difference = self.difference();
        some(f, difference.lines(), DIFFERENCE, "lines")?;
        write!(f, "\nunder this id: {}", counted(self.rows.len()))?;
        if !self.rows.is_empty() {
            f.write_str(" (* counted)")?;
        }
        some(f, self.table().into_iter(), ROWS, "rows")
    }
}

impl Unmet {
    /// What the nearest row should be and is, as far as anything is expected of it.
    fn difference(&self) -> String {
        let Some((expected, found)) = &self.shortfall.nearest else {
            return String::new();
        };
        let (expected, found) = (format!("{expected:#}\n"), format!("{found:#}\n"));
        let difference = TextDiff::from_lines(&expected, &found);
        difference.unified_diff().header("expected", "nearest row").to_string()
    }

    /// Every row under the id, a line each, in columns.
    fn table(&self) -> Vec<String> {
        let columns = ["event_type", "event_category", "actor_id", "event_outcome"].map(|column| {
            let widths = self.rows.iter().map(|row| row.text(column).chars().count());
            (column, widths.max().unwrap_or_default())
        });
        let line = |row: &AuditRow| {
            let mark = if self.expectation.counts(row) { "*" } else { " " };
            let cells = columns.map(|(column, width)| format!("{:width$}", row.text(column)));
            format!("{mark} {}  {}", cells.join("  "), row.time())
        };
        self.rows.iter().map(line).collect()
    }
}

/// Writes at most `most` of the lines, each on a new one, and how many are left out.
fn some<T: AsRef<str>>(
    f: &mut fmt::Formatter<'_>,
    mut lines: impl Iterator<Item = T>,
    most: usize,
    what: &str,
) -> fmt::Result {
    for line in lines.by_ref().take(most) {
        write!(f, "\n{}", shortened(line.as_ref(), WIDTH))?;
    }
    match lines.count() {
        0 => Ok(()),
        left => write!(f, "\n… and {left} more {what}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::audit::{
        compare::{Finding, compare},
        expectation::Count,
    };

    fn row(event_type: &str, actor: &str, time: &str, data: &Value) -> AuditRow {
        AuditRow::new(json!({
            "event_type": event_type, "event_category": "analysis", "actor_id": actor, "event_outcome": "success",
            "event_timestamp": format!("2026-01-01T{time}+00:00"), "event_data": data,
        }))
    }

    fn report(expectation: Expectation, rows: Vec<AuditRow>) -> String {
        let (Finding::NotYet(shortfall) | Finding::Never(shortfall)) = compare(&expectation, &rows)
        else {
            panic!("it holds")
        };
        let unmet = Unmet {
            correlation_id: "incident-7".into(),
            expectation,
            shortfall,
            rows,
            waited: Duration::from_millis(15_042),
            looks: 148,
        };
        unmet.to_string()
    }

    #[test]
    fn a_row_that_does_not_match_is_shown_as_a_difference() {
        let expectation = Expectation {
            emitter: Some("analysis-service".into()),
            types: vec!["llm_request".into(), "llm_response".into()],
            count: Count::Exactly(2),
            order: vec!["llm_request".into(), "llm_response".into()],
            matching: vec![(
                "llm_response".into(),
                json!({"event_outcome": "success", "event_data": {"incident_id": "inc-7", "has_analysis": true}}),
            )],
            all_matching: vec![json!({"event_category": "analysis"})],
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
            r#"audit of `incident-7`: no row of llm_response matches after 15.0s (148 looks)
expected exactly 2 rows by analysis-service of llm_request, llm_response
         in the order llm_request, llm_response
         each matching {"event_category":"analysis"}
         one of llm_response matching {"event_data":{"has_analysis":true,"incident_id":"inc-7"},"event_outcome":"success"}
--- expected
+++ nearest row
@@ -1,6 +1,6 @@
 {
   "event_data": {
-    "has_analysis": true,
+    "has_analysis": false,
     "incident_id": "inc-7"
   },
   "event_outcome": "success"
under this id: 3 rows (* counted)
* llm_request   analysis  analysis-service  success  10:00:00.25
  search        analysis  datastorage       success  10:00:00.3
* llm_response  analysis  analysis-service  success  10:00:01"#
        );
    }

    #[test]
    fn a_wrong_number_of_rows_is_told_with_what_there_is() {
        let expectation = Expectation {
            types: vec!["llm_request".into()],
            count: Count::Exactly(1),
            ..Expectation::default()
        };
        assert_eq!(
            report(expectation.clone(), Vec::new()),
            "audit of `incident-7`: no row instead of 1 after 15.0s (148 looks)\nexpected exactly 1 row of llm_request\n\
             under this id: no row"
        );
        let rows = (0..30).map(|_| row("llm_request", "a", "10:00:00", &json!({})));
        let text = report(expectation, rows.collect());
        assert!(text.starts_with("audit of `incident-7`: 30 rows instead of 1 after"), "{text}");
        assert!(
            text.ends_with(
                "* llm_request  analysis  a  success  10:00:00
… and 18 more rows"
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
        assert!(text.lines().count() <= 40, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH + 1), "{text}");
        assert!(text.contains("… and 40 more lines"), "{text}");
    }
}
