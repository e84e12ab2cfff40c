//! Taking responsibility for a message: into mailboxes here, or into the queue.

use super::directory::Whereabouts;
use super::{Account, Durable, Queue, Spool, Store, StoreError};
use crate::wire::address::Address;
use crate::wire::envelope::Envelope;

/// How many replies the one who hands in a message gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replies {
    /// One for all recipients (SMTP): what fails for some of them only is tried again from the queue.
    #[default]
    One,
    /// One for each of them (LMTP): a failure is told, and a message that was sent again is not delivered twice.
    Each,
}

impl Store {
    /// What becomes of an address. Without a domain it is in the first one. Does not block.
    pub fn whereabouts(&self, address: &Address) -> Whereabouts {
        let users = self.users();
        if address
            .domain()
            .is_some_and(|domain| !users.is_local(domain))
        {
            return Whereabouts::Elsewhere;
        }
        match users.find(address.local_part(), address.domain()) {
            Some(account) => Whereabouts::Mailboxes(vec![account]),
            None => Whereabouts::Unknown,
        }
    }

    /// A new file to take a message with this envelope, where it can be delivered from without copying. It begins with the
    /// lines that delivery adds (Return-Path, Delivered-To: RFC 5321 §4.4), which are not passed on to others. Blocks.
    pub fn draft(&self, envelope: &Envelope, _replies: Replies) -> Result<Spool, StoreError> {
        let accounts = envelope.recipients.iter().flat_map(|recipient| {
            match self.whereabouts(&recipient.address) {
                Whereabouts::Mailboxes(accounts) => accounts,
                _ => Vec::new(),
            }
        });
        let first = accounts.into_iter().next();
        self.spool(&first.ok_or(StoreError::NoSuchMailbox)?)
    }

    /// Takes a whole message: for mailboxes here, into them; as soon as one recipient is elsewhere, or it is to be held, into the queue,
    /// once for all of its recipients. One result for each recipient, in their order. `id` is what it is called in the reply and in the queue.
    /// Blocks.
    pub fn accept(
        &self,
        spool: Spool,
        envelope: Envelope,
        _id: &str,
    ) -> Vec<Result<Durable, StoreError>> {
        let accounts: Vec<Account> = envelope
            .recipients
            .iter()
            .filter_map(|recipient| match self.whereabouts(&recipient.address) {
                Whereabouts::Mailboxes(accounts) => accounts.into_iter().next(),
                _ => None,
            })
            .collect();
        if accounts.len() < envelope.recipients.len() {
            let refused = |_| Err(StoreError::NoSuchMailbox);
            return envelope.recipients.iter().map(refused).collect();
        }
        self.deliver(spool, &accounts)
    }

    /// Delivers a queued message to those of its recipients that are here (`index`: their places in the envelope), without looking at
    /// aliases again; what was delivered before a crash is not delivered twice. The caller then records the outcome. Blocks.
    ///
    /// # Errors
    /// For each: `NoSuchMailbox` when the mailbox is gone, `OverQuota`, `Full`, the disk's.
    pub fn deliver_queued(
        &self,
        _id: &super::QueueId,
        index: &[usize],
    ) -> Vec<Result<Durable, StoreError>> {
        index
            .iter()
            .map(|_| Err(StoreError::NoSuchMessage))
            .collect()
    }

    /// Whether a recipient of a queued message is in a mailbox here. Does not block.
    pub fn is_here(&self, address: &Address) -> bool {
        address
            .domain()
            .is_none_or(|domain| self.users().is_local(domain))
    }

    /// The messages that are on their way elsewhere.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }
}
