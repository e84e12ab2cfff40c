//! What changes the messages of mailboxes: STORE, COPY and MOVE, EXPUNGE, APPEND and REPLACE, each run as a [`Work`] on a pool
//! thread. What promises that mail is kept ([`Appended`], [`Copied`]) holds the store's [`Durable`].
//!
//! [`Work`]: super::work::Work

use std::sync::Arc;

use crate::proto::imap::awareness::{Awareness, write_modseq};
use crate::proto::imap::flags::{Recent, may_change, system_flag, write_flags};
use crate::proto::imap::urls::{Fault, Named};
use crate::proto::imap::view::View;
use crate::store::{
    Account, Durable, Entry, FlagChange, Flags, Incoming, Index, Mailbox, Spool, Store, StoreError,
};
use crate::wire::imap::command::{Echo, Numbering, Originals, StoreAction};
use crate::wire::imap::response;
use crate::wire::imap::rights::Rights;
use crate::wire::imap::set::Ranges;

/// STORE.
pub struct StoreFlags {
    /// Where.
    pub mailbox: Arc<Mailbox>,
    /// The numbers.
    pub view: View,
    /// Which messages.
    pub uids: Ranges,
    /// Whether the responses hold UIDs.
    pub numbering: Numbering,
    /// What to do.
    pub action: StoreAction,
    /// Whether the new flags are told.
    pub echo: Echo,
    /// Names of flags, none of them `\Recent`.
    pub flags: Vec<String>,
    /// Messages that changed after this mod-sequence are left alone.
    pub unchanged_since: Option<u64>,
    /// Whether mod-sequences are told.
    pub aware: Awareness,
    /// What may be done in the mailbox.
    pub rights: Rights,
}

/// What STORE did.
#[derive(Debug)]
pub struct Stored {
    /// The responses.
    pub lines: Vec<u8>,
    /// What flags the client knows of now, and the mod-sequence if it was told it.
    pub known: Vec<(u32, Flags, u64)>,
    /// Those that were left alone: their numbers, or UIDs.
    pub modified: Ranges,
    /// What is in the mailbox now.
    pub keywords: KeywordRoom,
    /// Whether the client named messages that are no more.
    pub gone: bool,
}

/// Whether all keywords had room in the mailbox's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeywordRoom {
    /// They had.
    Enough,
    /// All places are taken: some were left out.
    Full,
}

/// COPY and MOVE.
pub struct Copy {
    /// Whose mailboxes.
    pub account: Account,
    /// From where.
    pub mailbox: Arc<Mailbox>,
    /// Which messages there, ascending.
    pub uids: Vec<u32>,
    /// Where to.
    pub to: String,
    /// Whether they stay.
    pub originals: Originals,
}

/// Messages that are in their new mailbox for good.
#[derive(Debug)]
pub struct Copied {
    /// Of the new mailbox.
    pub uid_validity: u32,
    /// Old and new UIDs.
    pub pairs: Vec<(u32, u32)>,
    /// The proof.
    pub durable: Durable,
    /// For MOVE: whether the originals went.
    pub removed: Result<(), StoreError>,
}

/// Why messages were not copied.
#[derive(Debug)]
pub enum CopyError {
    /// The target cannot be had.
    Target(StoreError),
    /// The copying failed.
    Copy(StoreError),
}

/// A part of APPEND's message.
pub struct Part {
    /// Whose mailbox.
    pub account: Account,
    /// Its name.
    pub mailbox: String,
    /// The mailbox, once it is known.
    pub opened: Option<Arc<Mailbox>>,
    /// Where the parts before went; `None` for the first of a message.
    pub spool: Option<Spool>,
    /// The text, with CRLF line ends.
    pub text: Vec<u8>,
    /// CATENATE: what comes after it.
    pub urls: Vec<Named>,
    /// So many octets may the message have.
    pub most: u64,
}

/// What APPEND says of its last message, and what came before it.
pub struct Finish {
    /// Whole messages, with the names of their flags.
    pub earlier: Vec<(Incoming, Vec<String>)>,
    /// Names of flags, none of them `\Recent`.
    pub flags: Vec<String>,
    /// INTERNALDATE, seconds since 1970.
    pub received: Option<i64>,
    /// REPLACE: where the message is that goes then, and its UID.
    pub replaces: Option<(Arc<Mailbox>, u32)>,
}

/// Messages that are in their mailbox for good.
#[derive(Debug)]
pub struct Appended {
    /// Of the mailbox.
    pub uid_validity: u32,
    /// Of the messages, ascending.
    pub uids: Vec<u32>,
    /// The proof.
    pub durable: Durable,
    /// For REPLACE: whether the old one went.
    pub removed: Result<(), StoreError>,
}

