//! Who has something to do, and who is to be looked at when.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use crate::reactor::timers::Timers;

/// Turns to be taken, by number of caller. Each is in line once at most, and has one timer at most.
#[derive(Default)]
pub(super) struct Agenda {
    line: VecDeque<u64>,
    in_line: HashSet<u64>,
    timers: Timers,
    armed: HashMap<u64, Instant>,
}

impl Agenda {
    /// `id` has something to do.
    pub(super) fn wake(&mut self, id: u64) {
        if self.in_line.insert(id) {
            self.line.push_back(id);
        }
    }

    /// How many are in line.
    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    /// Who is next.
    pub(super) fn next(&mut self) -> Option<u64> {
        let id = self.line.pop_front()?;
        self.in_line.remove(&id);
        Some(id)
    }

    /// `id` is to be woken at `due` at the latest.
    pub(super) fn arm(&mut self, id: u64, due: Instant) {
        if self.armed.get(&id).is_some_and(|armed| *armed <= due) {
            return;
        }
        self.armed.insert(id, due);
        self.timers.set(due, id);
        let armed = &self.armed;
        self.timers
            .sweep(armed.len(), |due, id| armed.get(&id) == Some(&due));
    }

    /// `id` is gone.
    pub(super) fn forget(&mut self, id: u64) {
        self.armed.remove(&id);
    }

    /// When the next timer is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.timers.next_due()
    }

    /// Wakes those whose time has come.
    pub(super) fn ring(&mut self, now: Instant) {
        while let Some((due, id)) = self.timers.expired(now) {
            if self.armed.get(&id) == Some(&due) {
                self.armed.remove(&id);
                self.wake(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn everybody_is_in_line_once_and_is_woken_at_the_earliest_of_its_times() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut agenda = Agenda::default();
        agenda.wake(7);
        agenda.wake(8);
        agenda.wake(7);
        assert_eq!(
            (agenda.next(), agenda.next(), agenda.next()),
            (Some(7), Some(8), None)
        );
        agenda.arm(7, at(5));
        agenda.arm(7, at(3));
        agenda.arm(7, at(9));
        agenda.arm(8, at(4));
        agenda.forget(8);
        agenda.ring(at(2));
        assert_eq!(agenda.next(), None);
        agenda.ring(at(9));
        assert_eq!((agenda.next(), agenda.next()), (Some(7), None));
    }
}
