//! The slow work of an IMAP session: each item of [`Work`] runs on a pool thread and brings an [`Outcome`].
//!
//! Responses that can be long are written here, not in the event loop. What promises that mail is kept ([`Appended`],
//! [`Copied`]) holds the store's [`Durable`].

use std::sync::Arc;

use crate::proto::imap::acl::Acl;
use crate::proto::imap::awareness::{Awareness, write_modseq};
use crate::proto::imap::fetch::{self, Fetch};
use crate::proto::imap::flags::{Recent, may_change, system_flag, write_flags};
use crate::proto::imap::list::{self, List};
use crate::proto::imap::metadata::{GetNotes, SetNotes, Values};
use crate::proto::imap::multisearch::{Multisearch, Multisearched};
use crate::proto::imap::notify::{Survey, Surveyed};
use crate::proto::imap::quota::Quota;
use crate::proto::imap::search::{Found, Search};
use crate::proto::imap::status::{Status, unseen};
use crate::proto::imap::urls::{Fault, Named, UrlWork, UrlsDone};
use crate::proto::imap::view::View;
use crate::store::{
    Account, Durable, Entry, FlagChange, Flags, Incoming, Index, Mailbox, Outline, Spool, Store,
    StoreError, Told,
};
use crate::wire::imap::command::{Access, Echo, Numbering, Originals, StoreAction};
use crate::wire::imap::response;
use crate::wire::imap::rights::Rights;
use crate::wire::imap::set::Ranges;
use crate::wire::sasl::{Credentials, Question};

/// What is to be done.
pub enum Work {
    /// Only look at what is new.
    Nothing,
    /// Is this the password? Hashing takes milliseconds.
    Login(Login),
    /// LIST, LSUB
    List(List),
    /// CREATE
    Create(Account, String, Vec<String>),
    /// DELETE and its like
    Manage(Account, Manage),
    /// STATUS
    Status(Status),
    /// GETQUOTA, GETQUOTAROOT
    Quota(Quota),
    /// SETACL and its like
    Acl(Acl),
    /// GETMETADATA
    Notes(GetNotes),
    /// SETMETADATA
    Note(SetNotes),
    /// SELECT, EXAMINE
    Select(Account, String, Access),
    /// What is in a mailbox of which only the outline is known.
    Fill(Arc<Mailbox>, Box<Outline>),
    /// FETCH
    Fetch(Box<Fetch>),
    /// SEARCH
    Search(Box<Search>),
    /// ESEARCH in other mailboxes
    Multisearch(Box<Multisearch>),
    /// NOTIFY
    Survey(Box<Survey>),
    /// STORE
    Store(Box<StoreFlags>),
    /// COPY, MOVE
    Copy(Box<Copy>),
    /// EXPUNGE, and CLOSE: of these UIDs, or of all.
    Expunge(Arc<Mailbox>, Option<Ranges>),
    /// GENURLAUTH, URLFETCH, RESETKEY
    Urls(UrlWork),
    /// A part of APPEND's message, which goes on.
    Append(Box<Part>),
    /// The last part of APPEND's message.
    AppendLast(Box<Part>, Finish),
}

/// What a login asks.
pub enum Login {
    /// Is this the password?
    Verify(Credentials),
    /// What is asked where it is not a password.
    Ask(Question),
}

/// What to do with a mailbox's name.
pub enum Manage {
    /// DELETE
    Delete(String),
    /// RENAME
    Rename(String, String),
    /// SUBSCRIBE
    Subscribe(String),
    /// UNSUBSCRIBE
    Unsubscribe(String),
}

/// What the work brought.
#[derive(Debug)]
pub enum Outcome {
    /// Of [`Work::Nothing`].
    Nothing,
    /// Of [`Work::Login`].
    Told(Told),
    /// The right to do it was just taken away: it was not done.
    Revoked,
    /// Of [`Work::Notes`].
    Values(Result<Values, StoreError>),
    /// Of [`Work::List`], [`Work::Status`], [`Work::Quota`] and [`Work::Acl`]: responses.
    Lines(Result<Vec<u8>, StoreError>),
    /// Of [`Work::Create`]: the object id of the new mailbox.
    Created(Result<String, StoreError>),
    /// Of [`Work::Manage`], [`Work::Note`] and [`Work::Expunge`].
    Done(Result<(), StoreError>),
    /// Of [`Work::Select`].
    Selected(Result<Box<Opened>, StoreError>),
    /// Of [`Work::Fill`]; `None`: it is not what it was.
    Filled(Result<Option<Arc<Index>>, StoreError>),
    /// Of [`Work::Fetch`].
    Fetched(Result<fetch::Block, StoreError>),
    /// Of [`Work::Search`].
    Found(Result<Found, StoreError>),
    /// Of [`Work::Multisearch`].
    Multisearched(Result<Multisearched, StoreError>),
    /// Of [`Work::Survey`].
    Surveyed(Result<Surveyed, StoreError>),
    /// Of [`Work::Store`].
    Stored(Result<Stored, StoreError>),
    /// Of [`Work::Copy`]; `None` when there was nothing to copy.
    Copied(Result<Option<Copied>, CopyError>),
    /// Of [`Work::Append`]; the emptied buffer comes back to be filled again.
    Appending(Result<(Arc<Mailbox>, Spool), Fault>, Vec<u8>),
    /// Of [`Work::AppendLast`].
    Appended(Result<Appended, Fault>),
    /// Of [`Work::Urls`].
    Urls(Result<UrlsDone, Fault>),
}

