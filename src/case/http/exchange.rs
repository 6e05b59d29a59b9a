//! One request and what came back, as the messages of failures and the evidence show it.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use crate::text::shortened;

/// How much of a body a message shows, in characters.
const SHOWN: usize = 1200;

/// What stands in an exchange for an answer that never came.
pub(super) const NO_ANSWER: &str = "no answer";

/// The exchanges of one case, oldest first.
pub(crate) type Exchanges = Arc<Mutex<Vec<Exchange>>>;

/// One request, and what came back; [`Answer::exchange`](super::Answer::exchange) has it for the message of a failure.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ensure};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let answer = ctx.get("shop", "/open").send().await?;
/// ensure!(answer.text() == "yes", "it is closed:\n{}", answer.exchange());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub(super) request: String,
    pub(super) sent: String,
    pub(super) outcome: String,
}

impl Exchange {
    /// Whether there was no answer.
    pub(crate) fn is_silent(&self) -> bool {
        self.outcome == NO_ANSWER
    }

    /// All of it, for evidence.
    pub(crate) fn whole(&self) -> String {
        format!("> {}\n> {}\n< {}\n", self.request, self.sent, self.outcome)
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "    > {}", self.request)?;
        if !self.sent.is_empty() {
            write!(f, "\n    > {}", shown(&self.sent))?;
        }
        write!(f, "\n    < {}", shown(&self.outcome))
    }
}

/// A body for a message: its beginning, and how long it is where that is not all.
fn shown(body: &str) -> String {
    let beginning = shortened(body, SHOWN);
    if beginning.len() == body.len() {
        return beginning;
    }
    format!("{beginning} ({} bytes)", body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_at_a_character() {
        let text = "ä".repeat(SHOWN + 1);
        assert!(shown(&text).ends_with("… (2402 bytes)"));
    }
}
