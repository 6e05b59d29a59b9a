//! Parses what services expose for Prometheus: its text format, and that of OpenMetrics.
//!
//! The crates for it would not do: `prometheus-parse` 0.2 passes over lines that it does not understand, and
//! `openmetrics-parser` 0.5 refuses families whose samples differ in labels, as Prometheus itself does not.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

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
        if let Some(comment) = line.strip_prefix('#') {
            note(comment, &mut exposition.families);
        } else if !line.is_empty() {
            let sample = sample(line).map_err(|expected| Malformed {
                number: index + 1,
                line: line.to_owned(),
                expected,
            })?;
            exposition.samples.push(sample);
        }
    }
    Ok(exposition)
}

/// Notes a family that a comment declares.
fn note(comment: &str, families: &mut BTreeMap<String, String>) {
    let mut words = comment.split_whitespace();
    if words.next() == Some("TYPE")
        && let (Some(name), Some(kind)) = (words.next(), words.next())
    {
        families.insert(name.to_owned(), kind.to_owned());
    }
}

/// A sample: its name, its labels, its value; a time and an exemplar may follow.
fn sample(line: &str) -> Result<Sample, &'static str> {
    let mut rest = line.chars().peekable();
    let mut name = word(&mut rest);
    let mut labels = BTreeMap::new();
    skip(&mut rest);
    if rest.next_if_eq(&'{').is_some() {
        loop {
            skip(&mut rest);
            match rest.peek() {
                Some('}') => break,
                // A name that is no plain word is quoted, and that of the metric is the first one.
                Some('"') => {
                    let quoted = quoted(&mut rest)?;
                    skip(&mut rest);
                    if rest.next_if_eq(&'=').is_some() {
                        skip(&mut rest);
                        labels.insert(quoted, self::quoted(&mut rest)?);
                    } else if name.is_empty() {
                        name = quoted;
                    } else {
                        return Err("a `=` after the name of a label");
                    }
                }
                _ => {
                    let label = word(&mut rest);
                    skip(&mut rest);
                    if label.is_empty() || rest.next_if_eq(&'=').is_none() {
                        return Err("the name of a label and a `=`");
                    }
                    skip(&mut rest);
                    labels.insert(label, quoted(&mut rest)?);
                }
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
    let value = rest.split_whitespace().next().and_then(number);
    Ok(Sample { name, labels, value: value.ok_or("a number")? })
}

/// A number as Prometheus writes it: `+Inf`, `-Inf` and `NaN` too.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The word at the beginning; nothing if there is none.
fn word(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.'))
    {
        word.push(c);
    }
    word
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
        let line = r#"latency_bucket{le="0.1"} 8 1.5 # {trace="x} y"} 0.067 1.5"#;
        assert_eq!(one(line).value.to_string(), "8");
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
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in ".*") {
            let _ = parse(&text);
        }
    }
}
