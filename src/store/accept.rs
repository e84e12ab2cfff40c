//! Taking responsibility for a message: into mailboxes here, or into the queue.
//!
//! | the recipients are | the message goes | one commit point |
//! |---|---|---|
//! | all in mailboxes here | into them, hard-linked, at once | each mailbox |
//! | in part elsewhere, or it is to be held, or its sender wants to be told that it is there | into the queue, once for all of them | the queue |
//!
//! Where one reply answers for all recipients (SMTP), a mailbox that fails after others succeeded must not make the client send again
//! to all: what failed goes into the queue, and the message is taken. Only when the queue fails too, what was delivered is taken back.
//! Where each recipient has its reply (LMTP), the failure is told instead.

use std::sync::Arc;

use super::directory::{Destination, Resolved, Rules, Whereabouts};
use super::queue::{Queue, QueueId};
use super::repeats::Fingerprint;
use super::spool::{Original, cannot_link, copy_file};
use super::{Account, Durable, Extent, Spool, Store, StoreError};
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
        match self.directory.whereabouts(address) {
            Whereabouts::Mailboxes(accounts) => match &accounts[..] {
                [only] if self.shared.quotas.is_full(&only.home) => Whereabouts::Full(only.clone()),
                _ => Whereabouts::Mailboxes(accounts),
            },
            other => other,
        }
    }

    /// A new file to take a message with this envelope, where it can be delivered from without copying. It begins with the
    /// lines that delivery adds (Return-Path, and Delivered-To when there is one recipient: RFC 5321 §4.4, §7.2), which are not
    /// passed on to others. Blocks.
    pub fn draft(&self, envelope: &Envelope, replies: Replies) -> Result<Spool, StoreError> {
        self.directory.refresh();
        let resolved = self.directory.resolve(envelope.clone());
        self.draft_for(&resolved, envelope, replies)
    }

    fn draft_for(
        &self,
        resolved: &Resolved,
        envelope: &Envelope,
        replies: Replies,
    ) -> Result<Spool, StoreError> {
        let mut spool = match first_mailbox(resolved) {
            Some(first)
                if !is_for_the_queue(resolved, envelope) && self.have_one_owner(resolved) =>
            {
                let mut spool = self.spool(first)?;
                spool.preface(envelope)?;
                spool
            }
            _ => self.queue.draft(envelope)?,
        };
        spool.replies = replies;
        if replies == Replies::Each {
            spool.fingerprint = Some(Box::new(Fingerprint::new(&self.hashing)));
        }
        Ok(spool)
    }

    /// Whether the mailboxes belong to one. A message for several owners is never kept at one of them, who could change it before the
    /// others have it.
    fn have_one_owner(&self, resolved: &Resolved) -> bool {
        let Some(owners) = self.users().owners() else {
            return true;
        };
        let mut owners = resolved
            .finals
            .iter()
            .filter_map(|one| match &one.destination {
                Destination::Here(account) => Some(owners.of(&account.home)),
                _ => None,
            });
        let first = owners.next();
        owners.all(|owner| Some(owner) == first)
    }

    /// Takes a whole message: for mailboxes here, into them; as soon as one recipient is elsewhere, or it is to be held, or its sender
    /// asked for a report of success, which is the queue's to make, into the queue, once for all of its recipients. One result for each recipient, in their order. `id` is what it is called in the reply
    /// and in the queue. Blocks.
    pub fn accept(
        &self,
        spool: Spool,
        envelope: Envelope,
        id: &str,
    ) -> Vec<Result<Durable, StoreError>> {
        let resolved = self.directory.resolve(envelope.clone());
        self.accept_resolved(spool, resolved, &envelope, id)
    }

    /// [`Self::draft`], one [`Spool::append`] and [`Self::accept`], for a message that is short: its addresses are looked up once. Blocks.
    pub fn accept_whole(
        &self,
        envelope: &Envelope,
        replies: Replies,
        text: &[u8],
        id: &str,
    ) -> Vec<Result<Durable, StoreError>> {
        self.directory.refresh();
        let resolved = self.directory.resolve(envelope.clone());
        let spool = self.draft_for(&resolved, envelope, replies);
        let spool = spool.and_then(|mut spool| spool.append(text).map(|()| spool));
        match spool {
            Ok(spool) => self.accept_resolved(spool, resolved, envelope, id),
            Err(error) => to_all(envelope, &error),
        }
    }

    fn accept_resolved(
        &self,
        mut spool: Spool,
        resolved: Resolved,
        envelope: &Envelope,
        id: &str,
    ) -> Vec<Result<Durable, StoreError>> {
        if let Err(error) = spool.complete(None) {
            return to_all(envelope, &error.into());
        }
        let queued = goes_by_queue(envelope);
        let from = envelope.reverse_path.as_ref();
        let from = from.map_or_else(String::new, ToString::to_string);
        let to: Vec<String> = envelope
            .recipients
            .iter()
            .map(|recipient| recipient.address.to_string())
            .collect();
        let nobody = || Some(Err(StoreError::NoSuchMailbox));
        let mut outcomes: Vec<_> = resolved.finals.iter().map(|_| None).collect();
        let one = spool.replies == Replies::One;
        let elsewhere =
            |index: &usize| resolved.finals[*index].destination == Destination::Elsewhere;
        let all: Vec<usize> = (0..resolved.finals.len()).collect();
        let (later, here): (Vec<usize>, Vec<usize>) =
            if queued || (one && all.iter().any(elsewhere)) {
                (all, Vec::new())
            } else {
                all.into_iter().partition(elsewhere)
            };
        for &index in &here {
            // Its account has gone since it was named; beside others it is queued, and reported.
            if resolved.finals[index].destination == Destination::Nobody {
                outcomes[index] = nobody();
            }
        }
        self.deliver_here(
            &mut spool,
            &resolved,
            &here,
            later.is_empty(),
            &mut outcomes,
        );
        let failed = failed_beside_others(&resolved, one, &outcomes);
        let rest: Vec<usize> = later.iter().chain(&failed).copied().collect();
        if !rest.is_empty() {
            let envelope = resolved.envelope_of(|index| rest.contains(&index));
            let taken = self.queue.put(&mut spool, envelope, id);
            let taken = taken.map(|(_, durable)| durable);
            if taken.is_err() && one && !failed.is_empty() {
                self.take_back(&spool, &resolved, &mut outcomes);
            }
            for index in rest {
                outcomes[index] = Some(match &taken {
                    Ok(durable) => Ok(durable.again()),
                    Err(error) => Err(error.again()),
                });
            }
        }
        let results: Vec<_> = resolved
            .members
            .iter()
            .map(|members| sum(members, &outcomes))
            .collect();
        let mut good = results.iter().map(Result::is_ok);
        let is_taken = if one {
            good.all(|good| good)
        } else {
            good.any(|good| good)
        };
        if is_taken {
            let text = Extent::new(Arc::clone(&spool.file), 0, spool.octets());
            self.arrivals.note(id, from, to, text);
        }
        results
    }

    /// Delivers a queued message to those of its recipients that are here (`indices`: their places in the envelope), without
    /// looking at aliases again; what was delivered before a crash is not delivered twice. The caller then records the outcome.
    /// Blocks.
    ///
    /// # Errors
    /// For each: `NoSuchMailbox` when the mailbox is gone, `OverQuota`, `Full`, the disk's.
    pub fn deliver_queued(
        &self,
        id: &QueueId,
        indices: &[usize],
    ) -> Vec<Result<Durable, StoreError>> {
        self.directory.refresh();
        let deliver = |index: &usize| {
            let queued = self.queue.load(id)?;
            let recipient = queued
                .envelope
                .recipients
                .get(*index)
                .ok_or(StoreError::NoSuchMessage)?;
            let account = self
                .directory
                .mailbox(&recipient.address)
                .ok_or(StoreError::NoSuchMailbox)?;
            // The same name whenever it is tried: what is there already is not delivered again.
            let octets = queued.preface + queued.octets;
            let host = super::names::host();
            let name = format!("{}.M0Q0I{id}.{host},S={octets},W={octets}", queued.arrival);
            self.deliver_link(id, &account, &name, octets)
        };
        indices.iter().map(deliver).collect()
    }

    /// Whether a recipient of a queued message is in a mailbox here. Does not block.
    pub fn is_here(&self, address: &Address) -> bool {
        self.directory.is_here(address)
    }

    /// Whether the mailboxes are on a server behind this one ([`Rules::behind`](super::Rules::behind)).
    pub fn is_behind(&self) -> bool {
        self.directory.is_behind()
    }

    /// The messages that are on their way elsewhere.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// How addresses are understood here. Does not block.
    pub fn rules(&self) -> &Rules {
        &self.directory.rules
    }

    /// Reads users and aliases again. After an error what could not be read is what it was. Blocks.
    pub fn reload(&self) -> std::io::Result<()> {
        self.directory.reload()
    }

    fn deliver_here(
        &self,
        spool: &mut Spool,
        resolved: &Resolved,
        here: &[usize],
        all: bool,
        outcomes: &mut [Option<Result<Durable, StoreError>>],
    ) {
        let account = |index: usize| match &resolved.finals[index].destination {
            Destination::Here(account) => Some(account),
            _ => None,
        };
        let reverse_path = resolved.reverse_path();
        let key = |spool: &Spool, account: &Account| {
            spool.fingerprint.as_ref()?.key(reverse_path, &account.home)
        };
        let mut to = Vec::new();
        for &index in here {
            let Some(account) = account(index) else {
                continue;
            };
            if key(spool, account).is_some_and(|key| self.repeats.has(key)) {
                log::info!(
                    "a message for {} that was delivered before came again",
                    account.name
                );
                outcomes[index] = Some(Ok(self.shared.commits.synced()));
            } else {
                to.push((index, account.clone()));
            }
        }
        let accounts: Vec<Account> = to.iter().map(|(_, account)| account.clone()).collect();
        // With one mailbox nothing is left over that would have to be queued.
        let original = if all && accounts.len() == 1 {
            Original::Moves
        } else {
            Original::Stays
        };
        let delivered = self.deliver_from(spool, &accounts, original);
        for ((index, account), outcome) in to.into_iter().zip(delivered) {
            if outcome.is_ok()
                && let Some(key) = key(spool, &account)
            {
                self.repeats.note(key);
            }
            outcomes[index] = Some(outcome);
        }
    }

    /// The client will be told that nothing was taken, and sends it again.
    fn take_back(
        &self,
        spool: &Spool,
        resolved: &Resolved,
        outcomes: &mut [Option<Result<Durable, StoreError>>],
    ) {
        for (one, outcome) in resolved.finals.iter().zip(outcomes) {
            let Destination::Here(account) = &one.destination else {
                continue;
            };
            if matches!(outcome, Some(Ok(_))) {
                // Who has seen it already has it twice in the end: SMTP knows no better.
                let _ = self
                    .shared
                    .disk
                    .unlink(&account.home.join("new").join(spool.name()));
                self.shared.quotas.change(
                    &*self.shared.disk,
                    &account.home,
                    -spool.octets().cast_signed(),
                    -1,
                );
                *outcome = Some(Err(StoreError::Busy));
            }
        }
    }

    /// Hard-links a queued message into an INBOX.
    fn deliver_link(
        &self,
        id: &QueueId,
        account: &Account,
        name: &str,
        octets: u64,
    ) -> Result<Durable, StoreError> {
        let disk = &*self.shared.disk;
        self.shared.ready_account(&account.home)?;
        if self.queue.is_recovered(id) {
            let seen = disk.list(&account.home.join("cur"))?;
            if seen.iter().any(|seen| super::names::base(seen) == name) {
                disk.sync_directory(&account.home.join("cur"))?;
                return Ok(self.shared.commits.synced());
            }
        }
        let path = account.home.join("new").join(name);
        self.shared.quotas.admit(disk, &account.home, octets, 1)?;
        let text = self.queue.text_path(id);
        let linked = match disk.link(&text, &path) {
            Err(error) if cannot_link(&error) => {
                let draft = account.home.join("tmp").join(name);
                // A copy that a crash has cut short.
                let _ = disk.unlink(&draft);
                copy_file(disk, &text, &draft, None).and_then(|()| disk.rename(&draft, &path))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.shared.forget_ready(&account.home);
                self.shared.ready_account(&account.home)?;
                disk.link(&text, &path)
            }
            linked => linked,
        };
        let is_new = match linked {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error.into()),
        };
        let durable = self.settle(account, name)?;
        if is_new {
            self.shared
                .quotas
                .change(disk, &account.home, octets.cast_signed(), 1);
        }
        self.directory.has_delivered(account);
        Ok(durable)
    }
}

