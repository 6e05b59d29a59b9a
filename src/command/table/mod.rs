//! Says what a run was, suite by suite, as a table of Markdown that a document can hold and be held to.

use std::{fs, path::Path};

use serde_json::Value;
use thiserror::Error;

mod row;

use super::Failure;
use crate::{
    difference::difference,
    report::{self, Verdict},
};

/// The lines between which a document has the table.
const BEGIN: &str = "<!-- suites -->\n";
const END: &str = "<!-- end -->\n";

const HEAD: &str = "\
| suite | strategies | images | stack | NodePorts | cases | seconds |
| --- | --- | --- | --- | --- | --- | --- |
";

/// Why there is no table.
#[derive(Debug, Error)]
enum TableError {
    #[error("{0} does not begin with the begin of a run; name a file that `--events` wrote")]
    NoRun(String),
    #[error("{file}, line {line}, is no event; name a file that `--events` wrote")]
    NoEvent {
        file: String,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("the run of {0} is not over")]
    NotOver(String),
    #[error(
        "{0} has no lines `<!-- suites -->` and `<!-- end -->`, between which the table is put"
    )]
    NoPlace(String),
}

/// Prints the table of a run, puts it into a document, or compares it with that of one.
pub(super) fn carry_out(
    events: &Path,
    into: Option<&Path>,
    check: Option<&Path>,
) -> Result<Verdict, Failure> {
    let table = table(&events_of(events)?, events)?;
    let Some(document) = into.or(check) else {
        report::answer(&table);
        return Ok(Verdict::Passed);
    };
    let text = read(document)?;
    let (before, old, after) =
        parts(&text).ok_or_else(|| TableError::NoPlace(document.display().to_string()))?;
    if into.is_some() {
        fs::write(document, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
        return Ok(Verdict::Passed);
    }
    let (old, new) = (steady(old), steady(&table));
    if old == new {
        return Ok(Verdict::Passed);
    }
    let called = document.display().to_string();
    let differences = difference([&called, "the run"], [&old, &new]);
    report::error(&format!("the table of {called} has grown old\n{differences}"));
    Ok(Verdict::Failed)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()).into())
}

/// What is before the table in a document, the table, and what is after it.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    Some((before, table, after))
}

fn events_of(path: &Path) -> Result<Vec<Value>, Failure> {
    let event = |(index, line): (usize, &str)| {
        let file = path.display().to_string();
        let no_event = |source| TableError::NoEvent { file, line: index + 1, source };
        serde_json::from_str(line).map_err(no_event)
    };
    Ok(read(path)?.lines().enumerate().map(event).collect::<Result<_, _>>()?)
}

fn table(events: &[Value], path: &Path) -> Result<String, TableError> {
    let file = || path.display().to_string();
    let began = events.first().filter(|event| event["event"] == "run-began");
    let plan = &began.ok_or_else(|| TableError::NoRun(file()))?["plan"];
    if !events.iter().any(|event| event["event"] == "run-ended") {
        return Err(TableError::NotOver(file()));
    }
    let suites = plan["suites"].as_array().into_iter().flatten();
    let rows = suites.map(|suite| row::of(suite, events));
    Ok(rows.fold(HEAD.to_owned(), |table, row| table + &row))
}

/// A table without what differs from run to run: the seconds, and the random part of tags.
fn steady(table: &str) -> String {
    let lines = table.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let cells = line.trim_end_matches('|').rsplit_once('|').map_or(line, |(cells, _)| cells);
        without_runs(cells.trim_end()) + "\n"
    });
    lines.collect()
}

