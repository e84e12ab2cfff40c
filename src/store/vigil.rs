//! Sessions that are told what happens in an account (NOTIFY): marks of what to look at, and who is woken.
//!
//! A mark says that something may have changed, never what it is now: the session looks, and knows what it told before. So marks
//! of the same thing become one, and what is remembered for a session that does not look stays small. Nothing here blocks.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::fs::hold;
use super::hub::Told;
use super::notice::Notices;
use crate::limits;

/// What may have changed since it was last asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Mailboxes whose messages changed, by name; not in order.
    pub mailboxes: Vec<String>,
    /// There are more of them than are worth remembering.
    pub all: bool,
    /// Mailboxes came, went, or were renamed.
    pub names: bool,
    /// Old names and new names, in the order in which it happened; those below a mailbox follow it.
    pub renamed: Vec<(String, String)>,
    /// Names were subscribed to, or are no longer.
    pub subscriptions: bool,
}

/// One thing that may have changed.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// The messages of a mailbox.
    Mailbox(String),
    /// Whatever there is.
    All,
    /// The names of mailboxes.
    Names,
    /// A mailbox is called otherwise: from, to.
    Renamed(String, String),
    /// The subscriptions.
    Subscriptions,
}

impl Marks {
    fn add(&mut self, mark: &Mark) {
        match mark {
            Mark::Mailbox(_) if self.all => {}
            Mark::Mailbox(name) if self.mailboxes.contains(name) => {}
            Mark::Mailbox(_) if self.mailboxes.len() >= limits::HUB_MARKS => self.all = true,
            Mark::Mailbox(name) => self.mailboxes.push(name.clone()),
            Mark::All => {
                self.all = true;
                self.names = true;
                self.subscriptions = true;
            }
            Mark::Names => self.names = true,
            Mark::Renamed(from, to) => {
                self.names = true;
                let known = self.renamed.iter().any(|(f, t)| f == from && t == to);
                // Without its old name a mailbox is told as a new one.
                if !known && self.renamed.len() < limits::HUB_MARKS {
                    self.renamed.push((from.clone(), to.clone()));
                }
            }
            Mark::Subscriptions => self.subscriptions = true,
        }
        if self.all {
            self.mailboxes = Vec::new();
        }
    }
}

/// Who is told of which account: by its home.
#[derive(Debug, Default)]
pub(super) struct Accounts(Mutex<HashMap<Arc<Path>, Vec<Watcher>>>);

#[derive(Debug)]
struct Watcher {
    token: u64,
    marks: Arc<Mutex<Marks>>,
}

impl Accounts {
    /// Adds a mark for all who are told of the account; returns whom to wake.
    pub(super) fn mark(&self, home: &Path, mark: impl FnOnce() -> Option<Mark>) -> Vec<u64> {
        let accounts = hold(&self.0);
        let Some(watchers) = accounts.get(home) else {
            return Vec::new();
        };
        let Some(mark) = mark() else {
            return Vec::new();
        };
        let tell = |watcher: &Watcher| {
            hold(&watcher.marks).add(&mark);
            watcher.token
        };
        watchers.iter().map(tell).collect()
    }

    /// Adds a mark for all who are told of any account; returns whom to wake.
    pub(super) fn mark_all(&self, mark: &Mark) -> Vec<u64> {
        let accounts = hold(&self.0);
        let tell = |watcher: &Watcher| {
            hold(&watcher.marks).add(mark);
            watcher.token
        };
        let mut tokens: Vec<u64> = accounts.values().flatten().map(tell).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    fn join(&self, home: &Arc<Path>, watcher: Watcher, notices: Option<&Notices>) {
        let mut accounts = hold(&self.0);
        let watchers = accounts.entry(Arc::clone(home)).or_default();
        watchers.push(watcher);
        if let ([_], Some(notices)) = (&watchers[..], notices) {
            notices.watch_account(Arc::clone(home));
        }
    }

    fn leave(&self, home: &Arc<Path>, marks: &Arc<Mutex<Marks>>, notices: Option<&Notices>) {
        let mut accounts = hold(&self.0);
        let Some(watchers) = accounts.get_mut(home) else {
            return;
        };
        watchers.retain(|watcher| !Arc::ptr_eq(&watcher.marks, marks));
        if watchers.is_empty() {
            accounts.remove(home);
            if let Some(notices) = notices {
                notices.forget_account(Arc::clone(home));
            }
        }
    }
}

/// A session is told what happens in an account, until this is dropped.
#[derive(Debug)]
pub struct Vigil {
    told: Arc<Told>,
    notices: Option<Arc<Notices>>,
    home: Arc<Path>,
    marks: Arc<Mutex<Marks>>,
}

impl Vigil {
    pub(super) fn begin(
        told: Arc<Told>,
        notices: Option<Arc<Notices>>,
        home: &Arc<Path>,
        token: u64,
    ) -> Self {
        let marks: Arc<Mutex<Marks>> = Arc::default();
        let watcher = Watcher {
            token,
            marks: Arc::clone(&marks),
        };
        told.accounts.join(home, watcher, notices.as_deref());
        Self {
            told,
            notices,
            home: Arc::clone(home),
            marks,
        }
    }

    /// What may have changed since this was last asked. Does not block.
    pub fn take(&self) -> Marks {
        std::mem::take(&mut *hold(&self.marks))
    }
}

impl Drop for Vigil {
    fn drop(&mut self) {
        let notices = self.notices.as_deref();
        self.told.accounts.leave(&self.home, &self.marks, notices);
    }
}
