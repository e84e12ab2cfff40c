//! So many octets a second, and no more (`--rate`).
//!
//! What may pass is the time that has gone by since `earned`, in octets. Time that was not used is kept for a tenth of a
//! second only, so that a pause is not followed by a flood; and less than half of that is not given out, unless it is enough,
//! so that nobody runs in circles for single octets.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// One direction's. See the module.
#[derive(Debug)]
pub(in crate::reactor) struct Rate {
    per_second: u64,
    /// All octets up to here have passed.
    earned: Instant,
}

impl Rate {
    pub(in crate::reactor) const fn new(per_second: NonZeroU64, now: Instant) -> Self {
        Self {
            per_second: per_second.get(),
            earned: now,
        }
    }

    /// How many of `wanted` octets may pass now.
    pub(in crate::reactor) fn admit(&mut self, now: Instant, wanted: usize) -> usize {
        if let Some(oldest) = now.checked_sub(self.time_of(self.depth())) {
            self.earned = self.earned.max(oldest);
        }
        let waited = now.saturating_duration_since(self.earned);
        let octets = waited.as_nanos() * u128::from(self.per_second) / NANOS;
        let octets = usize::try_from(octets).unwrap_or(usize::MAX).min(wanted);
        match octets == wanted || octets as u64 >= self.depth().div_ceil(2) {
            true => octets,
            false => 0,
        }
    }

    /// So many have passed.
    pub(in crate::reactor) fn passed(&mut self, octets: usize) {
        self.earned += self.time_of(octets as u64);
    }

    /// When it is worth while to ask again.
    pub(in crate::reactor) fn until(&self) -> Instant {
        self.earned + self.time_of(self.depth().div_ceil(2))
    }

    /// The octets of a tenth of a second, and one at least.
    const fn depth(&self) -> u64 {
        self.per_second.div_ceil(10)
    }

    /// Rounded up, so that what it stands for has been earned when it is over.
    fn time_of(&self, octets: u64) -> Duration {
        let nanos = (u128::from(octets) * NANOS).div_ceil(u128::from(self.per_second));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn passes_in(seconds: u64, per_second: u64) -> usize {
        let begin = Instant::now();
        let mut rate = Rate::new(NonZeroU64::new(per_second).unwrap(), begin);
        let mut now = begin;
        let mut passed = 0;
        while now < begin + Duration::from_secs(seconds) {
            let octets = rate.admit(now, usize::MAX);
            rate.passed(octets);
            passed += octets;
            let until = rate.until();
            assert!(until > now, "it must not turn in a circle");
            now = until;
        }
        passed
    }

    #[test]
    fn so_many_pass_as_were_asked_for() {
        for per_second in [1, 7, 1000, 123_456_789, 40_000_000_000] {
            let passed = passes_in(10, per_second) as u64;
            let asked = 10 * per_second;
            assert!(passed <= asked, "{passed} of {asked}");
            assert!(passed + per_second >= asked, "{passed} of {asked}");
        }
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let begin = Instant::now();
        let mut rate = Rate::new(NonZeroU64::new(1000).unwrap(), begin);
        assert_eq!(rate.admit(begin, 500), 0);
        let later = begin + Duration::from_secs(60);
        assert_eq!(rate.admit(later, 500), 100);
        rate.passed(100);
        let soon = later + Duration::from_millis(10);
        assert_eq!(rate.admit(soon, 500), 0, "10 of 500 are not worth it");
        assert_eq!(rate.admit(soon, 10), 10, "10 of 10 are");
    }
}
