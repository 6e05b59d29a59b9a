//! The lines that containers of pods have written, each with its time, also those of a run before.

use std::{collections::BTreeMap, time::SystemTime};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::{Client, ResourceExt as _};
use serde_json::Value;

use super::{Extent, Run, containers, read, runs};

/// How many logs are read at a time.
const TOGETHER: usize = 8;

/// A line that a container has written.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// for line in ctx.logs("shop")?.lines().await? {
///     let place = format!("{} of {} at {:?}", line.container(), line.pod(), line.time());
///     ensure!(line.json().is_some(), "{place} writes no JSON: {}", line.text());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    uid: String,
    pod: String,
    container: String,
    time: Timestamp,
    text: String,
}

impl LogLine {
    /// The name of its pod.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, ensure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let lines = ctx.logs("shop")?.lines().await?;
    /// let pods: std::collections::BTreeSet<_> = lines.iter().map(|line| line.pod()).collect();
    /// ensure!(pods.len() == 2, "only {pods:?} wrote something");
    /// # Ok(()) }
    /// ```
    pub fn pod(&self) -> &str {
        &self.pod
    }

    /// The name of its container.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let lines = ctx.logs("shop")?.lines().await?;
    /// let by_proxy: Vec<_> = lines.iter().filter(|line| line.container() == "proxy").collect();
    /// # Ok(()) }
    /// ```
    pub fn container(&self) -> &str {
        &self.container
    }

    /// When it was written, by the clock of the node.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let lines = ctx.logs("shop")?.lines().await?;
    /// let pauses = lines.windows(2).filter_map(|two| two[1].time().duration_since(two[0].time()).ok());
    /// let longest = pauses.max();
    /// # Ok(()) }
    /// ```
    pub fn time(&self) -> SystemTime {
        self.time.into()
    }

    /// What was written.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let lines = ctx.logs("shop")?.lines().await?;
    /// let warned = lines.iter().filter(|line| line.text().starts_with("WARN")).count();
    /// # Ok(()) }
    /// ```
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line as the JSON that it is, if it is.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let lines = ctx.logs("shop")?.lines().await?;
    /// let warned = lines.iter().filter_map(|line| line.json());
    /// let warned = warned.filter(|line| line["level"] == "warn").count();
    /// # Ok(()) }
    /// ```
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok()
    }
}

/// How far containers had written at a moment; [`Ctx::mark`](crate::Ctx::mark) makes it.
///
/// It is a place in each log and no time of day, so that no two clocks are compared. Whoever had
/// written nothing by then, or came later, has written all of it since.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let before = ctx.mark().await?;
/// ctx.post("shop", "/orders").send().await?.expect(201)?;
/// let lines = ctx.logs("shop")?.since(&before).lines().await?;
/// ensure!(!lines.is_empty(), "the order was not logged");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Mark(BTreeMap<(String, String), Timestamp>);

impl Mark {
    fn of(lines: Vec<LogLine>) -> Self {
        let mut mark = Self::default();
        for LogLine { uid, container, time, .. } in lines {
            let latest = mark.0.entry((uid, container)).or_insert(time);
            *latest = time.max(*latest);
        }
        mark
    }

    /// How far a container of a pod had written.
    fn reached(&self, uid: &str, container: &str) -> Option<Timestamp> {
        self.0.get(&(uid.to_owned(), container.to_owned())).copied()
    }
}

/// How far the containers of these pods have written.
pub(crate) async fn mark(client: &Client, pods: &[Pod]) -> Result<Mark, kube::Error> {
    let last = Extent { lines: 1, timestamps: true, ..Extent::WHOLE };
    collect(client, pods, |_, _| last).await.map(Mark::of)
}

