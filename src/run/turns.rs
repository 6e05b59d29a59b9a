//! Whose turn it is on the stack of one suite: many cases share it, or one has it alone.

use std::collections::VecDeque;

/// Whether a case shares its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// With any others that do.
    Shared,
    /// With nobody.
    Alone,
}

/// Who runs, and who waits for a turn.
#[derive(Debug)]
pub(super) struct Turns<T> {
    sharing: usize,
    alone: bool,
    waiting: VecDeque<T>,
    waiting_alone: VecDeque<T>,
}

impl<T> Turns<T> {
    pub(super) fn new() -> Self {
        Self { sharing: 0, alone: false, waiting: VecDeque::new(), waiting_alone: VecDeque::new() }
    }

    /// Puts somebody into the queue.
    pub(super) fn ask(&mut self, who: T, sharing: Sharing) {
        match sharing {
            Sharing::Shared => self.waiting.push_back(who),
            Sharing::Alone => self.waiting_alone.push_back(who),
        }
    }

    /// The next whose turn it is, if it is anybody's.
    ///
    /// Whoever needs the stack alone comes after those who share it: one that waited between
    /// them would be a barrier, at which all others wait for the slowest.
    pub(super) fn next(&mut self) -> Option<T> {
        if self.alone {
            return None;
        }
        if let Some(who) = self.waiting.pop_front() {
            self.sharing += 1;
            return Some(who);
        }
        if self.sharing > 0 {
            return None;
        }
        let who = self.waiting_alone.pop_front()?;
        self.alone = true;
        Some(who)
    }

    /// Takes note that a turn is over.
    pub(super) fn over(&mut self, sharing: Sharing) {
        match sharing {
            Sharing::Shared => self.sharing = self.sharing.saturating_sub(1),
            Sharing::Alone => self.alone = false,
        }
    }

    /// All who wait, who then do so no more.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        self.waiting.drain(..).chain(self.waiting_alone.drain(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_alone_waits_for_all_who_share_and_they_for_nobody() {
        let mut turns = Turns::new();
        turns.ask("alone", Sharing::Alone);
        turns.ask("first", Sharing::Shared);
        turns.ask("second", Sharing::Shared);
        assert_eq!(
            (turns.next(), turns.next(), turns.next()),
            (Some("first"), Some("second"), None)
        );
        turns.over(Sharing::Shared);
        assert_eq!(turns.next(), None);
        turns.over(Sharing::Shared);
        assert_eq!(turns.next(), Some("alone"));
        turns.ask("third", Sharing::Shared);
        assert_eq!(turns.next(), None);
        turns.over(Sharing::Alone);
        assert_eq!(turns.next(), Some("third"));
    }
}
