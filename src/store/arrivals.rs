//! Messages that came in lately, for those who wait for one: what they are called, from whom to whom, and their text.
//!
//! A text is held open, so that whoever waited for a message can read it even when a client has fetched and deleted it by then, or it
//! has gone on to another server. Bounded: [`limits::ARRIVALS`] messages, of [`limits::ARRIVALS_OCTETS`] together.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Extent;
use super::fs::hold;
use crate::limits;

/// A message that was taken, durably.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Counts up from 1 while the program runs.
    pub number: u64,
    /// Milliseconds since 1970.
    pub moment: u64,
    /// What the server called it in its reply.
    pub id: String,
    /// Its reverse-path, empty for none.
    pub from: String,
    /// Its recipients, as the client named them.
    pub to: Vec<String>,
    /// With the trace lines at its beginning.
    pub text: Extent,
}

/// All of them.
#[derive(Default)]
pub struct Arrivals(Mutex<Held>);

#[derive(Default)]
struct Held {
    lately: VecDeque<Arc<Arrived>>,
    octets: u64,
    /// All that ever came.
    count: u64,
    /// Who is told, by a number of their own.
    told: HashMap<u64, Waker>,
    next: u64,
}

type Waker = Arc<dyn Fn(u64) + Send + Sync>;

impl fmt::Debug for Arrivals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Arrivals").finish_non_exhaustive()
    }
}

impl Arrivals {
    /// From now on `wake` is called after each message with how many there were, until the subscription is dropped. It must not block.
    pub fn subscribe(self: &Arc<Self>, wake: Arc<dyn Fn(u64) + Send + Sync>) -> Expecting {
        let mut held = hold(&self.0);
        let number = held.next;
        held.next += 1;
        held.told.insert(number, wake);
        Expecting {
            arrivals: Arc::clone(self),
            number,
        }
    }

    /// How many messages have come while the program runs.
    pub fn count(&self) -> u64 {
        hold(&self.0).count
    }

    /// Those that are still known of the ones behind `number`, in their order.
    pub fn after(&self, number: u64) -> Vec<Arc<Arrived>> {
        let held = hold(&self.0);
        let later = held.lately.iter().filter(|one| one.number > number);
        later.cloned().collect()
    }

    /// A message is durable.
    pub(super) fn note(&self, id: &str, from: String, to: Vec<String>, text: Extent) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let moment = since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        let mut arrived = Arrived {
            number: 0,
            moment,
            id: id.to_owned(),
            from,
            to,
            text,
        };
        let mut held = hold(&self.0);
        held.count += 1;
        arrived.number = held.count;
        held.octets += arrived.text.octets();
        held.lately.push_back(Arc::new(arrived));
        // The last one stays, however long it is.
        while held.lately.len() > limits::ARRIVALS
            || (held.octets > limits::ARRIVALS_OCTETS && held.lately.len() > 1)
        {
            if let Some(oldest) = held.lately.pop_front() {
                held.octets -= oldest.text.octets();
            }
        }
        let (told, count) = (held.told.values().cloned().collect::<Vec<_>>(), held.count);
        drop(held);
        for wake in told {
            wake(count);
        }
    }
}

/// Ends when dropped.
pub struct Expecting {
    arrivals: Arc<Arrivals>,
    number: u64,
}

impl Drop for Expecting {
    fn drop(&mut self) {
        hold(&self.arrivals.0).told.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn text(octets: u64) -> Extent {
        let file = tempfile::tempfile().expect("a file");
        Extent::new(Arc::new(file), 0, octets)
    }

    #[test]
    fn the_last_are_known_and_whoever_waits_is_told() {
        let arrivals = Arc::new(Arrivals::default());
        let told = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&told);
        let wake = move |number| count.store(number, Ordering::Relaxed);
        let expecting = arrivals.subscribe(Arc::new(wake));
        let note = |id, text| arrivals.note(id, String::new(), Vec::new(), text);
        note("A", text(1));
        note("B", text(limits::ARRIVALS_OCTETS));
        assert_eq!(told.load(Ordering::Relaxed), 2);
        let known = |after| -> Vec<String> {
            let known = arrivals.after(after);
            known.iter().map(|one| one.id.clone()).collect()
        };
        assert_eq!(known(0), ["B"], "A was too much beside it");
        drop(expecting);
        for _ in 0..=limits::ARRIVALS {
            note("C", text(1));
        }
        assert_eq!(told.load(Ordering::Relaxed), 2, "it does not wait any more");
        assert_eq!(known(0).len(), limits::ARRIVALS);
        assert_eq!(known(arrivals.count() - 1), ["C"]);
        assert!(known(arrivals.count()).is_empty());
    }
}
