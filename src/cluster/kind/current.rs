//! What a cluster consists of at the moment, as a try to create it may be given up for another.

use std::sync::Arc;

use tokio::sync::watch;

/// The parts of the try that counts; none while one is deleted.
#[derive(Debug)]
pub(super) struct Current<T>(watch::Sender<Option<Arc<T>>>);

impl<T> Current<T> {
    /// No try yet.
    pub(super) fn none() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The first try.
    pub(super) fn new(parts: T) -> Self {
        Self(watch::Sender::new(Some(Arc::new(parts))))
    }

    /// Acts on the parts; again on those of the next try if these were given up meanwhile.
    pub(super) async fn act<R>(&self, act: impl AsyncFn(&T) -> R) -> R {
        let mut current = self.0.subscribe();
        loop {
            // The sender is ours, so it is never closed.
            let parts = match current.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(parts)) => Arc::clone(parts),
                _ => return std::future::pending().await,
            };
            tokio::select! {
                _ = current.changed() => {}
                done = act(&parts) => {
                    if !current.has_changed().unwrap_or_default() {
                        return done;
                    }
                }
            }
        }
    }

    /// Gives the try up: nobody acts on it any more.
    pub(super) fn give_up(&self) -> Option<Arc<T>> {
        self.0.send_replace(None)
    }

    /// Begins the next try.
    pub(super) fn begin(&self, parts: T) {
        self.0.send_replace(Some(Arc::new(parts)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_begun_on_a_try_that_is_given_up_is_done_on_the_next() {
        let current = Current::new("first");
        let acting = current.act(async |parts: &&str| match *parts {
            "first" => std::future::pending().await,
            parts => parts.to_owned(),
        });
        let trying = async {
            tokio::task::yield_now().await;
            assert_eq!(current.give_up().as_deref(), Some(&"first"));
            tokio::task::yield_now().await;
            current.begin("second");
        };
        let (done, ()) = tokio::join!(acting, trying);
        assert_eq!(done, "second");
    }

    #[tokio::test]
    async fn what_ends_just_when_a_try_is_given_up_is_done_again() {
        let current = Current::new("first");
        let done = current
            .act(async |parts: &&str| {
                if *parts == "first" {
                    current.give_up();
                    current.begin("second");
                }
                (*parts).to_owned()
            })
            .await;
        assert_eq!(done, "second");
    }
}
