//! The metrics that a service exposes for Prometheus, as numbers by name and labels.

use thiserror::Error;

mod exposition;

use super::{Answer, Ctx, HttpError};
use crate::text::{indented, shortened};
use exposition::{Exposition, Sample, number};

/// Where services have their metrics unless they are asked elsewhere.
const PATH: &str = "/metrics";
/// How much of a line a message shows, in characters.
const SHOWN: usize = 200;
/// How many names or samples a message lists.
const LISTED: usize = 10;
/// How near a name must be to be taken for a misspelt one, from 0 to 1.
const NEAR: f32 = 0.6;

/// Labels whose texts are numbers, which may be written in several ways.
const NUMBERS: [&str; 2] = ["le", "quantile"];

/// The endings by which a family of a type calls its samples.
const ENDINGS: [(&str, &[&str]); 5] = [
    ("counter", &["_total", "_created"]),
    ("histogram", &["_bucket", "_count", "_sum", "_created"]),
    ("gaugehistogram", &["_bucket", "_gcount", "_gsum"]),
    ("summary", &["_count", "_sum", "_created"]),
    ("info", &["_info"]),
];

/// All metrics of a service at a moment; [`Ctx::metrics`] reads them.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let before = ctx.metrics("shop").await?.value("orders_total", &[("sku", "tea")])?;
/// ctx.post("shop", "/orders").send().await?.expect(201)?;
/// let after = ctx.metrics("shop").await?;
/// ensure!(after.value("orders_total", &[("sku", "tea")])? > before, "it was not counted");
/// ensure!(after.sum("orders_total", &[])? > before, "nothing was counted");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Metrics(Exposition);

/// Why a metric could not be read.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, MetricsError};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let metrics = ctx.metrics("shop").await?;
/// let sold = match metrics.value("orders_total", &[("sku", "tea")]) {
///     // A counter with labels is there once it was counted.
///     Err(MetricsError::Uncounted { .. } | MetricsError::Unlabelled { .. }) => 0.0,
///     value => value?,
/// };
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The service did not answer with metrics.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// What it answered with are no metrics.
    #[error(
        "the answer is not in the text format of Prometheus: line {number} should have {expected}, but is: {line}; where the metrics are elsewhere, ask there and read the answer with `.metrics()`"
    )]
    Malformed {
        /// The number of the line, from 1.
        number: usize,
        /// The line.
        line: String,
        /// What it should have.
        expected: &'static str,
    },
    /// There is no metric of this name.
    #[error("there is no metric `{name}`; {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The metric is declared, but nothing of it was counted yet.
    #[error("`{name}` has no sample yet; its `sum` is 0 then, or let the case cause one first")]
    Uncounted {
        /// The metric.
        name: String,
    },
    /// No sample of the metric has these labels.
    #[error("no sample of `{name}` has {labels}; it has:{}", indented(samples))]
    Unlabelled {
        /// The metric.
        name: String,
        /// What was asked for.
        labels: String,
        /// The samples that there are.
        samples: Vec<String>,
    },
    /// Several samples of the metric have these labels.
    #[error(
        "several samples of `{name}` have {labels}; name more labels, or take their `sum`:{}",
        indented(samples)
    )]
    Several {
        /// The metric.
        name: String,
        /// What was asked for.
        labels: String,
        /// The samples that have them.
        samples: Vec<String>,
    },
}

impl Ctx {
    /// The metrics of a service, which it answers GET of `/metrics` with: at the first HTTP(S)
    /// endpoint of a workload, or with `workload:endpoint` at this one.
    ///
    /// One pod behind its Service answers, and counts what all cases cause: for an exact difference use labels that only
    /// this case has, or a case that is [alone](crate::Case::alone). Where metrics are elsewhere, any
    /// [answer](Answer::metrics) can be read as metrics.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// async fn an_order_is_counted(ctx: Ctx) -> CaseResult {
    ///     let orders = async || ctx.metrics("shop:metrics").await?.sum("orders_total", &[("kind", "tea")]);
    ///     let before = orders().await?;
    ///     ctx.post("shop", "/orders").send().await?.expect(201)?;
    ///     ensure!(orders().await? >= before + 1.0, "it is not counted");
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The stack has no such service, or it does not answer with 200 and metrics.
    pub async fn metrics(&self, service: &str) -> Result<Metrics, MetricsError> {
        self.get(service, PATH).send().await?.expect(200)?.metrics()
    }
}

impl Answer {
    /// Its body, read as metrics in the text format of Prometheus or of OpenMetrics.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let answer = ctx.get("shop", "/actuator/prometheus").send().await?.expect(200)?;
    /// let orders = answer.metrics()?.value("orders_total", &[])?;
    /// # Ok(()) }
    /// ```
    pub fn metrics(&self) -> Result<Metrics, MetricsError> {
        let parsed = exposition::parse(self.text()).map_err(|line| MetricsError::Malformed {
            number: line.number,
            line: shortened(&line.line, SHOWN),
            expected: line.expected,
        });
        parsed.map(Metrics)
    }
}

