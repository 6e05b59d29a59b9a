//! Says why an assertion on rows failed, on one screen.

use std::{error::Error, fmt, time::Duration};

use thiserror::Error;

use super::{
    compare::Shortfall,
    expectation::{Expectation, counted},
    row::Row,
    scope::Scope,
};
use crate::text::some;

/// How many lines of what is expected are shown.
const EXPECTED: usize = 6;
/// How many rows are shown.
const ROWS: usize = 12;

/// Why an assertion on rows did not hold.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RowsError {
    /// The rows are not as expected.
    #[error("{0}")]
    Unmet(Box<Unmet>),
    /// The suite declares no such table.
    #[error(
        "the suite declares no table `{table}` (it declares {known}); add `.table(Table::new(..))` to it"
    )]
    Unknown {
        /// What was asked for.
        table: String,
        /// What there is.
        known: String,
    },
    /// The suite declares no audit table.
    #[error("the suite declares no audit table; add `.audit(Table::new(..))` to it")]
    NoAudit,
    /// The database of the table is not there.
    #[error(
        "there is no database for the table `{table}`; give a workload an `Endpoint::postgres`"
    )]
    NoDatabase {
        /// The table.
        table: String,
    },
    /// The table has rows of other cases too.
    #[error(
        "the table `{table}` is declared without a column of ids, so a case has to say which rows it means; \
         use `.under(column, value)` or `.where_matching(json)`, or add `.id(..)` to the table"
    )]
    Unscoped {
        /// The table.
        table: String,
    },
    /// What is expected speaks of a column that is not declared.
    #[error(
        "`{needed_by}` needs to know the {column} of a row, and the table `{table}` is declared without a column of it; \
         add `.{column}(..)` to it"
    )]
    Undeclared {
        /// The table.
        table: String,
        /// What the column would say.
        column: &'static str,
        /// The method that needs it.
        needed_by: &'static str,
    },
    /// There is no such table.
    #[error(
        "the table `{table}` does not exist, so its migrations are not applied, or it is of another schema or \
         database; let the suite name them with `.migrations(..)` before its services"
    )]
    NoTable {
        /// The table.
        table: String,
    },
    /// The table has not the columns that it is declared with, or that the case names.
    #[error(
        "the table `{table}` is not as declared: {words}; correct its `Table::new(..)`, or the column in the case"
    )]
    NoColumn {
        /// The table.
        table: String,
        /// What is missing.
        words: String,
    },
    /// A column is compared with what cannot be its value.
    #[error("{rows}: there can be no such row: {words}; name a value of the column's type")]
    NoValue {
        /// Which rows were meant.
        rows: String,
        /// What the server said.
        words: String,
    },
    /// The database was asked in vain, or fell silent before the last look.
    #[error(
        "the rows of {rows} could not be read for {waited:.1?} (does the suite stop its database?); last: {last}"
    )]
    Silent {
        /// Which rows were meant.
        rows: String,
        /// How long was waited.
        waited: Duration,
        /// The latest answer.
        last: String,
    },
    /// The database refuses to answer.
    #[error("read the rows of `{table}` (may the user of the database read it?)")]
    Unreadable {
        /// The table.
        table: String,
        /// What the server said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// An expectation that does not hold, and all that was seen.
#[derive(Debug)]
pub struct Unmet {
    pub(super) scope: Scope,
    pub(super) expectation: Expectation,
    pub(super) shortfall: Shortfall,
    pub(super) rows: Vec<Row>,
    pub(super) waited: Duration,
    pub(super) looks: usize,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looks = if self.looks == 1 { "look" } else { "looks" };
        write!(
            f,
            "{}: {} after {:.1?} ({} {looks})",
            self.scope, self.shortfall.words, self.waited, self.looks
        )?;
        let expected = format!("expected {}", self.expectation).replace('\n', "\n         ");
        f.write_str(&some(expected.lines(), EXPECTED, "requirements"))?;
        if let Some(differences) = &self.shortfall.nearest {
            write!(f, "\n{differences}")?;
        }
        write!(f, "\nfound {}", counted(self.rows.len()))?;
        if !self.rows.is_empty() {
            f.write_str(" (* counted)")?;
        }
        f.write_str(&some(self.table(), ROWS, "rows"))
    }
}

impl Unmet {
    /// Every row that was read, a line each, in columns.
    fn table(&self) -> Vec<String> {
        let cells: Vec<_> = self
            .rows
            .iter()
            .map(|row| [row.kind().to_owned(), row.emitter.clone(), row.time_of_day()])
            .collect();
        let width = |column: usize| {
            let widths = cells.iter().map(|cells| cells[column].chars().count());
            widths.max().unwrap_or_default()
        };
        let widths = [width(0), width(1), width(2)];
        let line = |(row, cells): (&Row, &[String; 3])| {
            let mark = if self.expectation.counts(row) { "*" } else { " " };
            let cells = cells.iter().zip(widths).filter(|(_, width)| *width > 0);
            let cells =
                cells.fold(String::new(), |line, (cell, width)| format!("{line}{cell:width$}  "));
            format!("{mark} {cells}{}", row.rest(&self.scope.table))
        };
        self.rows.iter().zip(&cells).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        rows::{
            compare::{Finding, compare},
            expectation::Count,
        },
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
        let unmet = Unmet {
            scope: Scope::under(table(), "incident-7"),
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