/// Text without the 8 hexadecimal digits of a run at the end of tags.
fn without_runs(text: &str) -> String {
    const DIGITS: usize = 8;
    let of_run = |part: &str| {
        let digits: String = part.chars().take_while(char::is_ascii_hexdigit).collect();
        digits.len() == DIGITS && part[DIGITS..].starts_with('`')
    };
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "-" + if of_run(part) { &part[DIGITS..] } else { part })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(run: &str, released: f64) -> Vec<Value> {
        let suite = json!({
            "name": "shop", "strategies": ["cluster-first", "images-first"],
            "images": {"shop": format!("localhost/shop:tests-{run}"), "redis": format!("localhost/redis:tests-{run}")},
            "tiers": [
                {"workloads": [{"name": "postgresql", "endpoints": [
                    {"workload": "postgresql", "endpoint": "postgresql", "node_port": 30000, "wished": 30432},
                ]}]},
                {"migrations": {"workload": "postgresql", "files": ["1.sql", "2.sql"]}},
                {"step": {"name": "fill"}},
                {"workloads": [{"name": "shop", "endpoints": [
                    {"workload": "shop", "endpoint": "http", "node_port": 30080, "wished": 30080},
                ]}]},
            ],
        });
        let ended =
            |outcome: &str| json!({"event": "case-ended", "suite": "shop", "outcome": outcome});
        let moved = |state: &str, after: f64| json!({"event": "suite-moved", "suite": "shop", "state": state, "after": after});
        vec![
            json!({"event": "run-began", "plan": {"suites": [suite]}}),
            moved("admitted", 1.5),
            ended("passed"),
            ended("ignored"),
            ended("passed"),
            moved("released", released),
            json!({"event": "run-ended"}),
        ]
    }

    fn table_of(events: &[Value]) -> String {
        table(events, Path::new("run.jsonl")).unwrap()
    }

    #[test]
    fn a_suite_is_a_row() {
        let row = table_of(&run("0a1b2c3d", 61.4)).lines().nth(2).unwrap().to_owned();
        assert_eq!(
            row,
            "| `shop` | cluster-first, images-first | `localhost/redis:tests-0a1b2c3d`<br>`localhost/shop:tests-0a1b2c3d` \
             | postgresql → 2 migrations → step fill → shop | postgresql:postgresql 30432 → 30000<br>shop:http 30080 \
             | 2, 1 ignored | 60 |"
        );
    }

    #[test]
    fn runs_that_differ_in_tags_and_seconds_have_the_same_table() {
        let (first, second) = (table_of(&run("0a1b2c3d", 61.4)), table_of(&run("99999999", 70.0)));
        assert_ne!(first, second);
        assert_eq!(steady(&first), steady(&second));
        let mut more = run("0a1b2c3d", 61.4);
        more.insert(2, more[2].clone());
        assert_ne!(steady(&first), steady(&table_of(&more)));
    }

    #[test]
    fn a_document_has_the_table_between_two_lines() {
        let folder = tempfile::tempdir().unwrap();
        let (events, document) = (folder.path().join("run.jsonl"), folder.path().join("page.md"));
        let lines = |run: &[Value]| {
            run.iter().fold(String::new(), |lines, event| format!("{lines}{event}\n"))
        };
        fs::write(&events, lines(&run("0a1b2c3d", 61.4))).unwrap();
        fs::write(&document, format!("before\n{BEGIN}{END}after\n")).unwrap();
        assert_eq!(carry_out(&events, None, Some(&document)).unwrap(), Verdict::Failed);
        carry_out(&events, Some(&document), None).unwrap();
        let page = fs::read_to_string(&document).unwrap();
        assert!(page.starts_with("before\n") && page.ends_with("after\n"), "{page}");
        fs::write(&events, lines(&run("99999999", 7.0))).unwrap();
        assert_eq!(carry_out(&events, None, Some(&document)).unwrap(), Verdict::Passed);
    }

    #[test]
    fn what_is_no_run_that_is_over_is_refused_with_its_name() {
        let mut events = run("0a1b2c3d", 61.4);
        events.pop();
        let words =
            |events: &[Value]| table(events, Path::new("run.jsonl")).unwrap_err().to_string();
        assert_eq!(words(&events), "the run of run.jsonl is not over");
        assert!(words(&[]).starts_with("run.jsonl does not begin with"), "{}", words(&[]));
    }
}
