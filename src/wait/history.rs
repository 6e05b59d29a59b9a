//! What the looks of a wait have seen, and when.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::text::shortened;

/// How many things are told: the first, and the latest.
const FIRST: usize = 4;
const LATEST: usize = 8;
/// How much of what was seen earlier is kept, in characters.
const KEPT: usize = 300;

/// What was seen, oldest first; what is seen again and again is told once.
///
/// ```no_run
/// # use kindwright::{CaseResult, Ctx, ReadError, Unmet};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// let sold = ctx.metrics("shop").await?;
/// let limit = std::time::Duration::from_secs(5);
/// let line = ctx.logs("shop")?.until("the end", limit, |line| line.text() == "done").await;
/// if let Err(ReadError::Unmet(Unmet::Late { history, .. })) = line {
///     ctx.attach("history.txt", format!("{} looks:{history}", history.looks()))?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct History {
    began: Instant,
    looks: usize,
    /// Whether a look is on its way.
    looking: bool,
    first: Vec<Seen>,
    left_out: usize,
    latest: Vec<Seen>,
}

/// One thing that was seen.
#[derive(Clone, Debug)]
struct Seen {
    after: Duration,
    what: String,
}

impl History {
    /// Nothing was seen yet.
    pub(crate) fn begin() -> Self {
        let (first, latest) = (Vec::new(), Vec::new());
        Self { began: Instant::now(), looks: 0, looking: false, first, left_out: 0, latest }
    }

    /// Notes that a look begins.
    pub(crate) fn look(&mut self) {
        self.looks += 1;
        self.looking = true;
    }

    /// Notes what the look has seen.
    pub(crate) fn note(&mut self, what: impl Into<String>) {
        self.looking = false;
        self.add(self.began.elapsed(), what.into());
    }

    fn add(&mut self, after: Duration, what: String) {
        if self.last() == Some(what.as_str()) {
            return;
        }
        // Only what was seen last is told at full length.
        if let Some(before) = self.latest.last_mut() {
            before.what = shortened(&before.what, KEPT);
            if self.first.len() < FIRST {
                self.first.append(&mut self.latest);
            }
        }
        if self.latest.len() == LATEST {
            self.latest.remove(0);
            self.left_out += 1;
        }
        self.latest.push(Seen { after, what });
    }

    /// How often was looked.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, Failure, ReadError, Unmet};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let limit = Duration::from_secs(5);
    /// let line = ctx.logs("shop")?.until("the end", limit, |line| line.text() == "done").await;
    /// if let Err(ReadError::Unmet(Unmet::Late { history, .. })) = line {
    ///     return Err(Failure::new(format_args!("not so in {} looks", history.looks())));
    /// }
    /// # Ok(()) }
    /// ```
    pub fn looks(&self) -> usize {
        self.looks
    }

    /// How long ago it began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What was seen last.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use kindwright::{CaseResult, Ctx, ReadError, Unmet};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// let limit = Duration::from_secs(5);
    /// let line = ctx.logs("shop")?.until("the end", limit, |line| line.text() == "done").await;
    /// if let Err(ReadError::Unmet(Unmet::Late { history, .. })) = line {
    ///     ctx.attach("last-line.txt", history.last().unwrap_or("nothing"))?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn last(&self) -> Option<&str> {
        self.latest.last().map(|seen| seen.what.as_str())
    }
}

/// All that was seen, each on a line of its own with the seconds after which it was seen first.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, seen: &Seen| {
            let words = seen.what.replace('\n', "\n              ");
            write!(f, "\n    {:>6.1} s  {words}", seen.after.as_secs_f64())
        };
        if self.latest.is_empty() {
            f.write_str("\n    nothing")?;
        }
        for seen in &self.first {
            line(f, seen)?;
        }
        if self.left_out > 0 {
            write!(f, "\n         ...  {} more", self.left_out)?;
        }
        for seen in &self.latest {
            line(f, seen)?;
        }
        if self.looking {
            f.write_str("\n    and the last look was not done")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(seen: impl IntoIterator<Item = (u64, String)>) -> History {
        let mut history = History::begin();
        for (seconds, what) in seen {
            history.add(Duration::from_secs(seconds), what);
        }
        history
    }

    #[test]
    fn what_is_seen_again_is_told_once_with_the_time_at_which_it_was_seen_first() {
        let seen = [(0, "red"), (1, "red"), (2, "green"), (3, "green")];
        let history = history(seen.map(|(after, what)| (after, what.to_owned())));
        assert_eq!(history.to_string(), "\n       0.0 s  red\n       2.0 s  green");
        assert_eq!(history.last(), Some("green"));
    }

    #[test]
    fn a_long_history_tells_its_beginning_and_its_end() {
        let text = history((0..100).map(|after| (after, format!("{after} rows")))).to_string();
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(lines.len(), FIRST + 1 + LATEST, "{text}");
        assert!(lines[0].ends_with("0 rows") && lines[FIRST - 1].ends_with("3 rows"), "{text}");
        assert!(lines[FIRST].ends_with("88 more"), "{text}");
        assert!(lines[FIRST + 1].ends_with("92 rows"), "{text}");
        assert!(lines[FIRST + LATEST].ends_with("99 rows"), "{text}");
    }

    #[test]
    fn a_look_that_was_not_done_is_told() {
        let mut history = history([(0, "red".to_owned())]);
        history.look();
        let text = history.to_string();
        assert_eq!(text, "\n       0.0 s  red\n    and the last look was not done");
    }

    #[test]
    fn only_what_was_seen_last_is_told_at_full_length() {
        let long = "x".repeat(2 * KEPT);
        let history = history([(0, long.clone()), (1, format!("{long}\nend"))]);
        let text = history.to_string();
        assert!(text.contains(&format!(" {}…\n", "x".repeat(KEPT))), "{text}");
        assert!(text.ends_with(&format!("{long}\n              end")), "{text}");
    }
}
