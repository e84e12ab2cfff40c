//! How much was moved, for all callers together (--progress, --stats).

use std::time::{Duration, Instant};

use crate::proto::raw::Outcome;
use crate::reactor::meter::Meter;
use crate::reactor::relay::{Progress, Report};

pub(super) struct Tally {
    begun: Instant,
    sent: u64,
    received: u64,
    /// When it is to be shown; `None` while nothing has changed since it was.
    tick: Option<Instant>,
    meter: Option<Meter>,
}

impl Tally {
    pub(super) fn new(now: Instant, meter: Option<Meter>) -> Self {
        if let Some(meter) = &meter {
            meter.set(now, 0, 0);
        }
        Self {
            begun: now,
            sent: 0,
            received: 0,
            tick: None,
            meter,
        }
    }

    /// So many octets more went to a caller, and came from it.
    pub(super) fn add(&mut self, now: Instant, sent: u64, received: u64) {
        if sent + received > 0 {
            self.sent += sent;
            self.received += received;
            self.tick.get_or_insert(now + TICK);
            if let Some(meter) = &self.meter {
                meter.set(self.begun, self.sent, self.received);
            }
        }
    }

    /// When [`Self::tick`] has something to show.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.tick
    }

    /// Shows it, if it is time to.
    pub(super) fn tick(&mut self, now: Instant, show: &mut dyn FnMut(Progress)) {
        if self.tick.is_some_and(|tick| tick <= now) {
            self.tick = None;
            show(Progress {
                sent: self.sent,
                received: self.received,
                duration: now.saturating_duration_since(self.begun),
            });
        }
    }

    pub(super) fn report(&self, now: Instant, outcome: Outcome) -> Report {
        Report {
            outcome,
            sent: self.sent,
            received: self.received,
            duration: now.saturating_duration_since(self.begun),
        }
    }
}

/// How often it is shown while anything moves.
const TICK: Duration = Duration::from_secs(1);
