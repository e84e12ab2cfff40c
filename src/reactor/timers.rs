//! Deadlines of many connections.
//!
//! A heap that is never searched: a deadline that moved away stays in it until its time, is then found to be stale by
//! its owner, and is set anew. So setting a deadline that is later than the one that is armed already costs nothing, which
//! is what every command on a connection does. It keeps: at most one live entry for each token, and never more stale
//! entries than live ones by much ([`Timers::sweep`]).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// When to look at which token again. See the module.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u64)>>,
}

impl Timers {
    /// `token` is to be looked at when `due` has passed.
    pub(super) fn set(&mut self, due: Instant, token: u64) {
        self.heap.push(Reverse((due, token)));
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes one that is due, and when it was.
    pub(super) fn expired(&mut self, now: Instant) -> Option<(Instant, u64)> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// Throws stale entries away once there are many more entries than the `live` tokens.
    pub(super) fn sweep(&mut self, live: usize, keep: impl Fn(Instant, u64) -> bool) {
        if self.heap.len() > 2 * live + SLACK {
            self.heap.retain(|Reverse((due, token))| keep(*due, *token));
        }
    }
}

/// Stale entries that are not worth a sweep.
const SLACK: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn they_expire_in_the_order_of_their_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = Timers::default();
        for (seconds, token) in [(3, 30), (1, 10), (2, 20)] {
            timers.set(at(seconds), token);
        }
        assert_eq!(timers.next_due(), Some(at(1)));
        assert_eq!(timers.expired(at(0)), None);
        assert_eq!(timers.expired(at(2)), Some((at(1), 10)));
        assert_eq!(timers.expired(at(2)), Some((at(2), 20)));
        assert_eq!(timers.expired(at(2)), None);
    }

    #[test]
    fn stale_entries_do_not_pile_up() {
        let now = Instant::now();
        let mut timers = Timers::default();
        for token in 0..10_000 {
            timers.set(now, token);
            timers.sweep(1, |_, live| live == token);
        }
        assert!(timers.heap.len() <= SLACK + 3, "{}", timers.heap.len());
    }
}
