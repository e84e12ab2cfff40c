//! Who follows sessions live: text in the format of [`Transcript::numbered`](crate::tap::transcript::Transcript::numbered), with
//! comments as in the files.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits;

/// All who follow. Cheap to clone: all clones are the same.
#[derive(Clone, Default)]
pub struct Feed(Arc<All>);

#[derive(Default)]
struct All {
    followers: Mutex<Vec<Arc<Queue>>>,
    /// How many there are, without the lock.
    count: AtomicUsize,
}

/// One who follows; no more once it is dropped.
pub struct Follower {
    feed: Feed,
    queue: Arc<Queue>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Waiting {
    text: String,
    /// Lines for which there was no room.
    lost: u64,
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Feed").finish_non_exhaustive()
    }
}

impl Feed {
    /// One more; `wake` is called when there is something for it that had nothing, and must not block.
    pub fn follow(&self, wake: Box<dyn Fn() + Send + Sync>) -> Follower {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            wake,
        });
        let mut followers = hold(&self.0.followers);
        followers.push(Arc::clone(&queue));
        self.0.count.store(followers.len(), Ordering::Relaxed);
        Follower {
            feed: self.clone(),
            queue,
        }
    }

    /// Whether there is anybody.
    pub fn is_followed(&self) -> bool {
        self.0.count.load(Ordering::Relaxed) > 0
    }

    /// Gives whole lines to all.
    pub(super) fn tell(&self, text: &str) {
        for queue in hold(&self.0.followers).iter() {
            let mut waiting = hold(&queue.waiting);
            if waiting.text.len() + text.len() > limits::FOLLOWER {
                waiting.lost += text.lines().count() as u64;
                continue;
            }
            let quiet = waiting.text.is_empty();
            waiting.text.push_str(text);
            drop(waiting);
            if quiet {
                (queue.wake)();
            }
        }
    }
}

impl Follower {
    /// What has come: whole lines, and how many of them had no room before those.
    pub fn take(&self) -> (String, u64) {
        let mut waiting = hold(&self.queue.waiting);
        (
            std::mem::take(&mut waiting.text),
            std::mem::take(&mut waiting.lost),
        )
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut followers = hold(&self.feed.0.followers);
        followers.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        self.feed.0.count.store(followers.len(), Ordering::Relaxed);
    }
}

/// No panic can leave these halfway changed.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