/// The flags of these names, as far as they `may` be changed. New keywords join the mailbox's list, but not to be removed from messages
/// that have none.
fn flags_named(
    mailbox: &Mailbox,
    names: &[String],
    action: StoreAction,
    may: Flags,
) -> Result<(Flags, KeywordRoom), StoreError> {
    let index = mailbox.sync()?;
    let mut flags = Flags::default();
    let mut room = KeywordRoom::Enough;
    for name in names {
        match system_flag(name) {
            Some(flag) => flags = flags.union(Flags(flag.0 & may.0)),
            None if !may.contains(Flags::DRAFT) => {}
            None if action == StoreAction::Remove => {
                flags = flags.union(index.keyword(name).unwrap_or_default());
            }
            None => match mailbox.keyword(name)? {
                Some(flag) => flags = flags.union(flag),
                None => room = KeywordRoom::Full,
            },
        }
    }
    Ok((flags, room))
}

impl StoreFlags {
    /// Stores.
    pub fn run(self) -> Result<Stored, StoreError> {
        let may = may_change(self.rights);
        let (flags, keywords) = flags_named(&self.mailbox, &self.flags, self.action, may)?;
        let change = match self.action {
            StoreAction::Replace if may == Flags(u32::MAX) => FlagChange::Replace,
            StoreAction::Replace => FlagChange::ReplaceAmong(may),
            StoreAction::Add => FlagChange::Add,
            StoreAction::Remove => FlagChange::Remove,
        };
        let uids: Vec<u32> = self
            .view
            .entries(&self.uids, 0)
            .map(|entry| entry.uid)
            .collect();
        let unless = self.unchanged_since.unwrap_or(u64::MAX);
        let (index, modified) = self
            .mailbox
            .change_flags_unless(&uids, change, flags, unless)?;
        if self.aware > Awareness::None {
            self.mailbox.settle()?;
        }
        let mut stored = Stored {
            lines: Vec::new(),
            known: Vec::with_capacity(uids.len()),
            keywords,
            modified: Ranges::default(),
            gone: self.view.has_ghost(&self.uids),
        };
        let mut now = index.messages.iter().peekable();
        for entry in self.view.entries(&self.uids, 0) {
            while now.next_if(|now| now.uid < entry.uid).is_some() {}
            let Some(now) = now.peek().filter(|now| now.uid == entry.uid) else {
                stored.gone = true;
                continue;
            };
            let was_modified = modified.contains(&now.uid);
            if was_modified && let Some(number) = self.number(now.uid) {
                stored.modified.push(number, number);
            }
            match self.echo {
                // RFC 7162 §3.1.3: what was left alone is told, so that the client need not ask.
                Echo::Tell => {
                    self.tell(&mut stored.lines, now, &index, Echoed::Flags);
                    stored.known.push((now.uid, now.flags, now.modseq));
                }
                Echo::Silent if was_modified => {
                    self.tell(&mut stored.lines, now, &index, Echoed::Flags);
                    stored.known.push((now.uid, now.flags, now.modseq));
                }
                // What another session changed at the same time is told in spite of .SILENT (RFC 3501 §6.4.6).
                Echo::Silent => {
                    let expected = match self.action {
                        StoreAction::Replace => entry.flags.without(may).union(flags),
                        StoreAction::Add => entry.flags.union(flags),
                        StoreAction::Remove => entry.flags.without(flags),
                    };
                    if self.aware > Awareness::None && now.flags == expected {
                        self.tell(&mut stored.lines, now, &index, Echoed::Modseq);
                        stored.known.push((now.uid, expected, now.modseq));
                    } else {
                        stored.known.push((now.uid, expected, 0));
                    }
                }
            }
        }
        Ok(stored)
    }

    /// As the command numbers messages.
    fn number(&self, uid: u32) -> Option<u32> {
        match self.numbering {
            Numbering::Sequence => self.view.number(uid),
            Numbering::Uid => Some(uid),
        }
    }

    fn tell(&self, out: &mut Vec<u8>, entry: &Entry, index: &Index, told: Echoed) {
        let modseq = (self.aware > Awareness::None).then_some(entry.modseq);
        let recent = if self.view.is_recent(entry.uid) {
            Recent::Yes
        } else {
            Recent::No
        };
        let with_uid = self.numbering == Numbering::Uid || self.aware == Awareness::Qresync;
        let uid = with_uid.then_some(entry.uid);
        let flags = (told == Echoed::Flags).then_some((entry.flags, recent));
        write_flags_response(out, &self.view, entry.uid, uid, flags, modseq, index);
    }
}

