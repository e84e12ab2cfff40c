//! A thread that is told by the kernel when another program changes a mailbox that somebody sits in (IDLE): one inotify for all
//! of them.
//!
//! Only mailboxes with a [`Subscription`](super::Subscription) are watched, `new/` and `cur/` of each; what comes of it is that its
//! sessions look. Who has just subscribed is told once more when the watch stands, so that nothing is missed in between. Where the
//! kernel does not tell (no watches left, a network file system that others write to), changes are seen when a command is given.
//!
//! It is not the thread of `watch`, which reads files that may be long, and would keep the mailboxes waiting meanwhile.

use std::collections::{HashMap, HashSet};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::fs::hold;
use super::hub::Told;
use crate::limits;

/// The thread; dropped, it ends.
#[derive(Debug)]
pub(super) struct Notices {
    orders: Arc<Mutex<Vec<Order>>>,
    /// An octet an order; closing it tells the thread to end.
    bell: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Watch(u64, Arc<Path>),
    Forget(u64),
}

impl Notices {
    /// Tells `told` of mailboxes by their numbers.
    pub(super) fn start(told: Arc<Told>) -> io::Result<Self> {
        let kernel = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let (heard, bell) = io::pipe()?;
        rustix::io::ioctl_fionbio(&heard, true)?;
        rustix::io::ioctl_fionbio(&bell, true)?;
        let orders = Arc::new(Mutex::new(Vec::new()));
        let mut watcher = Watcher {
            kernel,
            orders: Arc::clone(&orders),
            told,
            watched: HashMap::new(),
            mailboxes: HashMap::new(),
        };
        let thread = std::thread::Builder::new()
            .name("mailboxes".to_owned())
            .spawn(move || watcher.run(heard))?;
        Ok(Self {
            orders,
            bell: Some(bell),
            thread: Some(thread),
        })
    }

    /// Watches the folder of a mailbox. Does not block.
    pub(super) fn watch(&self, mailbox: u64, folder: Arc<Path>) {
        self.order(Order::Watch(mailbox, folder));
    }

    /// Nobody sits in it any more. Does not block.
    pub(super) fn forget(&self, mailbox: u64) {
        self.order(Order::Forget(mailbox));
    }

    fn order(&self, order: Order) {
        hold(&self.orders).push(order);
        if let Some(mut bell) = self.bell.as_ref() {
            // A full pipe has told already.
            let _ = bell.write(&[0]);
        }
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        self.bell = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}

struct Watcher {
    kernel: OwnedFd,
    orders: Arc<Mutex<Vec<Order>>>,
    told: Arc<Told>,
    /// Watches by mailbox.
    watched: HashMap<u64, Vec<i32>>,
    /// Mailboxes by watch.
    mailboxes: HashMap<i32, u64>,
}

impl Watcher {
    fn run(&mut self, mut heard: PipeReader) {
        loop {
            let mut ready = [
                PollFd::new(&self.kernel, PollFlags::IN),
                PollFd::new(&heard, PollFlags::IN),
            ];
            match poll(&mut ready, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    log::warn!("what other programs do to mailboxes is only seen on use: {error}");
                    return;
                }
            }
            let (changes, rings) = (
                !ready[0].revents().is_empty(),
                !ready[1].revents().is_empty(),
            );
            if rings {
                let mut octets = [0; 512];
                if matches!(heard.read(&mut octets), Ok(0)) {
                    return;
                }
                let orders = std::mem::take(&mut *hold(&self.orders));
                for order in orders {
                    self.obey(order);
                }
            }
            if changes {
                // Whoever changes one file may be about to change a thousand.
                std::thread::sleep(limits::NOTICE_PAUSE);
                self.tell();
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Watch(mailbox, folder) => {
                let changes = WatchFlags::CREATE
                    | WatchFlags::MOVED_TO
                    | WatchFlags::MOVED_FROM
                    | WatchFlags::DELETE
                    | WatchFlags::DELETE_SELF
                    | WatchFlags::ONLYDIR;
                for part in ["new", "cur"] {
                    match inotify::add_watch(&self.kernel, folder.join(part), changes) {
                        Ok(watch) => {
                            self.mailboxes.insert(watch, mailbox);
                            self.watched.entry(mailbox).or_default().push(watch);
                        }
                        Err(error) => {
                            log::warn!(
                                "{folder:?}: what other programs do is only seen on use: {error}"
                            );
                        }
                    }
                }
                self.told.changed(mailbox);
            }
            Order::Forget(mailbox) => {
                for watch in self.watched.remove(&mailbox).unwrap_or_default() {
                    self.mailboxes.remove(&watch);
                    // It may be gone with its directory.
                    let _ = inotify::remove_watch(&self.kernel, watch);
                }
            }
        }
    }

    fn tell(&self) {
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        let mut events = inotify::Reader::new(&self.kernel, &mut buffer);
        let mut changed = HashSet::new();
        while let Ok(event) = events.next() {
            if event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW) {
                changed.extend(self.watched.keys().copied());
            }
            changed.extend(self.mailboxes.get(&event.wd()).copied());
        }
        for mailbox in changed {
            self.told.changed(mailbox);
        }
    }
}
