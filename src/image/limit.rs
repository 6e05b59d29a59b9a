//! Gives up on a daemon that hangs: whatever this room asks of it has a limit.

use std::{path::Path, time::Duration};

use bollard::errors::Error;
use futures_util::{Stream, TryStreamExt as _};
use tokio::time::timeout;

use super::error::{Exceeded, ImageError};

/// How long the daemon may take for an answer that costs it nothing, on a busy machine.
const ANSWER: Duration = Duration::from_mins(1);

/// How long reading, stripping and copying files may take: a gigabyte takes a minute.
const PACKING: Duration = Duration::from_mins(10);

/// How long something that tells its progress may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// The longest without a word.
    pub(super) silence: Duration,
    /// The longest altogether.
    pub(super) total: Duration,
}

/// Why something that tells its progress was not followed to its end.
#[derive(Debug)]
pub(super) enum Ended {
    /// It failed.
    Failed(Error),
    /// It was given up.
    GivenUp(Exceeded),
}

impl Patience {
    /// Hands each message to `take_in` until the last one, or until it fails or takes too long.
    pub(super) async fn follow<T>(
        self,
        messages: impl Stream<Item = Result<T, Error>>,
        mut take_in: impl FnMut(T) -> Result<(), Error>,
    ) -> Result<(), Ended> {
        let mut messages = std::pin::pin!(messages);
        let following = async {
            loop {
                let next = timeout(self.silence, messages.try_next()).await;
                let next =
                    next.map_err(|_elapsed| Ended::GivenUp(Exceeded::Silence(self.silence)))?;
                let Some(message) = next.map_err(Ended::Failed)? else { return Ok(()) };
                take_in(message).map_err(Ended::Failed)?;
            }
        };
        let followed = timeout(self.total, following).await;
        followed.map_err(|_elapsed| Ended::GivenUp(Exceeded::Total(self.total)))?
    }
}

/// What comes of `packing` what is at `path`: a file system may hang too.
pub(super) async fn packed<T>(
    image: &str,
    path: &Path,
    packing: impl Future<Output = Result<T, ImageError>>,
) -> Result<T, ImageError> {
    let given_up = |_elapsed| ImageError::GivenUp {
        image: image.to_owned(),
        what: format!("packing {}", path.display()),
        exceeded: Exceeded::Total(PACKING),
        last: String::new(),
        next: "do its disk and that of the temporary directory answer?".to_owned(),
    };
    timeout(PACKING, packing).await.map_err(given_up)?
}

/// The answer to a question that costs the daemon nothing; `what` was asked for.
pub(super) async fn answer<T>(
    what: impl Into<String>,
    asking: impl Future<Output = Result<T, Error>>,
) -> Result<T, ImageError> {
    answer_within(ANSWER, what, asking).await
}

async fn answer_within<T>(
    limit: Duration,
    what: impl Into<String>,
    asking: impl Future<Output = Result<T, Error>>,
) -> Result<T, ImageError> {
    match timeout(limit, asking).await {
        Ok(answer) => answer.map_err(ImageError::docker(what)),
        Err(_elapsed) => Err(ImageError::Unanswered { what: what.into(), limit }),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures_util::stream;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_mins(10);

    fn failure() -> Error {
        Error::DockerStreamError { error: "no".into() }
    }

    #[tokio::test]
    async fn a_stream_without_a_word_is_given_up() {
        let patience = Patience { silence: SHORT, total: LONG };
        let mut seen = 0;
        let messages = stream::unfold(0, async |count| match count {
            0..3 => Some((Ok(count), count + 1)),
            _ => pending().await,
        });
        let ended = patience.follow(messages, |_| {
            seen += 1;
            Ok(())
        });
        let ended = ended.await.unwrap_err();
        assert!(matches!(ended, Ended::GivenUp(Exceeded::Silence(SHORT))), "{ended:?}");
        assert_eq!(seen, 3);
    }

    #[tokio::test]
    async fn a_stream_that_never_ends_is_given_up() {
        let patience = Patience { silence: LONG, total: SHORT };
        let messages = stream::unfold((), async |()| {
            tokio::task::yield_now().await;
            Some((Ok(()), ()))
        });
        let ended = patience.follow(messages, Ok).await.unwrap_err();
        assert!(matches!(ended, Ended::GivenUp(Exceeded::Total(SHORT))), "{ended:?}");
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_last_message_or_its_first_failure() {
        let patience = Patience { silence: LONG, total: LONG };
        let whole = stream::iter([Ok(1), Ok(2)]);
        assert!(patience.follow(whole, |_| Ok(())).await.is_ok());
        let failed = patience.follow(stream::iter([Ok(1), Err(failure())]), |_| Ok(())).await;
        assert!(matches!(failed, Err(Ended::Failed(_))));
        let refused = patience.follow(stream::iter([Ok(1)]), |_| Err(failure())).await;
        assert!(matches!(refused, Err(Ended::Failed(_))));
    }

    #[tokio::test]
    async fn a_daemon_that_does_not_answer_is_told_with_the_next_step() {
        let silent =
            answer_within(Duration::ZERO, "inspect the image `a`", pending::<Result<(), _>>());
        let words = silent.await.unwrap_err().to_string();
        assert!(
            words.starts_with("inspect the image `a`: the Docker daemon has not answered within"),
            "{words}"
        );
        assert!(words.contains("docker version"), "{words}");
    }
}