/// What the containers of these pods have written, since a mark if one is given, by time.
pub(crate) async fn lines(
    client: &Client,
    pods: &[Pod],
    since: Option<&Mark>,
) -> Result<Vec<LogLine>, kube::Error> {
    let reached = |uid: &str, container: &str| since.and_then(|mark| mark.reached(uid, container));
    let extent = |uid: &str, container: &str| {
        // The server counts whole seconds.
        Extent { since: reached(uid, container), timestamps: true, ..Extent::WHOLE }
    };
    let mut lines = collect(client, pods, extent).await?;
    lines.retain(|line| reached(&line.uid, &line.container).is_none_or(|time| time < line.time));
    lines.sort_by_key(|line| line.time);
    Ok(lines)
}

async fn collect(
    client: &Client,
    pods: &[Pod],
    extent: impl Fn(&str, &str) -> Extent,
) -> Result<Vec<LogLine>, kube::Error> {
    let mut reads = Vec::new();
    for pod in pods {
        let uid = pod.uid().unwrap_or_default();
        for container in containers(pod) {
            let extent = extent(&uid, &container.name);
            // The run before has written before the latest one.
            let runs: Vec<_> = runs(container).collect();
            for run in runs.into_iter().rev() {
                reads.push((pod, uid.clone(), container.name.clone(), run, extent));
            }
        }
    }
    let reading = stream::iter(reads).map(|(pod, uid, container, run, extent)| async move {
        let text = text(client, pod, &container, run, extent).await?;
        Ok::<_, kube::Error>(parsed(&uid, &pod.name_any(), &container, &text))
    });
    let lines: Vec<Vec<_>> = reading.buffered(TOGETHER).try_collect().await?;
    Ok(lines.into_iter().flatten().collect())
}

/// What a container has written; nothing if it is gone by now, or is just being started again.
async fn text(
    client: &Client,
    pod: &Pod,
    container: &str,
    run: Run,
    extent: Extent,
) -> Result<String, kube::Error> {
    match read(client, pod, container, run, extent).await {
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 404) => Ok(String::new()),
        text => text,
    }
}

/// The lines of a log in which each begins with its time.
fn parsed(uid: &str, pod: &str, container: &str, text: &str) -> Vec<LogLine> {
    let mut lines: Vec<LogLine> = Vec::new();
    for line in text.lines() {
        let (time, text) = line.split_once(' ').unwrap_or((line, ""));
        // What begins with no time goes on with the line before.
        let Ok(time) = time.parse() else {
            if let Some(before) = lines.last_mut() {
                before.text.push('\n');
                before.text.push_str(line);
            }
            continue;
        };
        let [uid, pod, container, text] = [uid, pod, container, text].map(str::to_owned);
        lines.push(LogLine { uid, pod, container, time, text });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-01-01T00:00:00.000000001Z listening\n\
        2026-01-01T00:00:01.500000000Z {\"level\": \"warn\"}\n\
        2026-01-01T00:00:02.000000000Z \n";

    #[test]
    fn a_line_has_its_time_and_may_be_json() {
        let lines = parsed("u1", "shop-1", "shop", LOG);
        let texts: Vec<_> = lines.iter().map(LogLine::text).collect();
        assert_eq!(texts, ["listening", "{\"level\": \"warn\"}", ""]);
        assert_eq!(lines[1].json().unwrap()["level"], "warn");
        assert_eq!(lines[0].json(), None);
        assert!(lines[0].time() < lines[1].time());
    }

    #[test]
    fn a_mark_is_how_far_each_container_of_each_pod_had_written() {
        let lines = |uid: &str, container: &str| parsed(uid, "shop-1", container, LOG);
        let mut first = lines("u1", "shop");
        first.truncate(2);
        let mark = Mark::of([first.clone(), lines("u1", "side")].concat());
        assert_eq!(mark.reached("u1", "shop"), Some(first[1].time));
        assert_eq!(mark.reached("u1", "side"), Some(lines("u1", "side")[2].time));
        // It has the name of another, but is a new pod.
        assert_eq!(mark.reached("u2", "shop"), None);
    }
}
