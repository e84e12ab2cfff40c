//! Answers that are still good.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::limits;
use crate::wire::dns::{Kind, Reply};

/// A name in small letters, without a dot at its end; and what is asked about it.
pub(super) type Key = (String, Kind);

/// At most [`limits::DNS_CACHE`] answers.
#[derive(Default)]
pub(super) struct Cache(HashMap<Key, Kept>);

struct Kept {
    reply: Reply,
    until: Instant,
}

impl Cache {
    pub(super) fn find(&self, key: &Key, now: Instant) -> Option<Reply> {
        let kept = self.0.get(key)?;
        (now < kept.until).then(|| kept.reply.clone())
    }

    pub(super) fn keep(&mut self, key: Key, reply: Reply, ttl: Duration, now: Instant) {
        let most = match reply {
            Reply::NoName | Reply::NoData => limits::DNS_NO_KEPT,
            _ => limits::DNS_KEPT,
        };
        if ttl.is_zero() {
            return;
        }
        if self.0.len() >= limits::DNS_CACHE && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let until = now + ttl.min(most);
        self.0.insert(key, Kept { reply, until });
    }

    /// Lets go what is not good any more; else a part of the rest, whichever: asking again costs little.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, kept| now < kept.until);
        if self.0.len() < limits::DNS_CACHE {
            return;
        }
        let mut left = limits::DNS_CACHE - limits::DNS_CACHE / 8;
        self.0.retain(|_, _| {
            left = left.saturating_sub(1);
            left > 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_for_their_time_and_never_too_many() {
        let now = Instant::now();
        let mut cache = Cache::default();
        let key = |n: usize| (n.to_string(), Kind::Mx);
        cache.keep(key(0), Reply::NullMx, Duration::ZERO, now);
        assert_eq!(cache.find(&key(0), now), None);
        let minute = Duration::from_secs(60);
        cache.keep(key(1), Reply::NullMx, minute, now);
        assert_eq!(cache.find(&key(1), now), Some(Reply::NullMx));
        assert_eq!(cache.find(&key(1), now + minute), None);
        let forever = Duration::from_secs(u32::MAX.into());
        cache.keep(key(2), Reply::NoName, forever, now);
        assert_eq!(cache.find(&key(2), now + limits::DNS_NO_KEPT), None);
        for n in 0..limits::DNS_CACHE * 2 {
            cache.keep(key(n), Reply::NullMx, minute, now);
            assert!(cache.0.len() <= limits::DNS_CACHE);
            assert!(cache.find(&key(n), now).is_some());
        }
    }
}