/// What STORE tells of a message, beside its mod-sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echoed {
    Flags,
    /// Nothing.
    Modseq,
}

/// Writes `* n FETCH (UID u FLAGS (...) MODSEQ (m))`, or as much of it as is given, if the client counts `message`. The UID is
/// told anyhow after UIDONLY.
pub fn write_flags_response(
    out: &mut Vec<u8>,
    view: &View,
    message: u32,
    uid: Option<u32>,
    flags: Option<(Flags, Recent)>,
    modseq: Option<u64>,
    index: &Index,
) {
    if !view.begin_fetch(out, message) {
        return;
    }
    if let Some(uid) = uid.filter(|_| !view.is_uid_only()) {
        out.extend_from_slice(b"UID ");
        response::number(out, uid.into());
        out.push(b' ');
    }
    if let Some((flags, recent)) = flags {
        out.extend_from_slice(b"FLAGS ");
        write_flags(out, flags, recent, index);
        out.push(b' ');
    }
    if let Some(modseq) = modseq {
        write_modseq(out, modseq);
    } else {
        out.pop();
    }
    out.extend_from_slice(b")\r\n");
}

impl Copy {
    /// Copies.
    pub fn run(self, store: &Store) -> Result<Option<Copied>, CopyError> {
        let (target, rights) = store
            .reach(&self.account, &self.to, Rights::INSERT)
            .map_err(CopyError::Target)?;
        if self.uids.is_empty() {
            return Ok(None);
        }
        let (pairs, durable) = self
            .mailbox
            .copy_with(&self.uids, &target, may_change(rights))
            .map_err(CopyError::Copy)?;
        let uid_validity = target.sync().map_err(CopyError::Copy)?.uid_validity;
        let removed = match self.originals {
            Originals::Stay => Ok(()),
            Originals::Go => self.mailbox.expunge(&self.uids).map(|_| ()),
        };
        Ok(Some(Copied {
            uid_validity,
            pairs,
            durable,
            removed,
        }))
    }
}

/// Removes the messages that are marked as deleted, of these UIDs or of all.
pub fn expunge(mailbox: &Mailbox, uids: Option<&Ranges>) -> Result<(), StoreError> {
    let index = mailbox.sync()?;
    let deleted: Vec<u32> = index
        .messages
        .iter()
        .filter(|entry| entry.flags.contains(Flags::DELETED))
        .map(|entry| entry.uid)
        .filter(|&uid| uids.is_none_or(|uids| uids.contains(uid)))
        .collect();
    if deleted.is_empty() {
        return Ok(());
    }
    mailbox.expunge(&deleted).map(|_| ())
}

impl Part {
    /// Writes it after those before.
    pub fn write(&mut self, store: &Store) -> Result<(Arc<Mailbox>, Spool), Fault> {
        let mailbox = match self.opened.take() {
            Some(mailbox) => mailbox,
            None => {
                let (mailbox, _) = store.reach(&self.account, &self.mailbox, Rights::INSERT)?;
                mailbox
            }
        };
        let mut spool = match self.spool.take() {
            Some(spool) => spool,
            None => mailbox.spool()?,
        };
        spool.append(&self.text)?;
        if spool.octets() > self.most {
            return Err(Fault::TooBig);
        }
        for named in &self.urls {
            named.append_to(&mut spool, self.most, &self.account, store)?;
        }
        Ok((mailbox, spool))
    }
}

/// Writes the last part, and puts the messages into their mailbox.
pub fn append(mut part: Part, finish: Finish, store: &Store) -> Result<Appended, Fault> {
    let (mailbox, spool) = part.write(store)?;
    // Also a message that came in parts is put in only by who still may.
    let rights = store.rights_now(&part.account, &part.mailbox);
    if !rights.contains(Rights::INSERT) {
        return Err(StoreError::NoPermission(Rights::INSERT).into());
    }
    let may = may_change(rights);
    let last = Incoming {
        spool,
        flags: Flags::default(),
        received: finish.received,
    };
    let all = finish.earlier.into_iter().chain([(last, finish.flags)]);
    let incoming = all
        .map(|(mut incoming, names)| {
            let (flags, _) = flags_named(&mailbox, &names, StoreAction::Add, may)?;
            incoming.flags = flags;
            Ok(incoming)
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let (uids, durable) = mailbox.append_all(incoming)?;
    let uid_validity = mailbox.sync()?.uid_validity;
    let removed = match finish.replaces {
        Some((mailbox, uid)) => mailbox.expunge(&[uid]).map(|_| ()),
        None => Ok(()),
    };
    Ok(Appended {
        uid_validity,
        uids,
        durable,
        removed,
    })
}