impl Outcome {
    /// Whether the command is at its end, and not this job only.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Fetched(Ok(block)) => block.rest.is_none(),
            Self::Found(Ok(found)) => found.rest.is_none(),
            Self::Multisearched(Ok(found)) => found.rest.is_none(),
            Self::Appending(..) => false,
            Self::Urls(Ok(done)) => done.rest.is_empty(),
            _ => true,
        }
    }
}

/// A selected mailbox.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Which.
    pub mailbox: Arc<Mailbox>,
    /// Whether it may be changed, and recent messages claimed.
    pub access: Access,
    /// Whether its mod-sequences are told.
    pub aware: Awareness,
    /// What may be done there, as it was last looked at.
    pub rights: Rights,
    /// Who is there, by which name, where the mailbox is somebody else's: rights can be taken away at any time.
    pub guest: Option<Arc<(Account, String)>>,
}

/// What there is in a mailbox now.
#[derive(Debug)]
pub struct News {
    /// All of it.
    pub index: Arc<Index>,
    /// Messages that are recent in this session: new ones that it is the first to be told of, or, where it may not claim
    /// them, all that nobody claimed yet.
    pub recent: Vec<u32>,
    /// What may be done there.
    pub rights: Rights,
}

impl Watched {
    /// Looks what may be done there now; returns whether any right was lost.
    pub fn renew_rights(&mut self, store: &Store) -> bool {
        let Some(guest) = &self.guest else {
            return false;
        };
        let before = std::mem::replace(&mut self.rights, store.rights_now(&guest.0, &guest.1));
        !before.without(self.rights).is_empty()
    }

    /// Looks.
    pub fn news(&self) -> Result<News, StoreError> {
        if !self.rights.contains(Rights::READ) {
            return Err(StoreError::NoSuchMailbox);
        }
        let index = self.mailbox.sync()?;
        if self.aware > Awareness::None {
            self.mailbox.settle()?;
        }
        let recent = match self.access {
            Access::ReadWrite => self.mailbox.claim_recent(),
            // RFC 3501 §6.3.2: EXAMINE takes \Recent from nobody.
            Access::ReadOnly => self.mailbox.recent(),
        };
        Ok(News {
            index,
            recent,
            rights: self.rights,
        })
    }
}

/// A mailbox that was just opened.
#[derive(Debug)]
pub struct Opened {
    /// Which.
    pub watched: Watched,
    /// Its name, as the client spelt it.
    pub name: String,
    /// What is in it; without the messages as long as there is an outline.
    pub index: Arc<Index>,
    /// How many messages there are.
    pub exists: usize,
    /// The first that is not `\Seen`, counted from 1.
    pub unseen: Option<u32>,
    /// What has to be filled in.
    pub outline: Option<Box<Outline>>,
    /// The messages that are recent in this session.
    pub recent: Vec<u32>,
    /// Whether mod-sequences may be told: they are on disk.
    pub settled: bool,
    /// RFC 8474 §4.2
    pub object_id: String,
}

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

impl Work {
    /// Does it.
    pub fn run(self, store: &Store) -> Outcome {
        match self {
            Self::Nothing => Outcome::Nothing,
            Self::Login(Login::Verify(credentials)) => {
                Outcome::Told(Told::Verdict(store.users().verify(&credentials)))
            }
            Self::Login(Login::Ask(question)) => Outcome::Told(store.users().tell(&question)),
            Self::List(list) => Outcome::Lines(list::run(&list, store)),
            Self::Create(account, name, uses) => {
                Outcome::Created(create(store, &account, &name, &uses))
            }
            Self::Manage(account, manage) => Outcome::Done(manage.run(store, &account)),
            Self::Status(status) => Outcome::Lines(status.run(store)),
            Self::Quota(quota) => Outcome::Lines(quota.run(store)),
            Self::Acl(acl) => Outcome::Lines(acl.run(store)),
            Self::Notes(notes) => Outcome::Values(notes.run(store)),
            Self::Note(notes) => Outcome::Done(notes.run(store)),
            Self::Select(account, name, access) => {
                Outcome::Selected(select(store, &account, name, access).map(Box::new))
            }
            Self::Fill(mailbox, outline) => Outcome::Filled(mailbox.fill(&outline)),
            Self::Fetch(fetch) => Outcome::Fetched(fetch.run()),
            Self::Search(search) => Outcome::Found(search.run()),
            Self::Multisearch(search) => Outcome::Multisearched(search.run(store)),
            Self::Survey(survey) => Outcome::Surveyed(survey.run(store)),
            Self::Store(flags) => Outcome::Stored(flags.run()),
            Self::Copy(copy) => Outcome::Copied(copy.run(store)),
            Self::Expunge(mailbox, uids) => Outcome::Done(expunge(&mailbox, uids.as_ref())),
            Self::Urls(urls) => Outcome::Urls(urls.run(store)),
            Self::Append(mut part) => {
                let opened = part.write(store);
                part.text.clear();
                Outcome::Appending(opened, part.text)
            }
            Self::AppendLast(part, finish) => Outcome::Appended(append(*part, finish, store)),
        }
    }
}

