//! Parses what services expose for Prometheus: its text format, and that of OpenMetrics.
//!
//! What Prometheus takes is taken, and a line that it refuses is told. The crates for it were tried and would not do:
//! `prometheus-parse` 0.2.5 passes over what it does not understand, such as names with `:` and labels with `}`, and
//! cuts what a label says at `,`; `openmetrics-parser` 0.5.1 refuses families whose samples differ in labels or lie
//! apart, lines that end as on Windows, and a service that exposes nothing yet.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

/// The types of families; one that declares none is of the first.
const TYPES: [&str; 9] = [
    "untyped",
    "unknown",
    "counter",
    "gauge",
    "histogram",
    "gaugehistogram",
    "summary",
    "info",
    "stateset",
];

/// One number that a service exposes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// Everything that a service exposes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Exposition {
    pub(super) samples: Vec<Sample>,
    /// The families that it has declared, also those without a sample yet, with their types.
    pub(super) families: BTreeMap<String, String>,
}

/// A line that is not of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// Its number, from 1.
    pub(super) number: usize,
    pub(super) line: String,
    pub(super) expected: &'static str,
}

/// Parses a whole exposition.
pub(super) fn parse(text: &str) -> Result<Exposition, Malformed> {
    let mut exposition = Exposition::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let malformed = |expected| Malformed { number: index + 1, line: line.to_owned(), expected };
        if let Some(comment) = line.strip_prefix('#') {
            note(comment, &mut exposition.families).map_err(malformed)?;
        } else if !line.is_empty() {
            exposition.samples.push(sample(line).map_err(malformed)?);
        }
    }
    Ok(exposition)
}

/// Notes a family that a comment declares; with its help alone it is of no type.
fn note(comment: &str, families: &mut BTreeMap<String, String>) -> Result<(), &'static str> {
    let comment = comment.trim_start();
    let (keyword, rest) = comment.split_once(char::is_whitespace).unwrap_or((comment, ""));
    if !["HELP", "TYPE"].contains(&keyword) {
        return Ok(());
    }
    let mut rest = rest.trim_start().chars().peekable();
    let name = match rest.peek() {
        Some('"') => quoted(&mut rest)?,
        _ => word(&mut rest, is_of_metric),
    };
    if name.is_empty() {
        return Err("the name of a metric");
    }
    if keyword == "HELP" {
        families.entry(name).or_insert_with(|| TYPES[0].to_owned());
        return Ok(());
    }
    let kind: String = rest.collect();
    let kind = TYPES.into_iter().find(|known| *known == kind.trim());
    families.insert(name, kind.ok_or("a type of metrics after the name")?.to_owned());
    Ok(())
}

/// A sample: its name, its labels, its value; a time and an exemplar may follow.
fn sample(line: &str) -> Result<Sample, &'static str> {
    let mut rest = line.chars().peekable();
    let mut name = word(&mut rest, is_of_metric);
    let mut labels = BTreeMap::new();
    skip(&mut rest);
    if rest.next_if_eq(&'{').is_some() {
        loop {
            skip(&mut rest);
            let (label, is_quoted) = match rest.peek() {
                Some('}') => break,
                Some('"') => (quoted(&mut rest)?, true),
                _ => (word(&mut rest, is_of_label), false),
            };
            skip(&mut rest);
            if !label.is_empty() && rest.next_if_eq(&'=').is_some() {
                skip(&mut rest);
                if labels.insert(label, quoted(&mut rest)?).is_some() {
                    return Err("each label once");
                }
            } else if is_quoted && name.is_empty() {
                // The name of the metric is quoted where it is no plain word.
                name = label;
            } else {
                return Err("the name of a label and a `=`");
            }
            skip(&mut rest);
            if rest.next_if_eq(&',').is_none() {
                break;
            }
        }
        if rest.next_if_eq(&'}').is_none() {
            return Err("a `,` or `}` after a label");
        }
    }
    if name.is_empty() {
        return Err("the name of a metric");
    }
    let rest: String = rest.collect();
    let mut words = rest.split_whitespace();
    let value = words.next().and_then(number).ok_or("a number")?;
    let after = words.next();
    let exemplar = if after.and_then(number).is_some() { words.next() } else { after };
    if exemplar.is_some_and(|exemplar| !exemplar.starts_with('#')) {
        return Err("a time, an exemplar or nothing after the number");
    }
    Ok(Sample { name, labels, value })
}

/// A number as Prometheus writes it: `+Inf`, `-Inf` and `NaN` too.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The word at the beginning, of such characters and with no digit first; nothing if there is none.
fn word(rest: &mut Peekable<Chars<'_>>, is_of: fn(char) -> bool) -> String {
    let mut word = String::new();
    while let Some(c) = rest.next_if(|c| is_of(*c) && !(word.is_empty() && c.is_ascii_digit())) {
        word.push(c);
    }
    word
}

fn is_of_metric(c: char) -> bool {
    is_of_label(c) || c == ':'
}

fn is_of_label(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn skip(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|c| c.is_whitespace()).is_some() {}
}

