//! Who is told when a mailbox changes: the sessions that sit in it, woken by their tokens.
//!
//! It knows mailboxes by number and sessions by token, and what either is not. Nothing here blocks.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use super::Mailbox;
use super::fs::hold;

/// Who is told when a mailbox changes.
#[derive(Default)]
pub struct Hub {
    waker: OnceLock<Box<dyn Fn(u64) + Send + Sync>>,
    subscribers: Arc<Mutex<Subscribers>>,
}

/// Tokens by the number of the mailbox. A session may subscribe twice; each subscription ends by itself.
type Subscribers = HashMap<u64, Vec<u64>>;

impl Hub {
    /// Who wakes a session, given its token: set once by the reactor. Until then nobody is told.
    pub fn set_waker(&self, waker: Box<dyn Fn(u64) + Send + Sync>) {
        let _ = self.waker.set(waker);
    }
    /// From now on `token` is woken when `mailbox` changes, until the subscription is dropped.
    pub fn subscribe(&self, mailbox: &Arc<Mailbox>, token: u64) -> Subscription {
        let mailbox = mailbox.number();
        hold(&self.subscribers)
            .entry(mailbox)
            .or_default()
            .push(token);
        Subscription {
            subscribers: Arc::clone(&self.subscribers),
            mailbox,
            token,
        }
    }
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
}

impl fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hub")
            .field("subscribers", &self.subscribers)
            .finish_non_exhaustive()
    }
}

/// Ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    subscribers: Arc<Mutex<Subscribers>>,
    mailbox: u64,
    token: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut subscribers = hold(&self.subscribers);
        let Some(tokens) = subscribers.get_mut(&self.mailbox) else {
            return;
        };
        if let Some(at) = tokens.iter().position(|&token| token == self.token) {
            tokens.swap_remove(at);
        }
        if tokens.is_empty() {
            subscribers.remove(&self.mailbox);
        }
    }
}
