//! Watches one object, also when the connection breaks.

use std::{pin::pin, time::Duration};

use futures_util::{Stream, StreamExt as _};
use kube::{
    Api,
    api::DynamicObject,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, watch_object},
    },
};
use serde_json::Value;

use super::changes::changes;
use crate::{
    stack::{ServerError, watch_refusal, with_kind},
    text::chain,
    wait::History,
};

/// Why a watch ended without its condition.
#[derive(Debug)]
pub(super) enum WatchError {
    /// The server does not let it be watched.
    Refused(ServerError),
    /// Time ran out.
    Late {
        /// How the object changed in the meantime.
        history: Box<History>,
        /// What was seen last.
        last: String,
    },
}

/// Watches an object until `holds` is true of it; it is null while it does not exist. What was seen last
/// is `told` if it never is.
pub(super) async fn until(
    api: Api<DynamicObject>,
    [version, kind, name]: [&str; 3],
    limit: Duration,
    holds: impl Fn(&Value) -> bool,
    told: impl Fn(&Value) -> String,
) -> Result<Value, WatchError> {
    look(watch_object(api, name).default_backoff(), [version, kind], limit, holds, told).await
}

async fn look(
    seen: impl Stream<Item = watcher::Result<Option<DynamicObject>>>,
    kind: [&str; 2],
    limit: Duration,
    holds: impl Fn(&Value) -> bool,
    told: impl Fn(&Value) -> String,
) -> Result<Value, WatchError> {
    let mut seen = pin!(seen);
    let (mut history, mut last) = (Box::new(History::begin()), None);
    let looking = async {
        while let Some(next) = seen.next().await {
            match next {
                Ok(object) => {
                    let object = object.map(|object| with_kind(object, kind)).unwrap_or_default();
                    history.look();
                    history.note(changes(last.as_ref().unwrap_or(&Value::Null), &object));
                    if holds(&object) {
                        return Ok(object);
                    }
                    last = Some(object);
                }
                Err(error) => {
                    let words = chain(&error);
                    if let Some(refusal) = watch_refusal(error) {
                        return Err(WatchError::Refused(refusal));
                    }
                    // It is watched again from where it is then.
                    history.note(words);
                }
            }
        }
        std::future::pending().await
    };
    if let Ok(outcome) = tokio::time::timeout(limit, looking).await {
        return outcome;
    }
    let last = last.as_ref().map_or_else(|| "nothing".to_owned(), told);
    Err(WatchError::Late { history, last })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use kube::core::Status;
    use serde_json::json;

    use super::{super::error::shown, *};

    const LONG: Duration = Duration::from_mins(1);
    const KIND: [&str; 2] = ["v1", "ConfigMap"];

    fn object(colour: &str) -> DynamicObject {
        let object = json!({"metadata": {"name": "settings"}, "data": {"colour": colour}});
        serde_json::from_value(object).unwrap()
    }

    fn answered(code: u16, message: &str) -> watcher::Error {
        let status = Status { code, message: message.to_owned(), ..Status::default() };
        watcher::Error::WatchStartFailed(kube::Error::Api(Box::new(status)))
    }

    fn is_blue(object: &Value) -> bool {
        object["data"]["colour"] == "blue"
    }

    #[tokio::test]
    async fn a_broken_connection_does_not_end_a_watch() {
        let broken = || Err(watcher::Error::WatchFailed(kube::Error::TlsRequired));
        let old = || Err(answered(410, "too old resource version"));
        let seen = stream::iter([
            broken(),
            Ok(Some(object("red"))),
            broken(),
            old(),
            Ok(Some(object("blue"))),
        ]);
        let blue = look(seen, KIND, LONG, is_blue, shown).await.unwrap();
        assert!(is_blue(&blue));
        // What begins a watch does not say what it is.
        assert_eq!([&blue["apiVersion"], &blue["kind"]], KIND);
    }

    #[tokio::test]
    async fn a_refusal_ends_a_watch_in_the_words_of_the_server() {
        let refused = Err(answered(403, "settings is forbidden"));
        let seen = stream::iter([refused]).chain(stream::pending());
        let Err(WatchError::Refused(error)) = look(seen, KIND, LONG, is_blue, shown).await else {
            panic!()
        };
        assert_eq!(chain(&error), "settings is forbidden");
    }

    #[tokio::test]
    async fn all_that_was_seen_is_told_also_when_the_connection_broke_after_it() {
        let broken = Err(watcher::Error::WatchFailed(kube::Error::TlsRequired));
        let seen = [Ok(None), Ok(Some(object("red"))), Ok(Some(object("green"))), broken];
        let seen = stream::iter(seen).chain(stream::pending());
        let short = Duration::from_millis(20);
        let Err(WatchError::Late { history, last }) = look(seen, KIND, short, is_blue, shown).await
        else {
            panic!()
        };
        assert_eq!(history.looks(), 3);
        assert!(last.contains("\"colour\": \"green\""), "{last}");
        let words = history.to_string();
        for part in ["no such object", "it is there", "data.colour: \"green\""] {
            assert!(words.contains(part), "{words}");
        }
    }
}
