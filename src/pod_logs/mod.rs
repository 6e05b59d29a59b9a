//! Reads what the containers of pods have written, also those that ran before them.

use std::time::Duration;

use k8s_openapi::{
    api::core::v1::{ContainerStatus, Pod},
    jiff::Timestamp,
};
use kube::{Api, Client, ResourceExt as _, api::LogParams};

mod lines;

pub use lines::{LogLine, Mark};
pub(crate) use lines::{lines, mark};

use crate::text::ending;

/// So many times as long as wanted the lines of a log may be without the end of the log being lost.
const LONG: i64 = 16;

/// Which run of a container is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// The one that runs, or has ended and was not started again.
    Latest,
    /// The one before it.
    Previous,
}

/// How much of a log is wanted, from its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// At most so many lines.
    pub(crate) lines: i64,
    /// Of them at most so many bytes, because lines may be long.
    pub(crate) bytes: i64,
    /// What was written in the last so long. The server measures it, whose clock may not be ours.
    pub(crate) last: Option<Duration>,
    /// What was written from the second of this time on.
    pub(crate) since: Option<Timestamp>,
    /// Whether each line begins with its time.
    pub(crate) timestamps: bool,
}

impl Extent {
    /// All of it.
    pub(crate) const WHOLE: Self =
        Self { lines: i64::MAX, bytes: i64::MAX, last: None, since: None, timestamps: false };
}

/// The containers of a pod as they stand, those that run first before the others.
pub(crate) fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> + Clone {
    pod.status.iter().flat_map(|status| {
        let first = status.init_container_statuses.iter().flatten();
        first.chain(status.container_statuses.iter().flatten())
    })
}

/// The runs of a container that have a log, the latest first.
pub(crate) fn runs(container: &ContainerStatus) -> impl Iterator<Item = Run> {
    let now = container.state.as_ref();
    let began = now.is_some_and(|state| state.running.is_some() || state.terminated.is_some());
    let before = container.last_state.as_ref().is_some_and(|state| state.terminated.is_some());
    [began.then_some(Run::Latest), before.then_some(Run::Previous)].into_iter().flatten()
}

/// What a container of a pod has written.
pub(crate) async fn read(
    client: &Client,
    pod: &Pod,
    container: &str,
    run: Run,
    extent: Extent,
) -> Result<String, kube::Error> {
    let namespace = pod.namespace().unwrap_or_default();
    let pods = Api::<Pod>::namespaced(client.clone(), &namespace);
    let log = pods.logs(&pod.name_any(), &parameters(container, run, extent)).await?;
    Ok(ending(&log, usize::try_from(extent.bytes).unwrap_or(usize::MAX)).to_owned())
}

fn parameters(container: &str, run: Run, extent: Extent) -> LogParams {
    LogParams {
        container: Some(container.to_owned()),
        previous: run == Run::Previous,
        tail_lines: Some(extent.lines),
        // The server counts them from the first of the lines, and would leave out the last.
        limit_bytes: Some(extent.bytes.saturating_mul(LONG)),
        // Whole seconds, of which the one that has begun counts, and none at all is refused.
        since_seconds: extent
            .last
            .map(|last| i64::try_from(last.as_secs()).unwrap_or(i64::MAX).saturating_add(1)),
        // Half a second would be rounded up.
        since_time: extent.since.and_then(|time| Timestamp::from_second(time.as_second()).ok()),
        timestamps: extent.timestamps,
        ..LogParams::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(state: &Value, last: &Value) -> Pod {
        let container = json!({"name": "api", "ready": false, "restartCount": 1, "image": "", "imageID": "",
            "state": state, "lastState": last});
        let status = json!({"initContainerStatuses": [], "containerStatuses": [container]});
        serde_json::from_value(json!({"metadata": {"name": "api-1"}, "status": status})).unwrap()
    }

    fn runs_of(state: &Value, last: &Value) -> Vec<Run> {
        containers(&pod(state, last)).flat_map(runs).collect()
    }

    #[test]
    fn a_container_has_the_logs_of_its_runs() {
        let ended = json!({"terminated": {"exitCode": 3}});
        assert_eq!(runs_of(&json!({"running": {}}), &json!({})), [Run::Latest]);
        assert_eq!(runs_of(&ended, &json!({})), [Run::Latest]);
        assert_eq!(runs_of(&json!({"running": {}}), &ended), [Run::Latest, Run::Previous]);
    }

    #[test]
    fn a_container_that_waits_has_the_log_of_its_previous_run_only() {
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let ended = json!({"terminated": {"exitCode": 3}});
        assert_eq!(runs_of(&waiting, &ended), [Run::Previous]);
        assert_eq!(runs_of(&waiting, &json!({})), []);
    }

    #[test]
    fn what_is_wanted_from_a_time_on_begins_with_the_second_of_it() {
        let since = "2026-01-01T00:00:01.7Z".parse().ok();
        let asked = parameters("api", Run::Latest, Extent { since, ..Extent::WHOLE }).since_time;
        assert_eq!(asked, "2026-01-01T00:00:01Z".parse().ok());
    }

    #[test]
    fn the_server_measures_since_when_a_log_is_wanted() {
        let extent = |last| Extent { last, ..Extent::WHOLE };
        let asked = |last| parameters("api", Run::Latest, extent(last)).since_seconds;
        assert_eq!(asked(None), None);
        assert_eq!(asked(Some(Duration::from_millis(1))), Some(1));
        assert_eq!(asked(Some(Duration::from_millis(2500))), Some(3));
    }
}
