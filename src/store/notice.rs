//! A thread that is told by the kernel when another program changes a mailbox that somebody sits in (IDLE), or an account of which
//! somebody is told (NOTIFY): one inotify for all of them.
//!
//! Of mailboxes with a [`Subscription`](super::Subscription) `new/` and `cur/` are watched; what comes of it is that its sessions
//! look. Of accounts with a [`Vigil`](super::Vigil) it is these of all folders (`account`), and the home for folders that come and
//! go and for `subscriptions`. Who has just subscribed is told once more when the watch stands, so that nothing is missed in between. Where the
//! kernel does not tell (no watches left, a network file system that others write to), changes are seen when a command is given.
//!
//! It is not the thread of `watch`, which reads files that may be long, and would keep the mailboxes waiting meanwhile.

mod account;

use std::collections::{BTreeSet, HashMap};
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
use super::vigil::Mark;
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
    WatchAccount(Arc<Path>),
    ForgetAccount(Arc<Path>),
}

/// What a watch is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// A mailbox that somebody sits in.
    Mailbox(u64),
    /// The home of an account.
    Home(Arc<Path>),
    /// A mailbox of an account, by name.
    Folder(Arc<Path>, Arc<str>),
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
            accounts: HashMap::new(),
            subjects: HashMap::new(),
            held: 0,
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

    /// Watches an account. Does not block.
    pub(super) fn watch_account(&self, home: Arc<Path>) {
        self.order(Order::WatchAccount(home));
    }

    /// Nobody is told of it any more. Does not block.
    pub(super) fn forget_account(&self, home: Arc<Path>) {
        self.order(Order::ForgetAccount(home));
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
    accounts: HashMap<Arc<Path>, account::Account>,
    /// What each watch is for: two may ask for the same directory, and the kernel has one watch for both.
    subjects: HashMap<i32, Vec<Subject>>,
    /// Watches for accounts.
    held: usize,
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
                let watches = self.watch_parts(&folder, &Subject::Mailbox(mailbox));
                self.watched.entry(mailbox).or_default().extend(watches);
                self.told.changed(mailbox);
            }
            Order::Forget(mailbox) => {
                for watch in self.watched.remove(&mailbox).unwrap_or_default() {
                    self.end(watch, &Subject::Mailbox(mailbox));
                }
            }
            Order::WatchAccount(home) => self.watch_account(home),
            Order::ForgetAccount(home) => self.forget_account(&home),
        }
    }

    /// Watches `new/` and `cur/` of a folder.
    fn watch_parts(&mut self, folder: &Path, subject: &Subject) -> Vec<i32> {
        let parts = ["new", "cur"].map(|part| folder.join(part));
        let watches = parts.iter().filter_map(|part| self.watch(part, subject));
        watches.collect()
    }

    fn watch(&mut self, directory: &Path, subject: &Subject) -> Option<i32> {
        match inotify::add_watch(&self.kernel, directory, CHANGES) {
            Ok(watch) => {
                let subjects = self.subjects.entry(watch).or_default();
                if !subjects.contains(subject) {
                    subjects.push(subject.clone());
                }
                Some(watch)
            }
            Err(rustix::io::Errno::NOENT) => None,
            Err(error) => {
                log::warn!("{directory:?}: what other programs do is only seen on use: {error}");
                None
            }
        }
    }

    /// A watch is no longer for `subject`.
    fn end(&mut self, watch: i32, subject: &Subject) {
        let Some(subjects) = self.subjects.get_mut(&watch) else {
            return;
        };
        subjects.retain(|known| known != subject);
        if subjects.is_empty() {
            self.subjects.remove(&watch);
            // It may be gone with its directory.
            let _ = inotify::remove_watch(&self.kernel, watch);
        }
    }

    fn tell(&mut self) {
        let mut changed = BTreeSet::new();
        let mut homes = Vec::new();
        let mut lost = false;
        self.read_events(&mut changed, &mut homes, &mut lost);
        if lost {
            let mailboxes = self.watched.keys().copied();
            changed.extend(mailboxes.map(Subject::Mailbox));
            for home in self.accounts.keys().cloned().collect::<Vec<_>>() {
                self.watch_account(home);
            }
        }
        for (home, event) in homes {
            self.home_changed(&home, event);
        }
        for subject in changed {
            match subject {
                Subject::Mailbox(number) => self.told.changed(number),
                Subject::Folder(home, name) => self
                    .told
                    .mark(&home, || Some(Mark::Mailbox(name.to_string()))),
                Subject::Home(_) => {}
            }
        }
    }

    /// Reads what there is: what changed, and what happened in homes; whether some was lost.
    fn read_events(
        &self,
        changed: &mut BTreeSet<Subject>,
        homes: &mut Vec<(Arc<Path>, account::Event)>,
        lost: &mut bool,
    ) {
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        let mut events = inotify::Reader::new(&self.kernel, &mut buffer);
        while let Ok(event) = events.next() {
            *lost |= event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW);
            for subject in self.subjects.get(&event.wd()).into_iter().flatten() {
                match subject {
                    Subject::Home(home) => {
                        homes.extend(
                            account::Event::of(&event).map(|event| (Arc::clone(home), event)),
                        );
                    }
                    other => {
                        changed.insert(other.clone());
                    }
                }
            }
        }
    }
}

/// What is a change of a directory's entries.
const CHANGES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::ONLYDIR);
