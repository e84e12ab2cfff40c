//! How many messages an address or a user begins in a while: shared by the sessions of a service, in bounded memory.
//!
//! A sliding window, as two fixed ones: what was counted in the window before counts for the part of it that is still within
//! reach. So nothing is kept for each message, and nothing has to be thrown away one by one: when the time is up, or the table
//! full, the older of the two tables goes as a whole.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits;

/// Counts, and what is too many.
#[derive(Debug)]
pub struct Rates {
    per_address: u32,
    per_user: u32,
    window: Duration,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// When the window that is counted in began.
    began: Option<Instant>,
    now: HashMap<Key, u32>,
    before: HashMap<Key, u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// An IPv6 address stands for its /64: who has one has them all (RFC 6177).
    Address(IpAddr),
    User(Arc<str>),
}

/// Who is over the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The address, and how many are allowed.
    Address(u32),
    /// The user, and how many are allowed.
    User(u32),
}

impl Default for Rates {
    fn default() -> Self {
        Self::new(
            limits::RATE_PER_ADDRESS,
            limits::RATE_PER_USER,
            limits::RATE_WINDOW,
        )
    }
}

impl Rates {
    /// At most so many messages in `window`, from one address and by one user; 0: no bound.
    pub fn new(per_address: u32, per_user: u32, window: Duration) -> Self {
        Self {
            per_address,
            per_user,
            window: window.max(Duration::from_secs(1)),
            counts: Mutex::default(),
        }
    }

    /// The time over which is counted.
    pub(super) const fn window(&self) -> Duration {
        self.window
    }

    /// Counts one message; an error when it is one too many, which is not counted. Who is logged in is counted as a user,
    /// wherever it is; this computer itself is not counted.
    pub(super) fn count(
        &self,
        now: Instant,
        address: Option<IpAddr>,
        user: Option<&Arc<str>>,
    ) -> Result<(), Over> {
        let (key, bound, over) = match (user, address.map(|address| address.to_canonical())) {
            (Some(user), _) => {
                let key = Key::User(Arc::clone(user));
                (key, self.per_user, Over::User(self.per_user))
            }
            (None, Some(address)) if !address.is_loopback() => {
                let key = Key::Address(network(address));
                (key, self.per_address, Over::Address(self.per_address))
            }
            _ => return Ok(()),
        };
        if bound == 0 {
            return Ok(());
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.take(now, self.window, key, u64::from(bound)) {
            true => Ok(()),
            false => Err(over),
        }
    }
}

impl Counts {
    /// Counts one, if fewer than `bound` are within the window.
    fn take(&mut self, now: Instant, window: Duration, key: Key, bound: u64) -> bool {
        let began = *self.began.get_or_insert(now);
        let passed = now.saturating_duration_since(began);
        if passed >= window || self.now.len() >= limits::RATE_ENTRIES / 2 {
            self.before = std::mem::take(&mut self.now);
            if passed >= window * 2 {
                self.before.clear();
            }
            let whole = window * u32::try_from(passed.as_nanos() / window.as_nanos()).unwrap_or(1);
            self.began = Some(if passed >= window { began + whole } else { now });
        }
        let into = now.saturating_duration_since(self.began.unwrap_or(now));
        let left = window.saturating_sub(into).as_millis();
        let before = u128::from(self.before.get(&key).copied().unwrap_or(0));
        let counted = self.now.entry(key).or_default();
        let carried = before * left / window.as_millis().max(1);
        let all = u64::from(*counted) + u64::try_from(carried).unwrap_or(u64::MAX);
        let fits = all < bound;
        *counted = counted.saturating_add(u32::from(fits));
        fits
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn one_too_many_waits_until_the_window_has_passed() {
        let (start, rates) = (Instant::now(), Rates::new(2, 1, Duration::from_secs(60)));
        let at = |seconds| start + Duration::from_secs(seconds);
        let pc = address("192.0.2.7");
        assert_eq!(rates.count(at(0), pc, None), Ok(()));
        assert_eq!(rates.count(at(1), pc, None), Ok(()));
        assert_eq!(rates.count(at(2), pc, None), Err(Over::Address(2)));
        assert_eq!(rates.count(at(2), address("192.0.2.8"), None), Ok(()));
        assert_eq!(rates.count(at(200), pc, None), Ok(()), "all is forgotten");
        let alice: Arc<str> = "alice".into();
        assert_eq!(rates.count(at(200), pc, Some(&alice)), Ok(()));
        assert_eq!(rates.count(at(200), None, Some(&alice)), Err(Over::User(1)));
    }

    #[test]
    fn the_window_slides() {
        let (start, rates) = (Instant::now(), Rates::new(10, 0, Duration::from_secs(60)));
        let at = |seconds| start + Duration::from_secs(seconds);
        let pc = address("192.0.2.7");
        for second in 0..10 {
            assert_eq!(rates.count(at(second), pc, None), Ok(()));
        }
        // Three quarters of the ten are still within reach.
        let later = (0..10).filter(|_| rates.count(at(75), pc, None).is_ok());
        assert_eq!(later.count(), 3);
    }

    #[test]
    fn this_computer_is_not_counted_and_ipv6_networks_are_one() {
        let (now, rates) = (Instant::now(), Rates::new(1, 1, Duration::from_secs(60)));
        for _ in 0..10 {
            assert_eq!(rates.count(now, address("127.0.0.1"), None), Ok(()));
            assert_eq!(rates.count(now, address("::ffff:127.0.0.1"), None), Ok(()));
            assert_eq!(rates.count(now, None, None), Ok(()));
        }
        assert_eq!(rates.count(now, address("2001:db8::1"), None), Ok(()));
        assert!(rates.count(now, address("2001:db8::2"), None).is_err());
        assert_eq!(rates.count(now, address("2001:db8:0:1::2"), None), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let (now, rates) = (Instant::now(), Rates::new(1, 1, Duration::from_secs(60)));
        for number in 0..3 * limits::RATE_ENTRIES as u32 {
            let address = IpAddr::from((0x0a00_0000 + number).to_be_bytes());
            assert_eq!(rates.count(now, Some(address), None), Ok(()));
        }
        let counts = rates.counts.lock().unwrap();
        assert!(counts.now.len() + counts.before.len() <= limits::RATE_ENTRIES);
    }
}
