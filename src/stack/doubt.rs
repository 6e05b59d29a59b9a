//! Tells a doubt that will pass from one that is proven.

use std::time::{Duration, Instant};

/// How long a request of a case may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Why no request will be answered, if it stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// No pod is ready any more.
    Unready,
    /// There is no pod, or no Service, and nothing of the suite can make it.
    Nowhere,
    /// There is nothing at the health path.
    NotFound,
    /// The answer is another than wanted.
    Wrong,
    /// It does not take the login.
    Denied,
    /// It does not prove who it is.
    Untrusted,
    /// Nobody takes a request.
    Refused,
}

impl Doubt {
    /// How long it must stay so to be believed.
    fn proven(self) -> Duration {
        match self {
            Self::Unready => Duration::from_secs(2),
            Self::Nowhere | Self::NotFound | Self::Denied | Self::Untrusted => {
                Duration::from_secs(10)
            }
            Self::Wrong | Self::Refused => PATIENCE,
        }
    }
}

/// Since when which doubt has been there without a break.
#[derive(Debug, Default)]
pub(super) struct Doubts(Option<(Doubt, Instant)>);

impl Doubts {
    /// Whether a doubt that is there now has been there long enough.
    pub(super) fn proven(&mut self, doubt: Option<Doubt>, now: Instant) -> bool {
        let Some(doubt) = doubt else {
            self.0 = None;
            return false;
        };
        match self.0 {
            Some((known, since)) if known == doubt => now.duration_since(since) >= doubt.proven(),
            _ => {
                self.0 = Some((doubt, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_is_proven_only_when_it_stays_without_a_break() {
        let (mut doubts, begun) = (Doubts::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        assert!(!doubts.proven(Some(Doubt::NotFound), after(0)));
        assert!(!doubts.proven(Some(Doubt::NotFound), after(9)));
        assert!(!doubts.proven(None, after(10)));
        assert!(!doubts.proven(Some(Doubt::NotFound), after(11)));
        assert!(!doubts.proven(Some(Doubt::Wrong), after(20)));
        assert!(!doubts.proven(Some(Doubt::NotFound), after(21)));
        assert!(doubts.proven(Some(Doubt::NotFound), after(31)));
    }
}
