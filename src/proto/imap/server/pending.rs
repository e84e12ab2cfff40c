//! What a session has to remember while a job runs.

use std::sync::Arc;

use super::message::Message;
use super::notify::Telling;
use super::reply::Reply;
use crate::proto::imap::fetch::Fetch;
use crate::proto::imap::notify::Own;
use crate::proto::imap::search::Test;
use crate::proto::imap::urls::{self, UrlWork};
use crate::proto::imap::view::Removals;
use crate::proto::imap::work::Work;
use crate::store::{Account, AuthError, Subscription};
use crate::wire::imap::command::{Numbering, Originals};
use crate::wire::imap::condstore::Resync;
use crate::wire::imap::fetch::Item;
use crate::wire::imap::search::Returns;
use crate::wire::sasl::Exchange;

/// The command that a job is for.
pub(super) struct Pending {
    pub(super) tag: String,
    pub(super) after: After,
}

/// What comes after a job.
pub(super) enum After {
    /// OK.
    Tagged {
        text: &'static str,
        removals: Removals,
    },
    /// LOGIN; with an exchange AUTHENTICATE.
    Login(Option<Box<Exchange>>),
    /// Of LIST and STATUS.
    Lines {
        name: String,
        text: &'static str,
    },
    /// Of GETMETADATA.
    Notes {
        name: String,
    },
    /// OK, or why something could not be done with `name`.
    Manage {
        name: String,
        text: &'static str,
    },
    /// The same, of SUBSCRIBE and UNSUBSCRIBE.
    Subscription {
        name: String,
        text: &'static str,
        own: Own,
    },
    Delete {
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Create {
        name: String,
    },
    /// OK with HIGHESTMODSEQ, for who knows it.
    Expunge {
        name: String,
    },
    Select {
        mailbox: String,
        resync: Option<Resync>,
    },
    /// SELECT was answered, and the messages are yet to be known; its reply waits for a client that catches up.
    Fill(Option<(Reply, Resync)>),
    /// SELECT's reply waits until the client has caught up.
    CatchUp(Reply),
    Fetch(Fetching),
    Search(Seeking),
    Store(Removals),
    Copy {
        mailbox: String,
        originals: Originals,
    },
    Urls {
        mailbox: String,
        reply: Reply,
    },
    AppendBlock(Box<Message>),
    Append {
        mailbox: String,
        /// REPLACE: the UIDs are told before the replaced message goes.
        replaces: bool,
    },
    /// NOTIFY SET: what is told from now on, or what was if that fails.
    Notify {
        new: Box<Telling>,
        old: Option<Box<Telling>>,
    },
    /// NOTIFY: between commands, or in an IDLE of this tag.
    Unasked(Option<Idling>),
    /// ESEARCH in other mailboxes.
    Multisearch,
    Idle {
        waking: Waking,
        again: Again,
    },
}

/// An IDLE that goes on afterwards.
pub(super) struct Idling {
    pub(super) tag: String,
    pub(super) waking: Waking,
}

/// A FETCH in progress.
pub(super) struct Fetching {
    pub(super) removals: Removals,
    /// Something could not be had, for it is no more.
    pub(super) gone: bool,
    /// Something could not be decoded.
    pub(super) undecoded: bool,
}

/// A SEARCH in progress.
pub(super) struct Seeking {
    pub(super) numbering: Numbering,
    pub(super) returns: Option<Returns>,
    pub(super) found: Vec<u32>,
    /// The highest mod-sequence of those found, if it is to be told.
    pub(super) modseq: Option<u64>,
    /// UPDATE: what is to be told of new ones, and what was looked for.
    pub(super) update: Option<(Vec<Item>, Arc<Test>)>,
    /// It is the command ESEARCH, whose responses name the mailbox.
    pub(super) correlated: bool,
    /// Messages with a smaller UID were looked at.
    pub(super) from: u32,
}

impl Seeking {
    /// The mod-sequence to tell: none when nothing was found.
    pub(super) fn highest(&self) -> Option<u64> {
        self.modseq.filter(|_| !self.found.is_empty())
    }
}

/// What wakes a session that is idle: its mailbox, and what others note.
#[derive(Debug, Default)]
pub(super) struct Waking {
    pub(super) mailbox: Option<Subscription>,
    /// Boxed: few want it.
    pub(super) notes: Option<Box<Subscription>>,
}

/// Whether a mailbox changed while it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    No,
    Yes,
}

/// What waits for the peer to read.
pub(super) enum Rest {
    /// The next block of a FETCH.
    Fetch(Box<Fetch>),
    /// URLs that are still to be fetched.
    Urls(Vec<urls::Fetching>),
}

impl Rest {
    pub(super) fn work(self) -> Work {
        match self {
            Self::Fetch(fetch) => Work::Fetch(fetch),
            Self::Urls(urls) => Work::Urls(UrlWork::Fetch(urls)),
        }
    }
}

/// What the store said of who logs in, before it was proved.
pub(super) type Verdict = Option<Result<Account, AuthError>>;

/// A reply that can be said now, none when a job was begun; or a refusal.
pub(super) type Next = Result<Option<Reply>, Reply>;

/// Removals are not told while the client may use sequence numbers (RFC 3501 §7.4.1).
pub(super) const fn removals(numbering: Numbering) -> Removals {
    match numbering {
        Numbering::Sequence => Removals::Deferred,
        Numbering::Uid => Removals::Told,
    }
}

/// OK after a job that only looks at what is new.
pub(super) const fn tagged(text: &'static str, removals: Removals) -> After {
    After::Tagged { text, removals }
}
