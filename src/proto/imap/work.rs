//! The slow work of an IMAP session: each item of [`Work`] runs on a pool thread and brings an [`Outcome`].
//!
//! Responses that can be long are written here, not in the event loop. What changes messages is in
//! [`alter`](super::alter).

use std::sync::Arc;

use crate::proto::imap::acl::Acl;
use crate::proto::imap::alter::{
    Appended, Copied, Copy, CopyError, Finish, Part, StoreFlags, Stored, append, expunge,
};
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::fetch::{self, Fetch};
use crate::proto::imap::list::{self, List};
use crate::proto::imap::metadata::{GetNotes, SetNotes, Values};
use crate::proto::imap::multisearch::{Multisearch, Multisearched};
use crate::proto::imap::notify::{Survey, Surveyed};
use crate::proto::imap::quota::Quota;
use crate::proto::imap::search::{Found, Search};
use crate::proto::imap::status::{Status, unseen};
use crate::proto::imap::urls::{Fault, UrlWork, UrlsDone};
use crate::proto::imap::uses as special_uses;
use crate::store::{Account, Index, Mailbox, Outline, Spool, Store, StoreError, Told};
use crate::wire::imap::command::Access;
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
    let say = || store.set_special_uses(account, name, uses);
    let said = match uses {
        _ if !store.is_own(account, name) => Ok(()),
        // What was said of one that had this name is said of it no more.
        [] => say(),
        _ => special_uses::change(store, account, name, None, say),
    };
    if let Err(error) = said {
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
