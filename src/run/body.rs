//! Runs the body of a case or a step on a thread of its own, under its limit.

use std::{any::Any, panic::AssertUnwindSafe, thread, time::Duration};

use futures_util::FutureExt as _;
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    interrupt::{Interrupt, Level},
    world::Work,
};
use crate::{case::Failure, wait};

/// How a body ended.
#[derive(Debug)]
pub(super) enum Ended<T = ()> {
    /// By itself, by its limit, or by being abandoned.
    With(Result<T, Failure>),
    /// The run was interrupted, and the case with it.
    Interrupted,
}

/// How long a run waits for cases that do not end by themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long after its limit, or after a stop, a case may take to yield.
    pub(super) to_yield: Duration,
    /// How long all cases together may take to end after a stop.
    pub(super) to_stop: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { to_yield: Duration::from_secs(5), to_stop: Duration::from_secs(10) }
    }
}

/// Runs what `begin` makes on a thread of this name to its end, or abandons it.
pub(super) async fn run<T: Send + 'static>(
    name: &str,
    limit: Duration,
    begin: impl FnOnce() -> Option<Work<T>> + Send + 'static,
    interrupt: &Interrupt,
    patience: Patience,
) -> Ended<T> {
    let (sender, ended) = oneshot::channel();
    let (cancelled, runtime) = (interrupt.clone(), Handle::current());
    // A thread of its own: a case need not be `Send`, and one that blocks can be left behind.
    let body = move || {
        let result = runtime.block_on(async {
            let running = async {
                match begin() {
                    Some(body) => body.await,
                    None => Err(Failure::new("the declaration has no such body; please report this")),
                }
            };
            tokio::select! {
                () = cancelled.reached(Level::Stop) => Ended::Interrupted,
                result = tokio::time::timeout(limit, AssertUnwindSafe(running).catch_unwind()) => match result {
                    Ok(Ok(result)) => Ended::With(result),
                    Ok(Err(panic)) => failed(format!("the case panicked: {}", panic_words(&*panic))),
                    Err(_) => failed(format!("the case was not done within its limit of {} s", limit.as_secs_f64())),
                },
            }
        });
        // Nobody may wait for it any more.
        let _ = sender.send(result);
    };
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(body) {
        return failed(format!("start a thread for the case: {error}"));
    }
    let abandoned = async {
        tokio::select! {
            () = wait::pause(limit) => {}
            () = interrupt.reached(Level::Stop) => {}
        }
        wait::pause(patience.to_yield).await;
    };
    tokio::select! {
        result = ended => {
            result.unwrap_or_else(|_| failed("the case ended without a result".to_owned()))
        }
        () = abandoned => failed(format!(
            "`{name}` was told to end and did not yield within {} s; it is abandoned (does it block its thread?)",
            patience.to_yield.as_secs_f64()
        )),
    }
}

fn failed<T>(words: String) -> Ended<T> {
    Ended::With(Err(Failure::new(words)))
}

/// What a panic says.
pub(super) fn panic_words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it did not say why")
}