impl Metrics {
    /// The only sample of a metric that has these labels, whatever others it has.
    ///
    /// The parts of a histogram or a summary are called as they are exposed: `latency_count`,
    /// `latency_sum`, `latency_bucket` with the label `le`.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let metrics = ctx.metrics("shop").await?;
    /// let fast = metrics.value("latency_seconds_bucket", &[("le", "0.1"), ("path", "/orders")])?;
    /// let all = metrics.value("latency_seconds_count", &[("path", "/orders")])?;
    /// ensure!(fast > 0.9 * all, "only {fast} of {all} were fast");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// There is no metric of this name, it has no sample yet, or none or several have these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64, MetricsError> {
        let found: Vec<_> = self.samples(name, labels).collect();
        match found[..] {
            [sample] => Ok(sample.value),
            [] => Err(self.none(name, labels)),
            _ => Err(MetricsError::Several {
                name: name.to_owned(),
                labels: shown_labels(labels),
                samples: listed(found.into_iter()),
            }),
        }
    }

    /// The sum of all samples of a metric that have these labels, whatever others they have.
    ///
    /// It is 0 where no sample has them: many services expose a sample once there is something to
    /// count.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let refused = ctx.metrics("shop").await?.sum("http_requests_total", &[("status", "401")])?;
    /// ensure!(refused == 0.0, "{refused} were refused");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// There is no metric of this name, not even without samples.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64, MetricsError> {
        if self.knows(name) {
            Ok(self.samples(name, labels).map(|sample| sample.value).sum())
        } else {
            Err(self.none(name, labels))
        }
    }

    fn samples(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = &Sample> {
        let named = self.0.samples.iter().filter(move |sample| sample.name == name);
        named.filter(move |sample| labels.iter().all(|label| has(sample, *label)))
    }

    /// Whether there is a metric of this name, be it without samples.
    fn knows(&self, name: &str) -> bool {
        let of_family = |(family, kind): (&String, &String)| {
            let Some(ending) = name.strip_prefix(family.as_str()) else { return false };
            let endings = ENDINGS.iter().find(|(known, _)| known == kind);
            ending.is_empty() || endings.is_some_and(|(_, known)| known.contains(&ending))
        };
        self.0.samples.iter().any(|sample| sample.name == name)
            || self.0.families.iter().any(of_family)
    }

    /// Why no sample was found.
    fn none(&self, name: &str, labels: &[(&str, &str)]) -> MetricsError {
        let samples = listed(self.samples(name, &[]));
        if !samples.is_empty() {
            let (name, labels) = (name.to_owned(), shown_labels(labels));
            return MetricsError::Unlabelled { name, labels, samples };
        }
        if self.knows(name) {
            return MetricsError::Uncounted { name: name.to_owned() };
        }
        let mut names: Vec<_> = self.0.samples.iter().map(|sample| sample.name.as_str()).collect();
        names.extend(self.0.families.keys().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        let near = similar::get_close_matches(name, &names, LISTED, NEAR);
        let known = if names.is_empty() {
            "there is none at all".to_owned()
        } else if near.is_empty() {
            format!("there are {}", few(&names))
        } else {
            format!("near to it are {}", few(&near))
        };
        MetricsError::Unknown { name: name.to_owned(), known }
    }
}

/// Whether a sample has a label.
fn has(sample: &Sample, (label, text): (&str, &str)) -> bool {
    sample.labels.get(label).is_some_and(|has| {
        let numbers = || NUMBERS.contains(&label).then(|| number(has).zip(number(text))).flatten();
        has == text || numbers().is_some_and(|(has, text)| has.total_cmp(&text).is_eq())
    })
}

fn few(names: &[&str]) -> String {
    let more = names.len().saturating_sub(LISTED);
    let names: Vec<_> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

fn listed<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<String> {
    let mut lines: Vec<_> = samples.map(shown).collect();
    if lines.len() > LISTED {
        let more = lines.len() - LISTED;
        lines.truncate(LISTED);
        lines.push(format!("and {more} more"));
    }
    lines
}

fn shown(sample: &Sample) -> String {
    let labels: Vec<_> =
        sample.labels.iter().map(|(label, text)| (label.as_str(), text.as_str())).collect();
    let labels = if labels.is_empty() { String::new() } else { shown_labels(&labels) };
    shortened(&format!("{}{labels} {}", sample.name, sample.value), SHOWN)
}

fn shown_labels(labels: &[(&str, &str)]) -> String {
    let labels: Vec<_> = labels.iter().map(|(label, text)| format!("{label}={text:?}")).collect();
    format!("{{{}}}", labels.join(","))
}

#[cfg(test)]
mod tests;