/// Whether a message goes by way of the queue even to mailboxes here: one that was to be held, too, if its time has just come.
fn goes_by_queue(envelope: &Envelope) -> bool {
    envelope.options.hold_until.is_some() || envelope.wants_receipt()
}

/// The same for each recipient.
fn to_all(envelope: &Envelope, error: &StoreError) -> Vec<Result<Durable, StoreError>> {
    let recipients = envelope.recipients.iter();
    recipients.map(|_| Err(error.again())).collect()
}

fn is_for_the_queue(resolved: &Resolved, envelope: &Envelope) -> bool {
    let elsewhere = |one: &super::directory::Final| one.destination == Destination::Elsewhere;
    goes_by_queue(envelope) || resolved.finals.iter().any(elsewhere)
}

fn first_mailbox(resolved: &Resolved) -> Option<&Account> {
    resolved
        .finals
        .iter()
        .find_map(|one| match &one.destination {
            Destination::Here(account) => Some(account),
            _ => None,
        })
}

/// Those that failed while another of the same reply succeeded: they go into the queue.
fn failed_beside_others(
    resolved: &Resolved,
    one: bool,
    outcomes: &[Option<Result<Durable, StoreError>>],
) -> Vec<usize> {
    let everything: Vec<usize> = (0..outcomes.len()).collect();
    let groups: Vec<&[usize]> = if one {
        vec![&everything]
    } else {
        resolved.members.iter().map(Vec::as_slice).collect()
    };
    let mut failed = Vec::new();
    for group in groups {
        let succeeded = group
            .iter()
            .any(|&index| matches!(outcomes[index], Some(Ok(_))));
        for &index in group {
            let is_error = matches!(&outcomes[index], Some(Err(_)));
            if succeeded && is_error && !failed.contains(&index) {
                failed.push(index);
            }
        }
    }
    failed
}

/// What is told of a recipient that stands for several.
fn sum(
    members: &[usize],
    outcomes: &[Option<Result<Durable, StoreError>>],
) -> Result<Durable, StoreError> {
    let mut all = None;
    for &member in members {
        match &outcomes[member] {
            Some(Ok(durable)) => all = Some(durable.again()),
            Some(Err(error)) => return Err(error.again()),
            None => {}
        }
    }
    all.ok_or(StoreError::NoSuchMailbox)
}
