//! The time between two logins of one account (RFC 2449 §6.5): a mailbox that programs look at too often costs all others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits;

/// When who logged in last. One for all listeners of POP3; in bounded memory.
#[derive(Debug, Default)]
pub struct LoginDelay {
    /// None: no time has to pass.
    delay: Duration,
    last: Mutex<HashMap<Arc<str>, Instant>>,
}

impl LoginDelay {
    /// So much time has to pass.
    pub fn new(delay: Duration) -> Self {
        Self {
            delay,
            last: Mutex::default(),
        }
    }

    /// What has to pass, in seconds; `None` when nothing has to.
    pub(super) fn seconds(&self) -> Option<u64> {
        Some(self.delay.as_secs()).filter(|&seconds| seconds > 0)
    }

    /// `name` logs in now; else, in how many seconds it may. Only what goes well counts.
    pub(super) fn admit(&self, now: Instant, name: &Arc<str>) -> Result<(), u64> {
        if self.delay.is_zero() {
            return Ok(());
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = |then: &Instant| now.saturating_duration_since(*then);
        let since = last.get(name).map(passed);
        if let Some(left) = since.and_then(|since| self.delay.checked_sub(since))
            && !left.is_zero()
        {
            return Err(left.as_secs() + u64::from(left.subsec_nanos() > 0));
        }
        if last.len() >= limits::LOGIN_DELAY_ACCOUNTS {
            last.retain(|_, then| passed(then) < self.delay);
            if last.len() >= limits::LOGIN_DELAY_ACCOUNTS {
                last.clear();
            }
        }
        last.insert(Arc::clone(name), now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_waits_for_itself_only() {
        let delay = LoginDelay::new(Duration::from_secs(10));
        let now = Instant::now();
        let (alice, bob): (Arc<str>, Arc<str>) = ("alice".into(), "bob".into());
        let later = |millis| now + Duration::from_millis(millis);
        assert_eq!(delay.admit(now, &alice), Ok(()));
        assert_eq!(delay.admit(later(500), &alice), Err(10));
        assert_eq!(delay.admit(later(500), &bob), Ok(()));
        // What was refused does not count.
        assert_eq!(delay.admit(later(9_001), &alice), Err(1));
        assert_eq!(delay.admit(later(10_000), &alice), Ok(()));
        assert_eq!(LoginDelay::default().seconds(), None);
        assert_eq!(LoginDelay::default().admit(now, &alice), Ok(()));
        assert_eq!(LoginDelay::default().admit(now, &alice), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let delay = LoginDelay::new(Duration::from_secs(10));
        let now = Instant::now();
        for number in 0..2 * limits::LOGIN_DELAY_ACCOUNTS {
            let name: Arc<str> = number.to_string().into();
            assert_eq!(delay.admit(now, &name), Ok(()));
            let remembered = delay.last.lock().expect("not poisoned").len();
            assert!(remembered <= limits::LOGIN_DELAY_ACCOUNTS);
        }
    }
}
