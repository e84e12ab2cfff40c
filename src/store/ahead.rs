//! Reading ahead: messages that a command is about to read are opened beforehand by a few threads, so that a disk which has to be
//! asked for them is asked for several at once. Nothing is handed over: what they leave behind is the kernel's cache, warm.
//!
//! Whether a disk has to be asked shows in the time that loading a message takes. So as long as all is in memory nothing of this
//! happens; and it ends when the threads find in memory what they open, or when the command skips what was opened for it.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::fs::{Disk, hold};
use super::{Mailbox, StoreError};
use crate::limits;

/// What one command has had read ahead, in one mailbox, by ascending UID.
#[derive(Debug, Default)]
pub struct Ahead {
    /// Messages up to this UID were asked for.
    until: u32,
    /// At this one the next are.
    again: u32,
    /// How many are asked for next.
    window: usize,
    /// Of those asked for last, how many were loaded.
    used: usize,
    /// How often loading was slow of late.
    slow: u32,
    last: Option<Arc<Tally>>,
}

/// How it goes with messages that were asked for at once.
#[derive(Debug)]
struct Tally {
    asked: usize,
    done: AtomicUsize,
    /// Those for which the disk had to be asked.
    slow: AtomicUsize,
}

impl Ahead {
    /// Loads the message of this UID; `next` says which come after it, as far as is known, and is asked now and then.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn load<T>(
        &mut self,
        mailbox: &Mailbox,
        uid: u32,
        next: impl FnOnce(u32, usize) -> Vec<u32>,
        load: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let loaded = load();
        if uid > self.until {
            let was_slow = begun.elapsed() >= limits::SLOW_READ;
            self.slow = match was_slow {
                true => self.slow + 1,
                false => self.slow.saturating_sub(1),
            };
            if self.slow >= STRIKES {
                self.slow = 0;
                self.window = limits::AHEAD / 8;
                self.ask(mailbox, next(uid, self.window));
            }
            return loaded;
        }
        self.used += 1;
        if uid >= self.again {
            self.again = u32::MAX;
            let is_slow = self.last.as_ref().is_some_and(|last| last.is_slow());
            // Half of them have had their turn; it does not pay where half of those were skipped.
            if is_slow && self.used * 4 >= self.window {
                self.window = (self.window * 2).min(limits::AHEAD);
                self.ask(mailbox, next(self.until, self.window));
            }
        }
        loaded
    }

    fn ask(&mut self, mailbox: &Mailbox, uids: Vec<u32>) {
        let Some(&last) = uids.last() else { return };
        (self.until, self.used) = (last, 0);
        self.again = uids[uids.len() / 2];
        let tally = Arc::new(Tally {
            asked: uids.len(),
            done: AtomicUsize::new(0),
            slow: AtomicUsize::new(0),
        });
        self.last = Some(Arc::clone(&tally));
        let paths = mailbox.paths(&uids);
        mailbox
            .shared
            .scouts
            .send(&mailbox.shared.disk, &tally, paths);
    }
}

impl Tally {
    fn is_slow(&self) -> bool {
        let (done, slow) = (
            self.done.load(Ordering::Relaxed),
            self.slow.load(Ordering::Relaxed),
        );
        done * 2 < self.asked || slow * 8 >= done
    }
}

impl Mailbox {
    /// Where the files of these messages are, as far as is known.
    fn paths(&self, uids: &[u32]) -> Vec<PathBuf> {
        let Ok(place) = self.place() else {
            return Vec::new();
        };
        let mut state = hold(&self.state);
        if state.fill_in(&self.folder(&place)).is_err() {
            return Vec::new();
        }
        let at = uids.iter().filter_map(|&uid| state.position(uid));
        at.filter_map(|at| state.places.get(at))
            .map(|file| file.path(&place))
            .collect()
    }
}

/// The threads. They start when there is something to do, and end when there was nothing for a while.
#[derive(Debug, Default)]
pub(super) struct Scouts(Arc<Post>);

#[derive(Debug, Default)]
struct Post {
    orders: Mutex<Orders>,
    come: Condvar,
}

#[derive(Debug, Default)]
struct Orders {
    /// A few files each.
    waiting: VecDeque<(Arc<Tally>, Vec<PathBuf>)>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Scouts {
    /// Has files opened. What there are too many of stay undone.
    fn send(&self, disk: &Arc<dyn Disk>, tally: &Arc<Tally>, paths: Vec<PathBuf>) {
        let mut orders = hold(&self.0.orders);
        for some in paths.chunks(AT_ONCE) {
            if orders.waiting.len() >= limits::AHEAD {
                break;
            }
            orders.waiting.push_back((Arc::clone(tally), some.to_vec()));
        }
        while orders.threads < limits::SCOUTS && orders.waiting.len() > orders.idle {
            let (post, disk) = (Arc::clone(&self.0), Arc::clone(disk));
            let thread = std::thread::Builder::new()
                .name("ahead".to_owned())
                .stack_size(128 * 1024)
                .spawn(move || post.serve(&*disk));
            if let Err(error) = thread {
                log::debug!("nothing is read ahead: {error}");
                break;
            }
            orders.threads += 1;
            orders.idle += 1;
        }
        drop(orders);
        self.0.come.notify_all();
    }
}

impl Drop for Scouts {
    fn drop(&mut self) {
        let mut orders = hold(&self.0.orders);
        orders.closed = true;
        orders.waiting.clear();
        drop(orders);
        self.0.come.notify_all();
    }
}

impl Post {
    fn serve(&self, disk: &dyn Disk) {
        let mut orders = hold(&self.orders);
        loop {
            if let Some((tally, paths)) = orders.waiting.pop_front() {
                orders.idle = orders.idle.saturating_sub(1);
                drop(orders);
                for path in &paths {
                    let begun = Instant::now();
                    // Whoever reads it will be told what is wrong with it.
                    let opened: io::Result<()> = disk.read_ahead(path);
                    if opened.is_ok() && begun.elapsed() >= limits::SLOW_READ / 4 {
                        tally.slow.fetch_add(1, Ordering::Relaxed);
                    }
                    tally.done.fetch_add(1, Ordering::Relaxed);
                }
                orders = hold(&self.orders);
                orders.idle += 1;
                continue;
            }
            let waited = self
                .come
                .wait_timeout(orders, limits::SCOUT_IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            orders = waited.0;
            if orders.waiting.is_empty() && (orders.closed || waited.1.timed_out()) {
                orders.threads -= 1;
                orders.idle = orders.idle.saturating_sub(1);
                return;
            }
        }
    }
}

/// So many slow ones, more or less in a row, are no accident.
const STRIKES: u32 = 2;
/// Files that one thread takes at once.
const AT_ONCE: usize = 4;
