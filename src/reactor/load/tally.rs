//! What came of a load: how many, how long each took, what went wrong.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::limits;

/// The counts of a load.
#[derive(Debug, Default)]
pub struct Tally {
    /// Messages that were taken, for one recipient at least.
    pub sent: u64,
    /// Messages that nobody got.
    pub failed: u64,
    /// Recipients for whom messages were taken.
    pub recipients: u64,
    /// Octets of the messages that were taken.
    pub octets: u64,
    /// Connections that were made, or tried.
    pub connections: u64,
    /// How long messages took that were taken.
    pub spread: Spread,
    /// What went wrong, and how often.
    pub errors: BTreeMap<String, u64>,
    /// When it began.
    pub began: Option<Instant>,
    /// When the last answer had come.
    pub ended: Option<Instant>,
}

impl Tally {
    /// Something has gone wrong.
    pub(super) fn error(&mut self, what: String) {
        // A server whose words are never the same must not fill the memory.
        let what = match self.errors.len() < limits::LOAD_ERRORS || self.errors.contains_key(&what)
        {
            true => what,
            false => "others".to_owned(),
        };
        *self.errors.entry(what).or_default() += 1;
    }

    /// From the beginning to the last answer.
    pub fn took(&self) -> Duration {
        match (self.began, self.ended) {
            (Some(began), Some(ended)) => ended.saturating_duration_since(began),
            _ => Duration::ZERO,
        }
    }
}

/// How long things took: counts in classes, each of which is at most a 64th wide of the time that it is for.
#[derive(Debug, Default)]
pub struct Spread {
    classes: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Spread {
    /// One more.
    pub fn add(&mut self, took: Duration) {
        let class = class(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        self.classes[class] += 1;
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    /// The time in which `hundredths` of them were done, to a 64th.
    ///
    /// ```
    /// use mailtool::reactor::load::Spread;
    /// use std::time::Duration;
    ///
    /// let mut spread = Spread::default();
    /// (1..=100).for_each(|ms| spread.add(Duration::from_millis(ms)));
    /// let half = spread.within(50).as_secs_f64();
    /// assert!((0.049..0.052).contains(&half));
    /// ```
    pub fn within(&self, hundredths: u64) -> Duration {
        let wanted = (self.count * hundredths).div_ceil(100);
        let mut seen = 0;
        for (class, count) in self.classes.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return Duration::from_micros(top(class)).min(self.longest);
            }
        }
        self.longest
    }

    /// The longest.
    pub const fn longest(&self) -> Duration {
        self.longest
    }
}

/// Up to so many microseconds each has a class of its own; above, each doubling has so many.
const FINE: u64 = 64;

fn class(microseconds: u64) -> usize {
    if microseconds < 2 * FINE {
        return microseconds as usize;
    }
    // The highest bits are kept.
    let shift = microseconds.ilog2() - FINE.ilog2();
    (u64::from(shift) * FINE + (microseconds >> shift)) as usize
}

/// The longest time of a class.
fn top(class: usize) -> u64 {
    let class = class as u64;
    if class < 2 * FINE {
        return class;
    }
    let shift = class / FINE - 1;
    let kept = class - shift * FINE;
    ((kept + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_a_class_that_is_narrow() {
        let mut last = 0;
        for microseconds in (0..5000).chain((13..40).map(|bit| (1 << bit) + 12_345)) {
            let class = class(microseconds);
            assert!(class >= last, "{microseconds}");
            last = class;
            let top = top(class);
            assert!(top >= microseconds, "{microseconds} {top}");
            assert!(
                top - microseconds <= microseconds / 64,
                "{microseconds} {top}"
            );
        }
    }

    #[test]
    fn of_nothing_there_is_nothing() {
        let spread = Spread::default();
        assert_eq!(
            (spread.within(50), spread.longest()),
            (Duration::ZERO, Duration::ZERO)
        );
        let mut one = Spread::default();
        one.add(Duration::from_micros(1_234_567));
        assert_eq!(one.within(99), one.longest());
        assert_eq!(one.within(1), one.longest());
    }

    #[test]
    fn errors_are_bounded() {
        let mut tally = Tally::default();
        (0..10_000).for_each(|number| tally.error(format!("{number}")));
        tally.error("1".into());
        assert_eq!(tally.errors.len(), limits::LOAD_ERRORS + 1);
        assert_eq!(tally.errors["1"], 2);
        assert_eq!(tally.errors["others"], 10_000 - limits::LOAD_ERRORS as u64);
    }
}
