//! Sees to it that a process which is left before its run has a verdict does not look green.
//!
//! A case may call `std::process::exit(0)`, and so may any library below it.
//! The C library tells before such an end; a hook can no longer change the exit
//! code, but it can abort. A parent that supervises the run would hear of more
//! ways to leave, at the price of a second process between the run and its
//! terminal, its signals and its debugger.

use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::OnceCell;

use crate::report;

/// Whether the process may not end. The hook of the C library takes a function and nothing else.
static OWED: AtomicBool = AtomicBool::new(false);

/// The hook of the process, which the C library can't take back.
static HOOK: OnceCell<()> = OnceCell::new();

/// A verdict that this process owes. As long as it does, leaving is aborting.
#[derive(Debug)]
#[must_use = "a verdict is owed until this is dropped"]
pub(crate) struct Owed(());

/// Owes a verdict.
pub(crate) fn owe() -> Owed {
    // It refuses for lack of memory only; then the run goes on unguarded.
    HOOK.get_or_init(|| {
        shutdown_hooks::add_shutdown_hook(abort_if_owed);
    });
    OWED.store(true, Ordering::SeqCst);
    Owed(())
}

impl Drop for Owed {
    fn drop(&mut self) {
        OWED.store(false, Ordering::SeqCst);
    }
}

extern "C" fn abort_if_owed() {
    if OWED.load(Ordering::SeqCst) {
        report::error(
            "the process was left before its run had a verdict; does a case call `std::process::exit`? \
             It is aborted, and the janitor undoes what the run made",
        );
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::{Command, ExecError};

    /// Runs one of the tests that end their process.
    async fn left(how: &str) -> Result<String, ExecError> {
        let tests = std::env::current_exe().unwrap();
        let name = format!("exit::tests::{how}");
        let arguments = ["--ignored", "--nocapture", "--exact", &name];
        Command::new(tests.to_str().unwrap()).args(arguments).output().await
    }

    /// Leaves, unless other tests of the process would go with this one.
    #[expect(clippy::exit, reason = "this is what the tests are about")]
    fn leave() {
        if std::env::args().any(|argument| argument == "--exact") {
            std::process::exit(0);
        }
    }

    #[test]
    #[ignore = "ends its process, which is what another test looks at"]
    fn before_the_verdict() {
        let _owed = owe();
        leave();
    }

    #[test]
    #[ignore = "ends its process, which is what another test looks at"]
    fn after_the_verdict() {
        drop(owe());
        leave();
    }

    #[tokio::test]
    async fn a_process_that_is_left_before_its_verdict_does_not_look_green() {
        let error = left("before_the_verdict").await.unwrap_err().to_string();
        assert!(error.contains("left before its run had a verdict"), "{error}");
    }

    #[tokio::test]
    async fn a_process_that_is_left_after_its_verdict_ends_as_it_says() {
        left("after_the_verdict").await.unwrap();
    }
}
