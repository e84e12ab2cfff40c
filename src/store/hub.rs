//! Who is told when a mailbox changes: the sessions that sit in it, and those that are told of its account (`vigil`), woken by
//! their tokens.
//!
//! It knows mailboxes by number and sessions by token, and what either is not. Nothing here blocks.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use super::fs::hold;
use super::notice::Notices;
use super::vigil::{Accounts, Mark, Vigil};
use super::{Account, Mailbox};

/// Who is told when a mailbox changes.
#[derive(Debug, Default)]
pub struct Hub {
    told: Arc<Told>,
    /// Sees what other programs do to mailboxes that somebody sits in.
    notices: OnceLock<Arc<Notices>>,
}

/// Who sits where, and who wakes them.
#[derive(Default)]
pub(super) struct Told {
    waker: OnceLock<Box<dyn Fn(u64) + Send + Sync>>,
    subscribers: Mutex<Subscribers>,
    pub(super) accounts: Accounts,
}

/// Tokens by the number of the mailbox. A session may subscribe twice; each subscription ends by itself.
type Subscribers = HashMap<u64, Vec<u64>>;

impl Hub {
    /// Who wakes a session, given its token: set once by the reactor. Until then nobody is told.
    pub fn set_waker(&self, waker: Box<dyn Fn(u64) + Send + Sync>) {
        let _ = self.told.waker.set(waker);
    }
    /// From now on `token` is woken when `mailbox` changes, until the subscription is dropped.
    pub fn subscribe(&self, mailbox: &Arc<Mailbox>, token: u64) -> Subscription {
        let number = mailbox.number();
        let notices = self.notices.get().cloned();
        let mut subscribers = hold(&self.told.subscribers);
        let tokens = subscribers.entry(number).or_default();
        tokens.push(token);
        if let ([_], Some(notices), Ok(folder)) = (&tokens[..], &notices, mailbox.place()) {
            notices.watch(number, folder);
        }
        drop(subscribers);
        Subscription {
            told: Arc::clone(&self.told),
            notices,
            mailbox: number,
            token,
        }
    }
    /// From now on `token` is woken when anything happens in `account`, until the vigil is dropped. It is woken once more when the
    /// kernel has been asked to tell what other programs do.
    pub fn watch(&self, account: &Account, token: u64) -> Vigil {
        let told = Arc::clone(&self.told);
        Vigil::begin(told, self.notices.get().cloned(), &account.home, token)
    }
    /// Whoever is told of the account of `home` has something to look at. Nothing is made of it when there is nobody.
    pub(super) fn mark(&self, home: &Path, mark: impl FnOnce() -> Option<Mark>) {
        self.told.mark(home, mark);
    }
    /// The same, whoever is told of whichever account.
    pub(super) fn mark_everybody(&self, mark: &Mark) {
        let tokens = self.told.accounts.mark_all(mark);
        self.told.wake(tokens);
    }
    /// The same for what no mailbox is, and nobody else changes.
    pub(super) fn subscribe_to(&self, number: u64, token: u64) -> Subscription {
        let mut subscribers = hold(&self.told.subscribers);
        subscribers.entry(number).or_default().push(token);
        drop(subscribers);
        Subscription {
            told: Arc::clone(&self.told),
            notices: None,
            mailbox: number,
            token,
        }
    }
    /// What wakes the session of this token, for whoever has something for it that is no mailbox.
    pub fn waker(&self, token: u64) -> impl Fn() + Send + Sync + use<> {
        let told = Arc::clone(&self.told);
        move || {
            if let Some(waker) = told.waker.get() {
                waker(token);
            }
        }
    }
    /// From now on the kernel is asked what other programs do to the mailboxes that somebody sits in.
    pub(super) fn take_notice(&self) -> io::Result<()> {
        let notices = Notices::start(Arc::clone(&self.told))?;
        let _ = self.notices.set(Arc::new(notices));
        Ok(())
    }
    /// Wakes all who sit in the mailbox of this number.
    pub(super) fn changed(&self, mailbox: u64) {
        self.told.changed(mailbox);
    }
}

impl Told {
    /// Wakes all who sit in the mailbox of this number.
    pub(super) fn changed(&self, mailbox: u64) {
        let Some(waker) = self.waker.get() else {
            return;
        };
        let tokens = hold(&self.subscribers).get(&mailbox).cloned();
        for token in tokens.unwrap_or_default() {
            waker(token);
        }
    }

    /// Whoever is told of the account of `home` has something to look at.
    pub(super) fn mark(&self, home: &Path, mark: impl FnOnce() -> Option<Mark>) {
        self.wake(self.accounts.mark(home, mark));
    }

    fn wake(&self, tokens: Vec<u64>) {
        if let Some(waker) = self.waker.get() {
            for token in tokens {
                waker(token);
            }
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Told")
            .field("subscribers", &self.subscribers)
            .finish_non_exhaustive()
    }
}

/// Ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    told: Arc<Told>,
    notices: Option<Arc<Notices>>,
    mailbox: u64,
    token: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut subscribers = hold(&self.told.subscribers);
        let Some(tokens) = subscribers.get_mut(&self.mailbox) else {
            return;
        };
        if let Some(at) = tokens.iter().position(|&token| token == self.token) {
            tokens.swap_remove(at);
        }
        if tokens.is_empty() {
            subscribers.remove(&self.mailbox);
            if let Some(notices) = &self.notices {
                notices.forget(self.mailbox);
            }
        }
    }
}