/// A text in quotes, in which quotes, backslashes and ends of lines are escaped.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Result<String, &'static str> {
    const QUOTED: &str = "a text in quotes";
    rest.next_if_eq(&'"').ok_or(QUOTED)?;
    let mut text = String::new();
    loop {
        match rest.next().ok_or(QUOTED)? {
            '"' => return Ok(text),
            '\\' => match rest.next().ok_or(QUOTED)? {
                'n' => text.push('\n'),
                escaped @ ('"' | '\\') => text.push(escaped),
                // Prometheus keeps what it does not know.
                other => text.extend(['\\', other]),
            },
            plain => text.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn one(line: &str) -> Sample {
        let mut samples = parse(line).unwrap().samples;
        assert_eq!(samples.len(), 1, "{line}");
        samples.remove(0)
    }

    #[test]
    fn samples_have_names_labels_and_numbers() {
        let text = "# HELP http_requests_total The total number of requests.\n\
            # TYPE http_requests_total counter\n\
            http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n\
            http_requests_total { method = \"post\" , code = \"400\", }   3\n\
            \n\
            # just a comment\n\
            plain 12.47\n\
            # EOF\n";
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.samples[0].labels, labels(&[("method", "post"), ("code", "200")]));
        let values = parsed.samples.iter().map(|sample| sample.value.to_string());
        assert_eq!(values.collect::<Vec<_>>(), ["1027", "3", "12.47"]);
        assert_eq!(parsed.samples[2].name, "plain");
        assert_eq!(parsed.families["http_requests_total"], "counter");
    }

    #[test]
    fn what_a_label_says_may_have_any_character() {
        let sample = one(r#"files{path="C:\\DIR\\x.txt",error="no \"x\"\nin {a=\"b\",c}"} 1e-3"#);
        let expected = [("path", r"C:\DIR\x.txt"), ("error", "no \"x\"\nin {a=\"b\",c}")];
        assert_eq!(sample.labels, labels(&expected));
        assert_eq!(sample.value.to_string(), "0.001");
    }

    #[test]
    fn names_that_are_no_words_are_quoted() {
        let sample = one(r#"{"http.requests/total","the method"="post",code="200"} 4"#);
        assert_eq!(sample.name, "http.requests/total");
        assert_eq!(sample.labels, labels(&[("the method", "post"), ("code", "200")]));
    }

    #[test]
    fn numbers_may_be_infinite_or_none() {
        assert!(one("a +Inf").value.total_cmp(&f64::INFINITY).is_eq());
        assert!(one("a -Inf -3982045").value.total_cmp(&f64::NEG_INFINITY).is_eq());
        assert!(one("a NaN").value.is_nan());
    }

    #[test]
    fn what_follows_the_number_does_not_count() {
        for after in ["", "1.5", "-1395066363000", "# {} 1", r#"1.5 # {trace="x} y"} 0.067 1.5"#] {
            let line = format!(r#"latency_bucket{{le="0.1"}} 8 {after}"#);
            assert_eq!(one(&line).value.to_string(), "8");
        }
    }

    #[test]
    fn a_line_that_is_not_of_the_format_is_named() {
        let fails = |line: &str| parse(&format!("fine 1\n{line}")).unwrap_err().expected;
        assert_eq!(parse("fine 1\n<html>").unwrap_err().number, 2);
        assert_eq!(fails("<html>"), "the name of a metric");
        assert_eq!(fails("a{b} 1"), "the name of a label and a `=`");
        assert_eq!(fails("a{b=1} 1"), "a text in quotes");
        assert_eq!(fails("a{b=\"c} 1"), "a text in quotes");
        assert_eq!(fails("a{b=\"c\" d=\"e\"} 1"), "a `,` or `}` after a label");
        assert_eq!(fails("a one"), "a number");
        assert_eq!(fails("a"), "a number");
        assert_eq!(fails("7 8"), "the name of a metric");
        assert_eq!(fails("a.b 1"), "a number");
        assert_eq!(fails("a{b.c=\"d\"} 1"), "the name of a label and a `=`");
        assert_eq!(fails("a{\"b\"} 1"), "the name of a label and a `=`");
        assert_eq!(fails("a{b=\"1\",b=\"2\"} 1"), "each label once");
        assert_eq!(fails("sold 5 cups"), "a time, an exemplar or nothing after the number");
        assert_eq!(fails("a 1 2 3"), "a time, an exemplar or nothing after the number");
        assert_eq!(fails("# TYPE a many"), "a type of metrics after the name");
        assert_eq!(fails("# HELP"), "the name of a metric");
    }

    #[test]
    fn families_are_declared_by_their_type_or_their_help() {
        let text = "# HELP a\n#TYPE b gauge\n# TYPE \"c d\" counter\n# HELP b Of \"b\".\n\
            # UNIT a seconds\n# any TYPE of comment\n#\n# EOF\n";
        let families = labels(&[("a", "untyped"), ("b", "gauge"), ("c d", "counter")]);
        assert_eq!(parse(text).unwrap().families, families);
    }

    #[test]
    fn lines_may_end_as_on_windows_or_not_at_all() {
        let samples = parse("a 1\r\n\r\nb{} 2\r\n\tc\t{d = \"e\"}3").unwrap().samples;
        let read: Vec<_> = samples.iter().map(|it| (it.name.as_str(), it.value)).collect();
        assert_eq!(read, [("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    }

    #[test]
    fn samples_of_a_family_may_differ_in_labels_and_come_back() {
        let text = "# TYPE a counter\na{b=\"1\"} 1\na{c=\"2\"} 2\nd 3\na 4\na -5\n";
        assert_eq!(parse(text).unwrap().samples.len(), 5);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in ".*") {
            let _ = parse(&text);
        }
    }
}