impl Work {
    /// Whether it is done in the selected mailbox, where rights can be lost.
    pub const fn is_in_selected(&self) -> bool {
        match self {
            Self::Fetch(_)
            | Self::Search(_)
            | Self::Store(_)
            | Self::Copy(_)
            | Self::Expunge(..) => true,
            Self::AppendLast(_, finish) => finish.replaces.is_some(),
            _ => false,
        }
    }
}

impl Manage {
    fn run(self, store: &Store, account: &Account) -> Result<(), StoreError> {
        match self {
            Self::Delete(name) => store.delete(account, &name),
            Self::Rename(from, to) => store.rename(account, &from, &to),
            Self::Subscribe(name) => store.subscribe(account, &name),
            Self::Unsubscribe(name) => store.unsubscribe(account, &name),
        }
    }
}

fn create(
    store: &Store,
    account: &Account,
    name: &str,
    uses: &[String],
) -> Result<String, StoreError> {
    if !uses.is_empty() && !store.is_own(account, name) {
        return Err(StoreError::Forbidden(
            "what a mailbox of somebody else is for, its owner says: CREATE it without USE",
        ));
    }
    store.create(account, name)?;
    if store.is_own(account, name)
        && let Err(error) = store.set_special_uses(account, name, uses)
    {
        // RFC 6154 §3: without its use it must not be there.
        store.delete(account, name)?;
        return Err(error);
    }
    // Who may make a mailbox need not have any right in it.
    let (mailbox, _) = store.reach(account, name, Rights::NONE)?;
    mailbox.object_id()
}

fn select(
    store: &Store,
    account: &Account,
    name: String,
    access: Access,
) -> Result<Opened, StoreError> {
    let (mailbox, rights) = store.reach(account, &name, Rights::READ)?;
    let is_guest = !store.is_own(account, &name);
    let watched = Watched {
        mailbox,
        // RFC 4314 §5.2
        access: match rights.among(Rights::CHANGES).is_empty() {
            true => Access::ReadOnly,
            false => access,
        },
        aware: Awareness::None,
        rights,
        guest: is_guest.then(|| Arc::new((account.clone(), name.clone()))),
    };
    if let Some(outline) = watched.mailbox.outline() {
        return Ok(Opened::outlined(watched, name, outline));
    }
    let News { index, recent, .. } = watched.news()?;
    let settled = watched.mailbox.settle();
    if let Err(error) = &settled {
        log::warn!("{name}: mod-sequences cannot be kept: {error}");
    }
    let object_id = watched.mailbox.object_id()?;
    let unseen = index.messages.iter().position(|entry| unseen(&entry));
    Ok(Opened {
        watched,
        name,
        exists: index.messages.len(),
        unseen: unseen.and_then(|place| u32::try_from(place + 1).ok()),
        outline: None,
        index,
        recent,
        settled: settled.is_ok(),
        object_id,
    })
}

impl Opened {
    fn outlined(watched: Watched, name: String, outline: Outline) -> Self {
        let index = Index {
            uid_validity: outline.uid_validity,
            uid_next: outline.uid_next,
            messages: Vec::new(),
            keywords: outline.keywords.clone(),
            highest_modseq: outline.highest_modseq,
        };
        Self {
            watched,
            name,
            index: Arc::new(index),
            exists: outline.exists as usize,
            unseen: outline.unseen,
            recent: Vec::new(),
            settled: true,
            object_id: outline.object_id.clone(),
            outline: Some(Box::new(outline)),
        }
    }
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
    fn run(self) -> Result<Stored, StoreError> {
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
    fn run(self, store: &Store) -> Result<Option<Copied>, CopyError> {
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

fn expunge(mailbox: &Mailbox, uids: Option<&Ranges>) -> Result<(), StoreError> {
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
    fn write(&mut self, store: &Store) -> Result<(Arc<Mailbox>, Spool), Fault> {
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

fn append(mut part: Part, finish: Finish, store: &Store) -> Result<Appended, Fault> {
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
